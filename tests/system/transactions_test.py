"""Transactions while versions are switched: an EXEC sees one version, WATCH notices a change."""

import json
import os
import tempfile
import threading
import unittest

from harness.programs import LARDER
from harness.scale import scaled
from harness.servers import start_larder
from system import records

RECORDS = 400
READERS = 3


def transaction_of(numbers):
    reads = [f"GET {records.key(n)}" if n % 4 != 3 else f"HGET {records.key(n)} field0"
             for n in numbers]
    return ["MULTI", *reads, "EXEC"]


def ask(connection, lines):
    return connection.pipeline([line.encode().split() for line in lines])


class Transactions(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-transactions-")
        self.addCleanup(directory.cleanup)
        self.source = os.path.join(directory.name, "records.jsonl")
        self.publish(1)
        self.server = self.enterContext(start_larder(
            LARDER, files=[self.source], arguments=["--threads", "2"]))

    def publish(self, version):
        """As records.publish, with one key that is the same in every version."""
        with open(f"{self.source}.new", "w", encoding="utf-8") as out:
            for line in records.lines(version, RECORDS):
                out.write(json.dumps(line) + "\n")
            out.write(json.dumps({"key": "constant", "type": "string",
                                  "string_record": {"value": "always"}}) + "\n")
        os.replace(f"{self.source}.new", self.source)

    def switch_to(self, connection, version):
        self.publish(version)
        reply = connection.call("LARDER", "RELOAD", "records")
        self.assertFalse(reply.is_error, reply)

    def test_an_exec_sees_one_version_through_twenty_switches(self):
        stop = threading.Event()
        failures = []
        seen = [set() for _ in range(READERS)]

        def read(number):
            try:
                keys = list(range(number, RECORDS, 7))
                with self.server.connect() as connection:
                    latest = 0
                    while not stop.is_set():
                        replies = ask(connection, transaction_of(keys))
                        values = zip(keys, [item.text for item in replies[-1].items])
                        version = records.version_of(values)
                        assert version >= latest, f"back from {latest} to {version}"
                        latest = version
                        seen[number].add(version)
            except Exception as failure:  # told by the main thread
                failures.append(failure)

        readers = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
        for reader in readers:
            reader.start()
        last = 1 + scaled(20)
        with self.server.connect() as connection:
            for version in range(2, last + 1):
                self.switch_to(connection, version)
        while not failures and not all(last in versions for versions in seen):
            if not any(reader.is_alive() for reader in readers):
                break
        stop.set()
        for reader in readers:
            reader.join()
        self.assertEqual(failures, [])
        for versions in seen:
            self.assertIn(last, versions)

    def test_a_switch_between_watch_and_exec_is_noticed(self):
        with self.server.connect() as client, self.server.connect() as operator:
            self.assertEqual(client.call("WATCH", records.key(0), "constant").text, b"OK")
            self.switch_to(operator, 2)
            replies = ask(client, transaction_of([0]))
            self.assertEqual(replies[-1].raw(), b"*-1\r\n")
            replies = ask(client, transaction_of([0]))
            self.assertEqual(replies[-1].items[0].text, b"v2 of 0")

    def test_a_watched_key_that_the_switch_leaves_alone_is_no_reason(self):
        with self.server.connect() as client, self.server.connect() as operator:
            client.call("WATCH", "constant", "nothing")
            self.switch_to(operator, 2)
            replies = ask(client, transaction_of([0]))
            self.assertEqual(replies[-1].items[0].text, b"v2 of 0")

    def test_what_waits_is_refused_inside(self):
        with self.server.connect() as client:
            replies = ask(client, ["MULTI", "LARDER RELOAD records", "GET constant", "EXEC",
                                   "GET constant"])
            self.assertTrue(replies[1].is_error)
            self.assertTrue(replies[3].raw().startswith(b"-EXECABORT"), replies[3])
            self.assertEqual(replies[4].text, b"always")


if __name__ == "__main__":
    unittest.main()
