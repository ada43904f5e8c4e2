"""A hundred stores in one server: each is served under its own number, replaced and rolled back on
its own, and the whole starts, reloads and stops with a bounded number of threads and descriptors."""

import json
import os
import signal
import tempfile
import time
import unittest

from harness.programs import LARDER
from harness.servers import Server

STORES = 100
KEYS = 20


def name(store):
    return f"store{store:03d}"


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

    def test_stores_come_and_go_and_leave_nothing(self):
        self.wait_until_served({store: f"{name(store)} v1 " for store in range(STORES)})
        before = {what: self.count(what) for what in ("fd", "task")}
        self.write_config(range(0, STORES, 2))
        self.server.process.send_signal(signal.SIGHUP)
        self.wait_until_served({**{store: "" for store in range(1, STORES - 1, 2)},
                                **{store: f"{name(store)} v1 " for store in range(0, STORES, 2)}})
        deadline = time.monotonic() + 60
        while self.served(1) != "" and time.monotonic() < deadline:
            pass
        self.assertEqual(self.served(1), "")
        self.write_config(range(STORES))
        self.server.process.send_signal(signal.SIGHUP)
        self.wait_until_served({store: f"{name(store)} v1 " for store in range(STORES)})
        while time.monotonic() < deadline:
            after = {what: self.count(what) for what in before}
            if after == before:
                break
        self.assertEqual(after, before)


if __name__ == "__main__":
    unittest.main()
