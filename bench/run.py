#!/usr/bin/env python3
"""Larder beside redis-server, workload by workload, in one run.

Both servers run on one core with the same records, the load generator on the other core. They take
turns (ABAB...), every figure is the median of the rounds, and the server's CPU time per request
comes from the kernel's accounting. Prints a table of ratios (above 1: Larder is ahead), writes JSON.

    ./dev bench                    all workloads
    ./dev bench get-p16 --rounds 9
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, *words):
    """One inline command; the first line of its reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(" ".join(words).encode() + b"\r\n")
        return connection.makefile("rb").readline().decode().strip()


def wait_until(what, condition, seconds=300):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"bench: waited {seconds} s for {what}")


def pinned(core, command):
    return ["taskset", "-c", str(core), *map(str, command)] if os.cpu_count() > 1 else command


class Server:
    def __init__(self, name, command, port, directory):
        self.name, self.port = name, port
        self.log = open(directory / f"{name}.log", "wb")
        self.process = subprocess.Popen(pinned(0, command), stdout=self.log, stderr=self.log)

    def wait_for_records(self, records):
        def ready():
            if self.process.poll() is not None:
                sys.exit(f"bench: {self.name} ended: see {self.log.name}")
            return ask(self.port, "DBSIZE") == f":{records}"
        wait_until(f"{self.name} to serve {records} records", ready)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.close()


def start_redis(directory, make_records, records):
    port = free_port()
    server = Server("redis", ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
                              "--appendonly", "no", "--dir", directory], port, directory)
    wait_until("redis-server", lambda: ask(port, "PING") == "+PONG")
    with subprocess.Popen([make_records, str(records), "--resp"], stdout=subprocess.PIPE) as source:
        subprocess.run(["redis-cli", "-p", str(port), "--pipe"], stdin=source.stdout, check=True,
                       stdout=subprocess.DEVNULL)
    return server


def start_larder(directory, larder, make_records, records):
    port = free_port()
    source = directory / "records.jsonl"
    with open(source, "wb") as file:
        subprocess.run([make_records, str(records)], stdout=file, check=True)
    return Server("larder", [larder, "serve", "--resp", f"127.0.0.1:{port}", "--threads", "1",
                             "--dir", directory / "versions", source], port, directory)


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
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)}; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--records", type=int, default=1000000)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure here")
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    if not shutil.which("redis-server"):
        sys.exit("bench: redis-server is missing; ./dev deps installs it")
    names = options.workloads or list(WORKLOADS)
    results = {name: {"larder": [], "redis": []} for name in names}
    with tempfile.TemporaryDirectory(prefix="larder-bench-") as temporary:
        directory = pathlib.Path(temporary)
        make_records = options.build / "larder_make_records"
        servers = []
        try:
            servers.append(start_larder(directory, options.build / "larder", make_records,
                                        options.records))
            servers.append(start_redis(directory, make_records, options.records))
            for server in servers:
                server.wait_for_records(options.records)
            for name in names:
                for _ in range(options.rounds):
                    for server in servers:
                        results[name][server.name].append(
                            measure(options.build / "larder_load", server, options.records,
                                    options.seconds, WORKLOADS[name]))
        finally:
            for server in servers:
                server.stop()
    report(results, options)


def median(rounds, figure):
    return statistics.median(entry[figure] for entry in rounds)


def spread(rounds, figure):
    """Half the distance between the outer rounds, as a share of the median."""
    values = [entry[figure] for entry in rounds]
    return (max(values) - min(values)) / 2 / statistics.median(values)


def report(results, options):
    print(f"{options.records} records, 50 connections, {options.rounds} rounds of {options.seconds} s, "
          f"server on one of {os.cpu_count()} cores; medians (± half the range)")
    print(f"{'workload':15} {'server CPU per request, µs':^40} {'requests per second':^30}")
    print(f"{'':15} {'larder':>14} {'redis':>14} {'ratio':>8}   {'larder':>10} {'redis':>10} {'ratio':>6}")
    cpu, rate = "server_cpu_us_per_request", "requests_per_second"
    for name, peers in results.items():
        larder, redis = peers["larder"], peers["redis"]
        figures = [f"{median(peer, cpu):.3f} ±{spread(peer, cpu):3.0%}" for peer in (larder, redis)]
        print(f"{name:15} {figures[0]:>14} {figures[1]:>14} "
              f"{median(redis, cpu) / median(larder, cpu):7.2f}x   "
              f"{median(larder, rate):10.0f} {median(redis, rate):10.0f} "
              f"{median(larder, rate) / median(redis, rate):5.2f}x")
    if options.json:
        options.json.write_text(json.dumps({"cores": os.cpu_count(), "records": options.records,
                                            "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
