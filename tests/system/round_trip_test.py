"""Records of every shape, type and encoding, through `build`, `export` and `build` again: the two
Snapshots are equal, and `diff` says so (and says so when they are not)."""

import base64
import gzip
import json
import os
import random
import subprocess
import tempfile
import unittest

from harness.programs import LARDER
from harness.scale import scaled
from harness.servers import start_larder

EQUAL, DIFFERENT = 0, 6
BINARY = bytes(range(256))
NEXT_CENTURY_MS = 4102444800000


def b64(data):
    return base64.b64encode(data).decode()


TYPED = [
    {"key": "typed:string", "type": "string", "string_record": {"value": "v\u0000\r\n\u20ac"}},
    {"key": "typed:hash", "type": "hash", "hash_record": {"fields": {"a": "1", "b": "2"}}},
    {"key": "typed:list", "type": "list", "list_record": {"elements": ["a", "", "a"]}},
    {"key": "typed:set", "type": "set", "set_record": {"elements": ["x", "y"]}},
    {"key": "typed:zset", "type": "zset", "ordered_set_record": {"elements": [
        {"value": "a", "score": 1.5}, {"value": "b", "score": "-inf"}]}},
]
SHORT = [
    {"key": "short:string", "value": "text"},
    {"key": "short:empty", "value": ""},
    {"key": "short:true", "value": True},
    {"key": "short:hash", "value": {"name": "n", "nested": {"x": [1, None]}, "flag": False}},
    {"key": "short:list", "value": ["a", 1, True, {"b": 2}]},
    {"key": "short:set", "type": "set", "value": ["m", "n"]},
    {"key": "short:zset", "type": "zset", "value": {"a": 0.1, "b": 1e300, "c": "inf", "d": -0.0}},
    {"key": "short:json", "type": "json", "value": {"a": [1, 2.50, "x"], "b": None}},
    {"key": "short:all", "value": "v", "expires_at_ms": NEXT_CENTURY_MS, "version": 2**64 - 1,
     "flags": 2**32 - 1},
    {"key": b64(b"\xff\x00key"), "key_encoding": "base64", "value": b64(BINARY),
     "encoding": "base64"},
    {"key": "binary:hash", "encoding": "base64", "field_encoding": "base64",
     "value": {b64(BINARY): b64(BINARY), b64(b"plain"): b64(b"")}},
    {"key": "binary:list", "encoding": "base64", "value": [b64(BINARY), b64(b"\r\n")]},
    {"key": "binary:set", "type": "set", "encoding": "base64", "value": [b64(BINARY)]},
    {"key": "binary:zset", "type": "zset", "encoding": "base64", "value": {b64(BINARY): 7}},
]
# Numbers keep their source text, which json.dumps would not.
NUMBERS = '{"key":"short:number","value":1.10}\n{"key":"short:long","value":' + "9" * 40 + "}\n"
ROWS = [{"id": i, "name": f"row {i}", "tags": ["a", i], "price": 1.5, "none": None}
        for i in range(50)]


def dump(lines):
    return "".join(json.dumps(line) + "\n" for line in lines)


def random_record(dice):
    def some_bytes():
        return dice.randbytes(dice.choice([0, 1, 5, 60, 3000]))

    kind = dice.choice(["string", "hash", "list", "set", "zset"])
    count = dice.choice([1, 2, 10, 300])
    value = {"string": lambda: b64(some_bytes()),
             "hash": lambda: {b64(b"%d" % i + some_bytes()): b64(some_bytes())
                              for i in range(count)},
             "list": lambda: [b64(some_bytes()) for _ in range(count)],
             "set": lambda: [b64(b"%d" % i + some_bytes()) for i in range(count)],
             "zset": lambda: {b64(b"%d" % i + some_bytes()): dice.choice(
                 [dice.random(), dice.randrange(-10**6, 10**6), 5e-324, 1.7e308, "-inf"])
                 for i in range(count)}}[kind]()
    record = {"key": b64(some_bytes() + dice.randbytes(8)), "key_encoding": "base64",
              "type": kind, "value": value, "encoding": "base64", "field_encoding": "base64"}
    if kind != "hash":
        del record["field_encoding"]
    if dice.random() < 0.3:
        record["expires_at_ms"] = NEXT_CENTURY_MS + dice.randrange(10**9)
    if dice.random() < 0.3:
        record["version"] = dice.randrange(2**64)
    if dice.random() < 0.3:
        record["flags"] = dice.randrange(2**32)
    return record


class RoundTrip(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-round-trip-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.program = os.path.abspath(LARDER)

    def larder(self, *arguments, expect=0, piped=b"", error=b""):
        done = subprocess.run([self.program, *arguments], cwd=self.directory, timeout=300,
                              input=piped, capture_output=True, check=False)
        self.assertEqual(done.returncode, expect, f"{arguments}: {done.stdout}{done.stderr}")
        self.assertIn(error, done.stderr)
        return done.stdout

    def write(self, name, text):
        data = text.encode() if isinstance(text, str) else text
        with open(os.path.join(self.directory, name), "wb") as out:
            out.write(data)
        return name

    def round_trip(self, source, *options, records=None):
        self.larder("build", source, "-o", "first.snap", *options)
        self.larder("export", "first.snap", "-o", "exported.jsonl")
        self.larder("build", "exported.jsonl", "-o", "second.snap")
        report = json.loads(self.larder("diff", "first.snap", "second.snap", "--json"))
        self.assertEqual((report["added"], report["removed"], report["changed"]), (0, 0, 0), report)
        if records is not None:
            inspected = json.loads(self.larder("inspect", "second.snap", "--json"))
            self.assertEqual(inspected["records"]["live"], records)

    def test_every_shape_and_encoding(self):
        text = dump(TYPED) + dump(SHORT) + NUMBERS + dump(ROWS)
        count = text.count("\n")
        self.write("all.jsonl", text)
        self.round_trip("all.jsonl", "--key-field", "id", "--key-prefix", "row:", records=count)

    def test_what_was_meant_is_what_is_served(self):
        self.write("all.jsonl", dump(SHORT) + NUMBERS + dump(ROWS))
        self.round_trip("all.jsonl", "--key-field", "id", "--key-prefix", "row:")
        server = self.enterContext(start_larder(
            LARDER, files=[os.path.join(self.directory, "exported.jsonl")]))
        connection = self.enterContext(server.connect())
        for arguments, expected in (
                (("GET", b"\xff\x00key"), BINARY), (("GET", "short:number"), b"1.10"),
                (("GET", "short:long"), b"9" * 40), (("GET", "short:true"), b"true"),
                (("HGET", "binary:hash", BINARY), BINARY),
                (("HGET", "binary:hash", b"plain"), b""),
                (("LINDEX", "binary:list", 0), BINARY), (("HGET", "short:hash", "flag"), b"false"),
                (("HGET", "short:hash", "nested"), b'{"x": [1, null]}'),
                (("LINDEX", "short:list", 3), b'{"b": 2}'), (("ZSCORE", "short:zset", "c"), b"inf"),
                (("HGET", "row:7", "tags"), b'["a", 7]'), (("HEXISTS", "row:7", "none"), b"0"),
                (("HEXISTS", "row:7", "id"), b"0"), (("TYPE", "short:json"), b"ReJSON-RL"),
                (("PTTL", "short:none"), b"-2")):
            reply = connection.call(*arguments)
            self.assertEqual(reply.text, expected, arguments)
        self.assertEqual(connection.call("SISMEMBER", "binary:set", BINARY).text, b"1")
        self.assertEqual(connection.call("ZSCORE", "binary:zset", BINARY).text, b"7")

    def test_documents(self):
        self.write("flat.json", json.dumps({"a": "x", "b": 1.5, "c": {"f": "v"}, "d": ["e"]}))
        self.round_trip("flat.json", records=4)
        self.write("deep.json", json.dumps({"ns": {"a": "x", "b": {"f": "v"}}, "other": {"a": 1}},
                                           indent=2))
        self.round_trip("deep.json", "--levels", "2", records=3)
        self.assertEqual(self.larder("get", "second.snap", "ns/a"), b"x\n")
        self.write("array.json.gz", gzip.compress(json.dumps(SHORT, indent=1).encode()))
        self.round_trip("array.json.gz", records=len(SHORT))
        self.write("rows.json", json.dumps({"rows": ROWS}, indent=2))
        self.round_trip("rows.json", "--key-field", "id", records=len(ROWS))

    def test_an_export_piped_into_a_build(self):
        self.write("all.jsonl", dump(TYPED) + dump(SHORT))
        self.larder("build", "all.jsonl", "-o", "first.snap")
        exported = self.larder("export", "first.snap")
        self.larder("build", "-", "-o", "second.snap", piped=exported)
        self.larder("diff", "first.snap", "second.snap", expect=EQUAL)
        self.larder("build", "-", "-o", "third.snap", piped=exported + b"{\n", expect=4,
                    error=b"standard input:%d:2: " % (len(TYPED) + len(SHORT) + 1))
        self.assertEqual([name for name in os.listdir(self.directory) if "tmp" in name], [])

    def test_compressed_exports(self):
        self.write("all.jsonl", dump(SHORT))
        self.larder("build", "all.jsonl", "-o", "first.snap")
        for name in ("out.jsonl.gz", "out.jsonl.zst"):
            self.larder("export", "first.snap", "-o", name)
            self.larder("diff", "first.snap", name, expect=EQUAL)

    def test_random_records_of_any_bytes(self):
        dice = random.Random(3)
        records = [random_record(dice) for _ in range(scaled(400, least=40))]
        self.write("random.jsonl", dump(records))
        self.round_trip("random.jsonl", records=len(records))

    def test_diff_finds_what_is_not_equal(self):
        self.write("a.jsonl", dump([{"key": "same", "value": "1"}, {"key": "gone", "value": "1"},
                                    {"key": "other", "value": {"f": "1", "g": "1"}}]))
        self.write("b.jsonl", dump([{"key": "new", "value": "1"}, {"key": "same", "value": "1"},
                                    {"key": "other", "value": {"g": "1", "f": "2"}}]))
        report = json.loads(self.larder("diff", "a.jsonl", "b.jsonl", "--json", expect=DIFFERENT))
        self.assertEqual((report["added"], report["removed"], report["changed"]), (1, 1, 1), report)


if __name__ == "__main__":
    unittest.main()
