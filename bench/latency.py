"""latency: a paced load (10,000 GETs a second, 50 connections) at rest, while versions are switched
that are there already, and while new ones are compiled.

Server, compiler and load share all cores. A latency counts from the time that its request was due.
"""
import json
import os
import subprocess
import time

from peers import ask, make, start_larder
from turns import CONNECTIONS, quiet

RATE = 10_000
REST_SECONDS = 10
SWITCHES = 100
COMPILES = 6
LIMIT_MS = 1.0  # above rest, of the 99.9th percentile


def start_load(options, port):
    return subprocess.Popen(
        [str(word) for word in (
            options.build / "larder_load", "--port", port, "--connections", CONNECTIONS, "--workload",
            "get", "--records", options.records, "--rate", RATE, "--seconds", 3600, "--until-stdin-ends")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def during(options, port, what):
    """The load's report from while `what` ran."""
    load = start_load(options, port)
    try:
        what()
        out = load.communicate(timeout=60)[0]  # closes its stdin: it ends
    finally:
        if load.poll() is None:
            load.kill()
            load.wait()
    result = json.loads(out)
    # A connection that sees an older version is what a rollback is for.
    if load.returncode != 0 and any(result[failure] for failure in ("errors", "wrong", "mixtures")):
        raise SystemExit(f"bench: the load failed: {out}")
    return result


def command(port, *words):
    reply = ask(port, "LARDER", *words)
    if reply.startswith("-"):
        raise SystemExit(f"bench: LARDER {' '.join(words)}: {reply}")


def switch(port):
    """Between the two versions that are on disk, to and fro."""
    for _ in range(SWITCHES // 2):
        for words in (("ROLLBACK", "records", "1"), ("UNPIN", "records")):
            command(port, *words)
            time.sleep(0.05)


def write(options, path, version):
    with open(path, "wb") as out:
        subprocess.run(make(options.build / "larder_make_records", options.records, ["--version", version]),
                       stdout=out, check=True)


def compile_all(port, source, waiting):
    for path in waiting:
        os.replace(path, source)
        command(port, "RELOAD", "records")


def run(options, directory):
    server = start_larder(directory, options.build / "larder", options.build / "larder_make_records",
                          options.records, threads=os.cpu_count(), core=None)
    source = directory / "records.jsonl"
    waiting = [directory / f"waiting-{version}" for version in range(1, COMPILES + 2)]
    try:
        for version, path in enumerate(waiting, 1):
            write(options, path, version)
        server.wait_for_records(options.records)
        os.sync()
        compile_all(server.port, source, waiting[:1])
        with quiet(options):
            phases = {"rest": during(options, server.port, lambda: time.sleep(REST_SECONDS)),
                      "switch": during(options, server.port, lambda: switch(server.port)),
                      "compile": during(options, server.port,
                                        lambda: compile_all(server.port, source, waiting[1:])),
                      "rest again": during(options, server.port, lambda: time.sleep(REST_SECONDS))}
    finally:
        server.stop()
    return {"rate": RATE, "phases": phases}


def report(result):
    phases = result["phases"]
    rest = phases["rest"]["p999_us"]
    print(f"latency: {result['rate']} GETs a second, from when they were due")
    for name, phase in phases.items():
        figures = "   ".join(f"{shown} {phase[figure] / 1000:7.3f} ms" for shown, figure in (
            ("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"), ("longest", "max_us")))
        print(f"  {name:10} {figures}   {phase['requests']} requests, "
              f"p99.9 {(phase['p999_us'] - rest) / 1000:+.3f} ms (asked: at most +{LIMIT_MS})")
