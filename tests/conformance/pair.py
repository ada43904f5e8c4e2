"""The oracle and the server under test, side by side with the same data."""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack, contextmanager

from harness import programs, servers
import records as typed


def parse_arguments(description, add=None):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--larder", default=programs.LARDER,
                        help="the program under test; `redis` asks a second Redis instead, which "
                        "tests the harness itself")
    if add is not None:
        add(parser)
    return parser.parse_args()


class Pair:
    """`redis` and `larder`, both running."""

    def __init__(self, redis, larder):
        self.redis = redis
        self.larder = larder

    def connections(self, protocol):
        """A new connection to each: (larder, redis)."""
        return self.larder.connect(protocol), self.redis.connect(protocol)


def make_replica(server):
    """From now on it refuses writes, as a replica whose master is away (the port is nobody's)."""
    with server.connect() as connection:
        reply = connection.call(b"REPLICAOF", b"127.0.0.1", servers.free_port())
        if reply.is_error:
            raise servers.ServerError(f"Redis would not become a replica: {reply!r}")


def loaded_redis(stack, databases):
    redis = stack.enter_context(servers.start_redis())
    for number, records in enumerate(databases):
        with redis.connect() as connection:
            typed.load_into_redis(connection, records, number)
    make_replica(redis)
    return redis


@contextmanager
def running_pair(program, databases):
    """Starts both with `databases`, a list of lists of records."""
    with ExitStack() as stack:
        redis = loaded_redis(stack, databases)
        if program == "redis":
            yield Pair(redis, loaded_redis(stack, databases))
            return
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="larder-test-data-"))
        files = []
        for number, records in enumerate(databases):
            files.append(os.path.join(directory, f"records{number}.jsonl"))
            typed.write_jsonl(records, files[-1])
        larder = stack.enter_context(servers.start_larder(program, files=files))
        pair = Pair(redis, larder)
        try:
            yield pair
        finally:
            if not larder.running():
                print(f"larder ended by itself; its log:\n{larder.log_tail()}", file=sys.stderr)
