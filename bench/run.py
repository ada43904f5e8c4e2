#!/usr/bin/env python3
"""Larder beside redis-server, workload by workload, in one run.

Both servers run on one core with the same records, the load generator on the other core; so does the
floor, a server that sends the same reply for everything and looks at nothing. They take turns (ABCABC...),
every figure is the median of the rounds, and the server's CPU time per request comes from the
kernel's accounting. Prints a table of ratios (above 1: Larder is ahead), writes JSON.

    ./dev bench                    all workloads
    ./dev bench get-p16 --rounds 9
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import compiling
import queues
import sources
import switching
from peers import exchange, pinned, start_floor, start_larder, start_redis

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKLOADS = {
    "get-p1": ["--workload", "get", "--pipeline", "1"],
    "get-p16": ["--workload", "get", "--pipeline", "16"],
    "get-p64": ["--workload", "get", "--pipeline", "64"],
    "mget10-p1": ["--workload", "mget", "--pipeline", "1"],
    "mget10-p16": ["--workload", "mget", "--pipeline", "16"],
    "hgetall10-p1": ["--workload", "hgetall", "--pipeline", "1"],
    "hgetall10-p16": ["--workload", "hgetall", "--pipeline", "16"],
}
STRING = "item:000000000000"
HASH = "item:000000000003"
REQUESTS = {"get": ["GET", STRING], "mget": ["MGET", *[STRING] * 10], "hgetall": ["HGETALL", HASH]}
OTHERS = {"compile": compiling, "queues": queues, "sources": sources, "switch": switching}


def measure(load, server, records, seconds, arguments):
    done = subprocess.run(
        pinned(1, [load, "--port", server.port, "--server-pid", server.process.pid, "--records",
                   records, "--seconds", seconds, "--connections", 50, *arguments]),
        capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: load on {server.name} failed: {done.stderr.strip()} {done.stdout.strip()}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join([*WORKLOADS, *OTHERS])}; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--records", type=int, default=1000000)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure here")
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS) - set(OTHERS)
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}; see --help")
    if not shutil.which("redis-server"):
        sys.exit("bench: redis-server is missing; ./dev deps installs it")
    chosen = options.workloads or [*WORKLOADS, *OTHERS]
    results = {}
    names = [name for name in chosen if name in WORKLOADS]
    if names:
        with tempfile.TemporaryDirectory(prefix="larder-bench-") as directory:
            results = run_requests(options, names, pathlib.Path(directory))
        report(results, options)
    for name in [name for name in chosen if name in OTHERS]:
        with tempfile.TemporaryDirectory(prefix="larder-bench-") as directory:
            results[name] = OTHERS[name].run(options, pathlib.Path(directory))
        OTHERS[name].report(results[name])
    if options.json:
        options.json.write_text(json.dumps({"cores": os.cpu_count(), "records": options.records,
                                            "results": results}, indent=1) + "\n")


def run_requests(options, names, directory):
    """Every named workload on both servers in turns: {name: {server: [rounds]}}."""
    make_records = options.build / "larder_make_records"
    results = {name: {"larder": [], "redis": [], "floor": []} for name in names}
    servers = []
    try:
        servers.append(start_larder(directory, options.build / "larder", make_records,
                                    options.records))
        servers.append(start_redis(directory, make_records, options.records))
        for server in servers:
            server.wait_for_records(options.records)
        for name in names:
            arguments = WORKLOADS[name]
            floor = start_floor(directory, options.build / "larder_floor",
                                *exchange(servers[0].port, REQUESTS[arguments[1]]))
            servers.append(floor)
            for _ in range(options.rounds):
                for server in servers:
                    results[name][server.name].append(
                        measure(options.build / "larder_load", server, options.records, options.seconds,
                                [*arguments, *(["--any-reply"] if server is floor else [])]))
            servers.remove(floor)
            floor.stop()
    finally:
        for server in servers:
            server.stop()
    return results


def median(rounds, figure):
    return statistics.median(entry[figure] for entry in rounds)


def spread(rounds, figure):
    """Half the distance between the outer rounds, as a share of the median."""
    values = [entry[figure] for entry in rounds]
    return (max(values) - min(values)) / 2 / statistics.median(values)


def report(results, options):
    print(f"{options.records} records, 50 connections, {options.rounds} rounds of {options.seconds} s, "
          f"server on one of {os.cpu_count()} cores; medians (± half the range)")
    print(f"{'workload':15} {'server CPU per request, µs':^55} {'requests per second':^30}")
    print(f"{'':15} {'floor':>14} {'larder':>14} {'redis':>14} {'ratio':>8}   "
          f"{'larder':>10} {'redis':>10} {'ratio':>6}")
    cpu, rate = "server_cpu_us_per_request", "requests_per_second"
    for name, peers in results.items():
        larder, redis = peers["larder"], peers["redis"]
        figures = [f"{median(peer, cpu):.3f} ±{spread(peer, cpu):3.0%}"
                   for peer in (peers["floor"], larder, redis)]
        print(f"{name:15} {figures[0]:>14} {figures[1]:>14} {figures[2]:>14} "
              f"{median(redis, cpu) / median(larder, cpu):7.2f}x   "
              f"{median(larder, rate):10.0f} {median(redis, rate):10.0f} "
              f"{median(larder, rate) / median(redis, rate):5.2f}x")


if __name__ == "__main__":
    main()
