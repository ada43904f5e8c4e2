#!/usr/bin/env python3
"""Larder beside redis-server and memcached, workload by workload, in one run.

Each server runs on one core with the same records, the load generator on the other core; so does the
floor, a server that sends the same reply for everything and looks at nothing. They take turns (ABCABC...),
every figure is the median of the rounds, and the server's CPU time per request comes from the
kernel's accounting. Prints a table of ratios (above 1: Larder is ahead), writes JSON; bench/plot.py
draws it.

    ./dev bench                    all workloads
    ./dev bench get-p16 --rounds 9
    ./dev bench --list
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile

import compiling
import compiling_large
import inprocess
import latency
import queues
import sources
import switching
import table
import turns
import two_workers
from workloads import WORKLOADS

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Workloads that are more than requests.
OTHERS = {"two-workers": two_workers, "latency": latency, "compile": compiling, "queues": queues,
          "sources": sources, "switch": switching, "inprocess": inprocess}
# These run only when they are named.
LARGE = {"compile-50m": compiling_large}


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", help="names of --list; default: all but the large ones")
    parser.add_argument("--list", action="store_true", help="names the workloads and ends")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="of each round")
    parser.add_argument("--records", type=int, default=750000, help="where a workload names no other number")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--json", type=pathlib.Path,
                        help="write every figure here; what other workloads have there stays")
    parser.add_argument("--lock", type=pathlib.Path, help="hold this file (flock) while measuring")
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS) - set(OTHERS) - set(LARGE)
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}; see --list")
    return options


def write_json(options, results):
    known = json.loads(options.json.read_text()) if options.json.exists() else {}
    known |= {"cores": os.cpu_count(), "kernel": platform.release(), "records": options.records,
              "rounds": options.rounds, "seconds": options.seconds,
              "results": known.get("results", {}) | results}
    options.json.write_text(json.dumps(known, indent=1) + "\n")


def main():
    options = parsed()
    if options.list:
        print("\n".join([*WORKLOADS, *OTHERS, *LARGE]))
        return
    for program in ("redis-server", "memcached"):
        if not shutil.which(program):
            sys.exit(f"bench: {program} is missing; ./dev bench installs it")
    chosen = options.workloads or [*WORKLOADS, *OTHERS]
    results = {}
    requests = [WORKLOADS[name] for name in chosen if name in WORKLOADS]
    if requests:
        table.header(options)
    for workload, rounds in turns.run_requests(options, requests):
        results[workload.name] = table.summary(workload, rounds)
        table.line(workload.name, results[workload.name])
        if options.json:
            write_json(options, results)
    for name in [name for name in chosen if name in OTHERS | LARGE]:
        with tempfile.TemporaryDirectory(prefix="larder-bench-") as directory:
            results[name] = (OTHERS | LARGE)[name].run(options, pathlib.Path(directory))
        (OTHERS | LARGE)[name].report(results[name])
        if options.json:
            write_json(options, results)


if __name__ == "__main__":
    main()
