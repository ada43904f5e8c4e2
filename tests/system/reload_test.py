"""The configuration is rewritten again and again while clients read.

Stores and listeners are added, removed and pointed at other sources, bad files come in between. Every
request gets its reply, none is an error that the moment does not explain, and in the end the server
holds as many descriptors, threads and mapped Snapshots as in the beginning.
"""

import os
import signal
import socket
import tempfile
import threading
import time
import unittest

from harness import wire
from harness.programs import LARDER
from harness.scale import scaled
from harness.servers import Server, free_port
from system import records

WAIT_SECONDS = 60
SIDE_STORES = 4  # databases 1 .. 4 and 20, there or not
READERS = 3


def store_table(name, database, source, directory, more=""):
    return (f"[[store]]\nname = '{name}'\ndatabase = {database}\nsource = '{source}'\n"
            f"directory = '{directory}'\nwatch = '50ms'\nbuild_memory = '1MiB'\n{more}\n")


class Reload(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-reload-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.config = self.file("larder.toml")
        self.extra_port = free_port()
        for version in (1, 2):
            records.publish(self.file(f"main{version}.jsonl"), version, 200)
        self.stop = threading.Event()
        self.failures = []
        self.replies = 0
        self.server = Server("larder", self.command_line)

    def file(self, name):
        return os.path.join(self.directory, name)

    def command_line(self, port):
        self.publish(self.whole(0, port))
        return [os.path.abspath(LARDER), "serve", "--threads", "2", "--config", self.config]

    def publish(self, text):
        with open(f"{self.config}.new", "w", encoding="utf-8") as out:
            out.write(text)
        os.replace(f"{self.config}.new", self.config)

    # ---- The configurations, a different one for each round; round 0 is how it starts and ends.

    def whole(self, number, port=None):
        text = f"# {number}\n[limits]\nmax_clients = {10000 + number % 3}\n"
        text += f"[[listener]]\naddress = '127.0.0.1:{port or self.server.port}'\n"
        if number % 3 == 1:
            text += f"[[listener]]\naddress = '127.0.0.1:{self.extra_port}'\n"
        if number % 4 == 2:
            text += "[[listener]]\naddress = 'unix:larder.sock'\n"
        text += store_table("main", 0, self.file(f"main{1 + number // 2 % 2}.jsonl"), "main")
        for side in range(1, SIDE_STORES + 1):
            if number % (side + 1) == 1:
                source = self.file(f"main{1 + (number + side) % 2}.jsonl")
                text += store_table(f"side{side}", 20 if side == 4 else side, source, f"side{side}",
                                    f"keep = {2 + number % 2}")
        return text

    def bad(self, number):
        kinds = ["[server\n", "[server]\nthread = 1\n", "[[store]]\nname = 'a b'\n",
                 self.whole(0) + "[[listener]]\naddress = '192.0.2.1:6380'\n", ""]
        return f"# {number}\n{kinds[number % len(kinds)]}"

    # ---- What is asked meanwhile.

    def guarded(self, work):
        def run():
            try:
                work()
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(repr(error))
        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def read(self):
        """Pipelines on one connection that lives through everything."""
        requests = []
        for database in (0, 1, 2, 3, 20):
            requests.append([b"SELECT", str(database).encode()])
            requests += [[b"GET", records.key(i).encode()] for i in (0, 1, 2, 4)]
        allowed = (b"LOADING", b"ERR DB index is out of range")
        with self.server.connect() as connection:
            while not self.stop.is_set():
                replies = connection.pipeline(requests)
                for reply in replies[:5]:
                    if reply.is_error or reply.is_null:
                        self.failures.append(f"main: {reply!r}")
                for reply in replies[5:]:
                    if reply.is_error and not reply.text.startswith(allowed):
                        self.failures.append(f"side: {reply!r}")
                self.replies += len(replies)

    def come_and_go(self, address):
        """Whoever got a connection gets the answer, also when the listener goes away."""
        while not self.stop.is_set():
            try:
                connection = wire.Connection(address)
            except (ConnectionRefusedError, FileNotFoundError, socket.timeout):
                self.stop.wait(0.01)
                continue
            with connection:
                reply = connection.call(b"GET", records.key(0))
                if reply.is_error or reply.is_null:
                    self.failures.append(f"{address}: {reply!r}")

    # ---- Rounds.

    def outcomes(self):
        with open(self.server.log_path, encoding="utf-8", errors="replace") as log:
            text = log.read()
        return text.count("configuration taken"), text.count("configuration refused")

    def await_condition(self, condition, what, connection):
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"{what}; {self.server.log_tail()}")
            connection.call(b"PING")  # paces the asking, and would notice a dead server

    def take(self, text, good, connection, by_signal=True):
        taken, refused = self.outcomes()
        wanted = (taken + 1, refused) if good else (taken, refused + 1)
        self.publish(text)
        if by_signal:
            self.server.process.send_signal(signal.SIGHUP)
        self.await_condition(lambda: self.outcomes() == wanted, f"expected {wanted}", connection)

    def held(self):
        process = f"/proc/{self.server.process.pid}"
        with open(f"{process}/maps", encoding="utf-8") as maps:
            mapped = sum(".snap" in line for line in maps)
        return {"descriptors": len(os.listdir(f"{process}/fd")),
                "threads": len(os.listdir(f"{process}/task")), "mapped": mapped}

    def test_requests_and_resources_survive_many_reloads(self):
        self.enterContext(self.server)
        with self.server.connect() as control:
            self.await_condition(lambda: not control.call(b"GET", records.key(0)).is_error,
                                 "nothing is served", control)
            # Once around: the store's both versions exist, the verifying thread has ended.
            self.take(self.whole(2), True, control)
            self.await_condition(
                lambda: control.call(b"GET", records.key(0)).text == b"v2 of 0", "main2", control)
            self.take(self.whole(0), True, control)
            self.await_condition(
                lambda: control.call(b"GET", records.key(0)).text == b"v1 of 0", "main1", control)
            self.await_condition(lambda: self.held()["mapped"] == 1, "one version", control)
            before = self.held()

            threads = [self.guarded(self.read) for _ in range(READERS)]
            threads.append(self.guarded(
                lambda: self.come_and_go(("127.0.0.1", self.extra_port))))
            threads.append(self.guarded(lambda: self.come_and_go(self.file("larder.sock"))))
            lasting = []
            try:
                for number in range(1, scaled(30, 5) + 1):
                    # A few by themselves, as a changed file is noticed; that takes two seconds.
                    self.take(self.whole(number), True, control, by_signal=number % 10 != 0)
                    if number % 3 == 1:
                        lasting.append(wire.Connection(("127.0.0.1", self.extra_port)))
                    if number % 5 == 0:
                        self.take(self.bad(number), False, control)
                    for connection in lasting:  # their listener is gone by now
                        self.assertFalse(connection.call(b"GET", records.key(0)).is_error)
                    self.assertEqual(self.failures, [])
            finally:
                self.stop.set()
                for thread in threads:
                    thread.join()
                for connection in lasting:
                    connection.close()
            self.assertEqual(self.failures, [])
            self.assertGreater(self.replies, 100)
            self.take(self.whole(0), True, control)
            self.await_condition(lambda: self.held() == before,
                                 f"held {self.held()}, before {before}", control)
        self.assertEqual(self.server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
