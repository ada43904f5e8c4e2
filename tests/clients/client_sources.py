"""What the tests of clients talk to: a server with the records of client_data, whose next version
can be put in place.

It is Larder. With LARDER_CLIENTS_AGAINST=redis in the environment it is a real Redis with the same
data, a replica whose master changes it: whoever writes a test of a client learns there that the
test is right.
"""

import os
import re
import tempfile

import client_data
from harness import servers
from harness.programs import LARDER

AGAINST = os.environ.get("LARDER_CLIENTS_AGAINST", "larder")
CHANNELS = "__larder__:*"  # where switches are announced
SWITCH_SECONDS = 240  # a version is synced to disk, which others may keep busy


class Source:
    """A server, and what puts the next version of its data in place."""

    version = 1

    def publish_next(self):
        self.version += 1
        self.publish(self.version)


class LarderSource(Source):
    """A store that serves the file in its directory."""

    def __init__(self, stack, password=None):
        self.directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="larder-client-"))
        client_data.publish(self.directory, 1)
        self.password = password
        self.server = stack.enter_context(servers.Server("larder", self.argv, password=password))
        self.control = stack.enter_context(self.server.connect(timeout=SWITCH_SECONDS))
        if password is not None:
            self.control.call("AUTH", password)

    def argv(self, port):
        with open(os.path.join(self.directory, "larder.toml"), "w", encoding="utf-8") as config:
            config.write(self.configuration(port))
        return [os.path.abspath(LARDER), "serve", "--config", config.name]

    def configuration(self, port):
        password = f'requirepass = "{self.password}"' if self.password is not None else ""
        return f"""
            [server]
            {password}
            [[listener]]
            address = "127.0.0.1:{port}"
            [[store]]
            name = "{client_data.NAME}"
            source = "{client_data.NAME}.jsonl"
            directory = "store"
            """

    def publish(self, version):
        client_data.publish(self.directory, version)
        reply = self.control.call("LARDER", "RELOAD", client_data.NAME)
        if reply.is_error:
            raise servers.ServerError(f"version {version} was not taken: {reply!r}")

    def complaints(self):
        with open(self.server.log_path, encoding="utf-8") as log:
            return [line for line in log if re.search(r"warning|error", line)]


class RedisSource(Source):
    """The same data in a replica of a Redis."""

    def __init__(self, stack, password=None):
        master = stack.enter_context(servers.start_redis("--repl-diskless-sync-delay", "0"))
        self.control = stack.enter_context(master.connect())
        self.publish(1)
        self.server = stack.enter_context(servers.start_redis(
            "--replicaof", f"127.0.0.1 {master.port}", password=password))
        with self.server.connect() as replica:
            if password is not None:
                replica.call("AUTH", password)
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


def start(stack, password=None):
    """A running source, which `stack` ends; its default user has `password`, if any."""
    return {"larder": LarderSource, "redis": RedisSource}[AGAINST](stack, password)
