"""Runs a client's script against a server whose source it replaces under the script's load.

usage: run_client.py COMMAND [ARGUMENTS...]

The command gets two more arguments: the port, and the pattern of the channels on which a switch is
announced. It prints a line for everything that it finds wrong. Once it prints `version 1` it reads
in a loop: the source is replaced, and replaced again whenever the script has printed the number of
the version that it sees, twenty times. The script ends with 0 when all was as it should be, and
what it writes to standard error is a failure, too.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading

import client_sources

SWITCHES = 20
CLIENT_SECONDS = 280


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
            client.kill()
            return [*wrong, f"expected to read version {seen}, the script read {told[1]}"]
        if seen <= SWITCHES:
            source.publish_next()
    if seen != SWITCHES + 1:
        wrong.append(f"the script saw {seen} versions of {SWITCHES + 1}")
    return wrong


def run(command, source, errors):
    client = subprocess.Popen([*command, str(source.server.port), client_sources.CHANNELS],
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
    command = sys.argv[1:]
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context(tempfile.TemporaryFile("w+", errors="replace"))
        wrong = run(command, client_sources.start(stack), errors)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
