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
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def machine_seconds():
    """CPU time that the whole machine has spent on anything, and what its host took away."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / ticks, steal / ticks


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def during(options, server, what):
    """The load's report from while `what` ran, and how much CPU time went elsewhere meanwhile: a machine
    that was not quiet says nothing about latencies."""
    spent, stolen = machine_seconds()
    by_server = cpu_seconds(server.process.pid)
    by_children = sum(os.times()[2:4])
    result = load_during(options, server.port, what)
    now_spent, now_stolen = machine_seconds()
    ours = cpu_seconds(server.process.pid) - by_server + sum(os.times()[2:4]) - by_children
    result["others_cpu_seconds"] = round(now_spent - spent - ours, 2)
    result["stolen_seconds"] = round(now_stolen - stolen, 2)
    return result


def load_during(options, port, what):
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
            phases = {"rest": during(options, server, lambda: time.sleep(REST_SECONDS)),
                      "switch": during(options, server, lambda: switch(server.port)),
                      "compile": during(options, server,
                                        lambda: compile_all(server.port, source, waiting[1:])),
                      "rest again": during(options, server, lambda: time.sleep(REST_SECONDS))}
    finally:
        server.stop()
    return {"rate": RATE, "phases": phases}


def report(result):
    phases = result["phases"]
    rest = min(phases[name]["p999_us"] for name in ("rest", "rest again"))
    print(f"latency: {result['rate']} GETs a second, from when they were due")
    for name, phase in phases.items():
        figures = "   ".join(f"{shown} {phase[figure] / 1000:7.3f} ms" for shown, figure in (
            ("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"), ("longest", "max_us")))
        print(f"  {name:10} {figures}   {phase['requests']} requests, "
              f"p99.9 {(phase['p999_us'] - rest) / 1000:+.3f} ms (asked: at most +{LIMIT_MS}); "
              f"others {phase['others_cpu_seconds']:.1f} s, stolen {phase['stolen_seconds']:.1f} s of CPU")
