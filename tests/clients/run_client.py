"""Runs a client's script against a server whose source it replaces under the script's load.

usage: run_client.py [--against larder|redis] COMMAND [ARGUMENTS...]

The command gets two more arguments: the port, and the pattern of the channels on which a switch is
announced. It prints a line for everything that it finds wrong. Once it prints `version 1` it reads
in a loop: the source is replaced, and replaced again whenever the script has printed the number of
the version that it sees, twenty times. The script ends with 0 when all was as it should be, and
what it writes to standard error is a failure, too.

`--against redis` asks a real Redis with the same data instead, a replica whose master changes it:
whoever writes a script learns there that the script is right.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading

import client_data
from harness import servers
from harness.programs import LARDER

SWITCHES = 20
CLIENT_SECONDS = 240
CHANNELS = "larder:*"


class LarderSource:
    """A store that serves the file in its directory."""

    def __init__(self, stack):
        self.directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="larder-client-"))
        source = client_data.publish(self.directory, 1)
        self.server = stack.enter_context(servers.start_larder(LARDER, files=[source]))
        self.control = stack.enter_context(self.server.connect())

    def publish(self, version):
        client_data.publish(self.directory, version)
        reply = self.control.call("LARDER", "RELOAD", client_data.NAME)
        if reply.is_error:
            raise servers.ServerError(f"version {version} was not taken: {reply!r}")

    def complaints(self):
        with open(self.server.log_path, encoding="utf-8") as log:
            return [line for line in log if re.search(r"warning|error", line)]


class RedisSource:
    """The same data in a replica of a Redis."""

    def __init__(self, stack):
        master = stack.enter_context(servers.start_redis("--repl-diskless-sync-delay", "0"))
        self.control = stack.enter_context(master.connect())
        self.publish(1)
        self.server = stack.enter_context(servers.start_redis("--replicaof",
                                                              f"127.0.0.1 {master.port}"))
        with self.server.connect() as replica:
            while b"master_link_status:up" not in replica.call("INFO", "replication").text:
                pass

    def publish(self, version):
        commands = [["MULTI"], ["FLUSHALL"], *client_data.redis_commands(version),
                    ["PUBLISH", CHANNELS.replace("*", client_data.NAME), f"version {version}"],
                    ["EXEC"]]
        replies = self.control.pipeline(
            [[str(part).encode() for part in command] for command in commands])
        wrong = [reply for reply in [*replies, *replies[-1].items] if reply.is_error]
        if wrong:
            raise servers.ServerError(f"Redis did not take version {version}: {wrong[0]!r}")

    def complaints(self):
        return []


def follow(client, source):
    """Publishes the next version whenever the script has seen the last; tells what went wrong."""
    wrong = []
    seen = 0
    for line in client.stdout:
        told = re.fullmatch(r"version (\d+)\n", line)
        if told is None:
            wrong.append(line.rstrip("\n"))
            continue
        seen += 1
        if int(told[1]) != seen:
            wrong.append(f"expected to read version {seen}, the script read {told[1]}")
            return wrong
        if seen <= SWITCHES:
            source.publish(seen + 1)
    if seen != SWITCHES + 1:
        wrong.append(f"the script saw {seen} versions of {SWITCHES + 1}")
    return wrong


def run(command, source, errors):
    client = subprocess.Popen([*command, str(source.server.port), CHANNELS],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                              text=True)
    limit = threading.Timer(CLIENT_SECONDS, client.kill)
    limit.start()
    try:
        wrong = follow(client, source)
        client.wait()
    finally:
        limit.cancel()
        client.kill()
        client.wait()
        client.stdout.close()
    if client.returncode != 0:
        wrong.append(f"{command} ended with status {client.returncode}")
    if not source.server.running():
        wrong.append(f"the server ended; its log:\n{source.server.log_tail()}")
    wrong += [f"in the server's log: {line.rstrip()}" for line in source.complaints()]
    errors.seek(0)
    return wrong + [f"on standard error: {line.rstrip()}" for line in errors]


def main():
    arguments = sys.argv[1:]
    make_source = LarderSource
    if arguments[:1] == ["--against"]:
        make_source = {"larder": LarderSource, "redis": RedisSource}[arguments[1]]
        arguments = arguments[2:]
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context(tempfile.TemporaryFile("w+", errors="replace"))
        wrong = run(arguments, make_source(stack), errors)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
