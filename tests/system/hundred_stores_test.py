"""A hundred stores in one server: each is served under its own number, replaced and rolled back on
its own, and the whole starts, reloads and stops with a bounded number of threads and descriptors."""

import json
import os
import random
import signal
import tempfile
import threading
import time
import unittest

from harness import wire
from harness.programs import LARDER
from harness.scale import scaled
from harness.servers import Server

STORES = 100
KEYS = 20


def name(store):
    return f"store{store:03d}"


class Readers:
    """Two connections that ask the stores that stay for all their keys, without pause."""

    def __init__(self, server, stays):
        self.answers, self.failures = 0, []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(server.connect(), store))
                        for store in stays]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self, connection, store):
        requests = [[b"GET", b"k%d" % key] for key in range(KEYS)]
        expected = [f"{name(store)} v1 k{key}".encode() for key in range(KEYS)]
        try:
            with connection:
                connection.call("SELECT", store)
                while not self.stopping.is_set():
                    found = [reply.text for reply in connection.pipeline(requests)]
                    if found != expected:
                        self.failures.append((store, found))
                        return
                    self.answers += KEYS
        except (OSError, wire.WireError) as error:
            self.failures.append((store, error))


class HundredStores(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-hundred-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        for store in range(STORES):
            self.publish(store, 1)
        self.write_config(range(STORES))
        program = os.path.abspath(LARDER)
        self.server = self.enterContext(Server("larder", lambda port: [
            program, "serve", "--config", self.config, "--resp", f"127.0.0.1:{port}"],
            directory=self.directory))
        self.connection = self.enterContext(self.server.connect())

    @property
    def config(self):
        return os.path.join(self.directory, "larder.toml")

    def write_config(self, stores):
        with open(f"{self.config}.new", "w", encoding="utf-8") as out:
            for store in stores:
                out.write(f'[[store]]\nname = "{name(store)}"\ndatabase = {store}\n'
                          f'source = "{name(store)}.jsonl"\ndirectory = "stores/{name(store)}"\n'
                          'watch = "200ms"\n')
        os.replace(f"{self.config}.new", self.config)

    def publish(self, store, version):
        path = os.path.join(self.directory, f"{name(store)}.jsonl")
        with open(f"{path}.new", "w", encoding="utf-8") as out:
            for key in range(KEYS):
                out.write(json.dumps({"key": f"k{key}",
                                      "value": f"{name(store)} v{version} k{key}"}) + "\n")
        os.replace(f"{path}.new", path)

    def served(self, store, key=0):
        """The value in one store's database, or the error."""
        selected, value = self.connection.pipeline(
            [[b"SELECT", b"%d" % store], [b"GET", b"k%d" % key]])
        return selected.text.decode() if selected.is_error else (value.text or b"").decode()

    def wait_until_served(self, expected):
        """`expected` maps stores to the start of what their keys hold."""
        deadline = time.monotonic() + 60
        waiting = dict(expected)
        while waiting and time.monotonic() < deadline:
            waiting = {store: start for store, start in waiting.items()
                       if not self.served(store, KEYS - 1).startswith(start)}
        self.assertEqual(waiting, {})

    def count(self, what):
        return len(os.listdir(f"/proc/{self.server.process.pid}/{what}"))

    def resources(self):
        """Descriptors, threads and mapped Snapshots of the server."""
        with open(f"/proc/{self.server.process.pid}/maps", encoding="utf-8") as maps:
            snapshots = sum(".snap" in line for line in maps)
        return {"fd": self.count("fd"), "task": self.count("task"), "maps": snapshots}

    def wait_for_resources(self, expected):
        deadline = time.monotonic() + 60
        while self.resources() != expected and time.monotonic() < deadline:
            threading.Event().wait(0.05)
        self.assertEqual(self.resources(), expected)

    def reload(self, stores):
        """Returns when the server has exactly these stores."""
        self.write_config(stores)
        self.server.process.send_signal(signal.SIGHUP)
        wanted = [name(store).encode() for store in stores]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            datasets = self.connection.call("LARDER", "DATASETS").items
            if [dataset.items[1].text for dataset in datasets] == wanted:
                return
        raise AssertionError(f"the server has not got its {len(wanted)} stores")

    def test_each_is_served_replaced_and_rolled_back_on_its_own(self):
        self.wait_until_served({store: f"{name(store)} v1 " for store in range(STORES)})
        changed = range(0, STORES, 10)
        for store in changed:
            self.publish(store, 2)
        self.wait_until_served({store: f"{name(store)} v{2 if store in changed else 1} "
                                for store in range(STORES)})
        reply = self.connection.call("LARDER", "ROLLBACK", name(30))
        self.assertFalse(reply.is_error, reply)
        self.wait_until_served({30: f"{name(30)} v1 ", 40: f"{name(40)} v2 "})

    def test_a_hundred_reloads_under_load_lose_and_leak_nothing(self):
        self.wait_until_served({store: f"{name(store)} v1 " for store in range(STORES)})
        before = self.resources()
        dice = random.Random(7)
        with Readers(self.server, stays=[0, STORES - 1]) as readers:
            for _ in range(scaled(100, least=10)):
                others = dice.sample(range(1, STORES - 1), dice.randrange(STORES - 2))
                self.reload([0, *sorted(others), STORES - 1])
            self.reload(range(STORES))
        self.assertEqual(readers.failures, [])
        self.assertGreater(readers.answers, 0)
        self.wait_until_served({store: f"{name(store)} v1 " for store in range(STORES)})
        self.wait_for_resources(before)


if __name__ == "__main__":
    unittest.main()
