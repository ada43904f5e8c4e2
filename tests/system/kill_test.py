"""kill -9 in the middle of a compile, a switch, a rollback: the next start serves a valid version.

Each round publishes versions and rolls back through the server while a timer of a seeded length
runs; the process is then killed wherever it is. The next start must serve exactly one whole version,
and one no older than what was acknowledged: an acknowledged RELOAD, ROLLBACK or UNPIN holds.
"""

import os
import random
import socket
import tempfile
import threading
import unittest

from harness import wire
from harness.programs import LARDER
from harness.scale import scaled
from harness.servers import start_larder
from system import records

SEED = 20261121


class KillTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-kill-")
        self.addCleanup(directory.cleanup)
        self.source = os.path.join(directory.name, "items.jsonl")
        self.store = os.path.join(directory.name, "store")
        self.version = 1
        records.publish(self.source, self.version)

    def server(self):
        # Nothing is taken but on request, so that each step below is known by its reply.
        config = os.path.join(os.path.dirname(self.source), "larder.toml")

        def argv(port):
            with open(config, "w", encoding="utf-8") as out:
                out.write(f"""
[server]
threads = 2
[[listener]]
address = "127.0.0.1:{port}"
protocol = "resp"
[[store]]
name = "items"
kind = "dataset"
database = 0
source = "{self.source}"
directory = "{self.store}"
keep = 3
watch = "1h"
""")
            return [LARDER, "serve", "--config", config]
        server = start_larder(LARDER)
        server.argv = argv
        return server

    def work(self, connection, random_, acknowledged):
        """Publishes and rolls back until the connection breaks. `acknowledged` holds the versions
        that may be served after the last acknowledged step; a step under way adds its outcome."""
        while True:
            step = random_.choice(["reload", "reload", "rollback", "unpin"])
            if step == "reload":
                self.version += 1
                records.publish(self.source, self.version)
                connection.call("LARDER", "UNPIN", "items")
                reply = connection.call("LARDER", "RELOAD", "items")
            elif step == "rollback":
                reply = connection.call("LARDER", "ROLLBACK", "items")
            else:
                reply = connection.call("LARDER", "UNPIN", "items")
            if not reply.is_error:
                acknowledged.append((step, records.served_version(connection)))

    def round(self, seed):
        random_ = random.Random(seed)
        acknowledged = []
        with self.server() as server:
            before = None
            with server.connect() as connection:
                before = records.served_version(connection)
            timer = threading.Timer(random_.uniform(0.0, 0.25), server.process.kill)
            timer.start()
            try:
                with server.connect(timeout=10) as connection:
                    self.work(connection, random_, acknowledged)
            except (OSError, wire.WireError, socket.timeout):
                pass  # killed in the middle, as was meant
            finally:
                timer.join()
            server.process.wait()
        return before, acknowledged

    def test_every_restart_serves_a_whole_version(self):
        known = {1}
        for number in range(scaled(50, least=4)):
            seed = SEED + number
            with self.subTest(seed=seed):
                before, acknowledged = self.round(seed)
                known.update(range(1, self.version + 1))
                with self.server() as server, server.connect() as connection:
                    served = records.served_version(connection)
                    self.assertIn(served, known)
                    if not acknowledged:
                        continue
                    step, version = acknowledged[-1]
                    # The step under way when the kill came may have been carried out, or not:
                    # an older version than the acknowledged one is served only by a rollback,
                    # which leaves the store pinned.
                    if served < version:
                        status = dict_of(connection.call("LARDER", "DATASETS").items[0])
                        self.assertEqual(status[b"pinned"], b"1",
                                         f"after {step} to {version} (before: {before})")


def dict_of(reply):
    return {name.text: value.text for name, value in reply.pairs()}


if __name__ == "__main__":
    unittest.main()
