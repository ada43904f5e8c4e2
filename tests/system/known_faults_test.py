"""Faults that users of earlier servers of this kind knew, each shown not to be here.

The predecessor served a typed JSONL file over RESP. What went wrong there is told by each test's
name; all of it is tried from outside, with a plain client.
"""

import gzip
import json
import os
import subprocess
import tempfile
import unittest

from harness.programs import LARDER
from harness.servers import start_larder
from system import records



def string(key, value):
    return {"key": key, "type": "string", "string_record": {"value": value}}


def write(path, lines, opener=open):
    with opener(f"{path}.new", "wt", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line) + "\n")
    os.replace(f"{path}.new", path)


def scan_all(connection, command, *arguments):
    """All elements of a whole walk: SCAN [options], or HSCAN KEY [options]."""
    before, options = ([], arguments) if command == "SCAN" else (arguments[:1], arguments[1:])
    elements, cursor = [], b"0"
    while True:
        reply = connection.call(command, *before, cursor, *options)
        cursor = reply.items[0].text
        elements += reply.items[1].texts()
        if cursor == b"0":
            return elements


def inodes_of_snapshots(directory):
    return {entry.inode() for root, _, _ in os.walk(directory) for entry in os.scandir(root)
            if entry.name.endswith(".snap")}


class KnownFaults(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-faults-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.source = os.path.join(self.directory, "data.jsonl")

    def serve(self, lines, arguments=()):
        write(self.source, lines)
        server = self.enterContext(start_larder(LARDER, files=[self.source], arguments=arguments))
        return server, self.enterContext(server.connect())

    def test_a_line_over_64_KiB_is_served_and_so_is_everything_after_it(self):
        large = "x" * (3 << 20)
        _, connection = self.serve([string("before", "1"), string("large", large),
                                    string("after", "2")])
        self.assertEqual(connection.call("GET", "large").text, large.encode())
        self.assertEqual(connection.call("GET", "after").text, b"2")
        self.assertEqual(connection.call("DBSIZE").text, b"3")

    def test_LRANGE_with_three_arguments_answers_and_its_stop_is_inclusive(self):
        _, connection = self.serve([{"key": "list", "type": "list",
                                     "list_record": {"elements": ["a", "b", "c"]}}])
        self.assertEqual(connection.call("LRANGE", "list", 0, 1).texts(), [b"a", b"b"])
        self.assertEqual(connection.call("LRANGE", "list", 0, -1).texts(), [b"a", b"b", b"c"])
        self.assertTrue(connection.call("LRANGE", "list", 0).is_error)
        self.assertEqual(connection.call("PING").text, b"PONG")

    def test_HSCAN_with_COUNT_returns_every_field(self):
        for size in (3, 100, 1000):
            with self.subTest(size=size):
                fields = {f"field{i}": str(i) for i in range(size)}
                write(self.source, [{"key": "hash", "type": "hash",
                                     "hash_record": {"fields": fields}}])
                with start_larder(LARDER, files=[self.source]) as server:
                    with server.connect() as connection:
                        flat = scan_all(connection, "HSCAN", "hash", "COUNT", 2)
                found = dict(zip(flat[0::2], flat[1::2]))
                self.assertEqual(len(flat), 2 * size)
                self.assertEqual(found, {k.encode(): v.encode() for k, v in fields.items()})

    def test_COUNT_and_MATCH_work_in_any_case(self):
        _, connection = self.serve([string(f"a/{i}", "") for i in range(30)] +
                                   [string(f"b/{i}", "") for i in range(30)])
        for words in (("MATCH", "a/*", "COUNT", 5), ("match", "a/*", "count", 5)):
            self.assertEqual(sorted(scan_all(connection, "SCAN", *words)),
                             sorted(b"a/%d" % i for i in range(30)))
        reply = connection.call("SCAN", 0, "COUNT", 5)
        self.assertLess(len(reply.items[1].items), 30)

    def test_a_duplicate_key_appears_once_and_the_last_wins(self):
        _, connection = self.serve([string("k", "first"), string("other", "x"), string("k", "last")])
        self.assertEqual(sorted(scan_all(connection, "SCAN")), [b"k", b"other"])
        self.assertEqual(connection.call("GET", "k").text, b"last")
        self.assertEqual(connection.call("DBSIZE").text, b"2")

    def test_a_missing_key_is_no_error(self):
        _, connection = self.serve([string("k", "v")])
        for command, expected in (("GET", b"$-1\r\n"), ("HGETALL", b"*0\r\n"), ("HLEN", b":0\r\n"),
                                  ("LLEN", b":0\r\n"), ("ZCARD", b":0\r\n"), ("TYPE", b"+none\r\n")):
            self.assertEqual(connection.call(command, "missing").raw(), expected, command)

    def test_gzip_is_recognised_by_its_content(self):
        write(self.source, records.lines(1), opener=gzip.open)
        with start_larder(LARDER, files=[self.source]) as server, server.connect() as connection:
            self.assertEqual(records.served_version(connection), 1)

    def test_a_restart_uses_what_was_compiled(self):
        records.publish(self.source, 1)
        store = os.path.join(self.directory, "store")
        with start_larder(LARDER, files=[self.source], store=store) as server:
            with server.connect() as connection:
                records.served_version(connection)
        snapshots = inodes_of_snapshots(store)
        with start_larder(LARDER, files=[self.source], store=store) as server:
            with server.connect() as connection:
                reply = connection.call("LARDER", "RELOAD", "data")
                fields = {name.text: value.text for name, value in reply.pairs()}
                self.assertEqual(fields[b"compiled"], b"0")
                self.assertEqual(fields[b"current"], b"1")
        self.assertEqual(inodes_of_snapshots(store), snapshots)
        self.assertEqual(len(snapshots), 1)

    def test_after_a_change_it_reloads_once_and_leaks_no_descriptor(self):
        records.publish(self.source, 1)
        with start_larder(LARDER, files=[self.source]) as server, server.connect() as connection:
            def counts():
                process = server.process.pid
                with open(f"/proc/{process}/maps", encoding="ascii") as maps:
                    mappings = sum("snap" in line for line in maps)
                return len(os.listdir(f"/proc/{process}/fd")), mappings

            def versions():
                return len(connection.call("LARDER", "VERSIONS", "data").items)

            for version in range(2, 6):  # past `keep`
                records.publish(self.source, version)
                connection.call("LARDER", "RELOAD", "data")
            before = counts()
            for version in range(6, 46):
                records.publish(self.source, version)
                connection.call("LARDER", "RELOAD", "data")
                for _ in range(5):
                    reply = connection.call("LARDER", "RELOAD", "data")
                    fields = {name.text: value.text for name, value in reply.pairs()}
                    self.assertEqual(fields[b"compiled"], b"0")
            self.assertEqual(counts(), before)
            self.assertEqual(versions(), 3)
            self.assertEqual(records.served_version(connection), 45)

    def test_the_first_load_does_not_wait_for_a_tick(self):
        records.publish(self.source, 1)
        config = os.path.join(self.directory, "larder.toml")
        server = start_larder(LARDER)

        def argv(port):
            with open(config, "w", encoding="utf-8") as out:
                out.write(f'[[listener]]\naddress = "127.0.0.1:{port}"\nprotocol = "resp"\n'
                          f'[[store]]\nname = "data"\nkind = "dataset"\ndatabase = 0\n'
                          f'source = "{self.source}"\ndirectory = "{self.directory}/store"\n'
                          f'watch = "1h"\n')
            return [LARDER, "serve", "--config", config]
        server.argv = argv
        with server, server.connect() as connection:  # ready: it serves, an hour before the tick
            self.assertEqual(records.served_version(connection), 1)

    def test_a_value_that_is_no_string_panics_nobody(self):
        # The same fault in a kin: a value of another JSON type ended the server when it was asked for.
        _, connection = self.serve([{"key": "n", "type": "string", "string_record": {"value": 1.50}},
                                    {"key": "b", "type": "string", "string_record": {"value": True}}])
        self.assertEqual(connection.call("GET", "n").text, b"1.5")
        self.assertEqual(connection.call("GET", "b").text, b"true")

    def test_a_request_line_over_4096_bytes_is_one_request(self):
        key = "k" * 5000
        _, connection = self.serve([string(key, "v")])
        connection.send(f"GET {key}\r\nPING\r\n".encode())
        self.assertEqual(connection.read().text, b"v")
        self.assertEqual(connection.read().text, b"PONG")

    def test_a_refused_write_gets_one_reply(self):
        _, connection = self.serve([string("k", "v")])
        replies = connection.pipeline([[b"SET", b"k", b"w"], [b"NOSUCH"], [b"GET", b"k"]])
        self.assertEqual(replies[0].text, b"READONLY You can't write against a read only replica.")
        self.assertTrue(replies[1].is_error)
        self.assertEqual(replies[2].text, b"v")

    def test_bad_input_is_told_with_file_line_and_column(self):
        with open(self.source, "w", encoding="utf-8") as out:
            out.write(json.dumps(string("a", "1")) + "\n" + '{"key":"b","type":"string"\n')
        done = subprocess.run([LARDER, "build", self.source, "-o", f"{self.directory}/out.snap"],
                              capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"{self.source}:2:", done.stderr)
        self.assertFalse(os.path.exists(f"{self.directory}/out.snap"))


if __name__ == "__main__":
    unittest.main()
