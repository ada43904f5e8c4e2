"""Runs workloads of requests on all servers in turns, and keeps every round."""
import contextlib
import fcntl
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from peers import exchange, pinned, start_floor, start_larder, start_memcached, start_redis
from workloads import COLUMNS

CONNECTIONS = 50


# Nobody is kept waiting longer than this and a workload.
LONGEST_TURN_SECONDS = 100


class Turn:
    """The file of --lock, on a machine that others use, too, who agree on it: held alone to measure,
    for several workloads where they are short, with others to prepare."""

    def __init__(self, path):
        self.file = open(path, "a") if path else None
        self.since = None

    def take(self):
        if self.file and self.since is None:
            fcntl.flock(self.file, fcntl.LOCK_EX)
            self.since = time.monotonic()

    def give_back(self):
        if self.file:
            fcntl.flock(self.file, fcntl.LOCK_UN)
        self.since = None

    def give_back_in_time(self):
        if self.since is not None and time.monotonic() - self.since > LONGEST_TURN_SECONDS:
            self.give_back()

    def share(self):
        self.give_back()
        if self.file:
            fcntl.flock(self.file, fcntl.LOCK_SH)


@contextlib.contextmanager
def quiet(options):
    turn = Turn(options.lock)
    turn.take()
    try:
        yield
    finally:
        turn.give_back()


def measure(options, server, records, arguments, core=1):
    """One load on one server: what larder_load reports."""
    done = subprocess.run(
        pinned(core, [options.build / "larder_load", "--port", server.port, "--server-pid",
                      server.process.pid, "--records", records, "--seconds", options.seconds,
                      "--warmup-seconds", min(0.5, options.seconds / 4),
                      "--connections", CONNECTIONS, *arguments]), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: load on {server.name} failed: {done.stderr.strip()} {done.stdout.strip()}")
    return json.loads(done.stdout)


def start_servers(options, data, workloads, directory, servers):
    """Starts with these records whoever answers one of the workloads; `servers` takes them by name."""
    records = data.count(options)
    starts = {"larder": lambda: start_larder(directory, options.build / "larder", options.build /
                                             "larder_make_records", records, data.arguments),
              "redis": lambda: start_redis(directory, options.build / "larder_make_records", records,
                                           data.arguments),
              "memcached": lambda: start_memcached(directory, options.build / "larder_make_records",
                                                   records, data.arguments)}
    wanted = {COLUMNS[column][0] for workload in workloads for column in workload.columns}
    for name, start in starts.items():
        if name in wanted:
            servers[name] = start()
    for name in ("larder", "redis"):
        servers[name].wait_for_records(records)


def run_rounds(options, workload, servers):
    """{column: [rounds]} of one workload; the columns take turns."""
    rounds = {column: [] for column in workload.columns}
    for _ in range(options.rounds):
        for column in workload.columns:
            any_reply = ["--any-reply"] if column == "floor" else []
            rounds[column].append(measure(options, servers[COLUMNS[column][0]], workload.data.count(options),
                                          [*workload.load_arguments(column), *any_reply]))
    return rounds


def run_workload(options, workload, servers, directory, turn):
    try:
        if workload.request:
            sample = exchange(servers["larder"].port, workload.request, workload.protocol)
            servers["floor"] = start_floor(directory, options.build / "larder_floor", *sample)
        turn.take()
        return run_rounds(options, workload, servers)
    finally:
        turn.give_back_in_time()
        floor = servers.pop("floor", None)
        if floor:
            floor.stop()


def run_requests(options, workloads):
    """Yields (workload, {column: [rounds]}); servers live as long as there are workloads of their data."""
    by_data = {}
    turn = Turn(options.lock)
    for workload in workloads:
        by_data.setdefault(workload.data.name, []).append(workload)
    for group in by_data.values():
        servers = {}
        with tempfile.TemporaryDirectory(prefix="larder-bench-") as name:
            directory = pathlib.Path(name)
            try:
                turn.share()
                start_servers(options, group[0].data, group, directory, servers)
                turn.give_back()
                for workload in group:
                    yield workload, run_workload(options, workload, servers, directory, turn)
            finally:
                turn.give_back()
                for server in servers.values():
                    server.stop()
