"""larder log from outside, over logs that are written here, by docs/formats/log.md alone."""

import base64
import ctypes
import json
import os
import struct
import subprocess
import tempfile
import unittest

from harness.programs import LARDER

OK, FAILURE, USAGE, NOT_FOUND, BAD_DATA = range(5)
PIPE_CLOSED = 141

ID = b"a log of tests.."
FACTOR = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
HEAD = 4096

XXHASH = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
XXHASH.restype = ctypes.c_uint64
XXHASH.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def checksum(data):
    return XXHASH(bytes(data), len(data))


def sealed(magic, fields, size):
    head = magic + struct.pack("<II", 1, 0) + ID + fields
    head += bytes(size - 8 - len(head))
    return head + struct.pack("<Q", checksum(head))


class Segment:
    def __init__(self, number, last_before, may_be_marked=False):
        self.number = self.next = number
        self.bytes = sealed(b"LARDSEGM", struct.pack("<QqQI", number, 1700000000000, last_before,
                                                     may_be_marked), HEAD)
        self.index = sealed(b"LARDLIDX", struct.pack("<Q", number), 64)
        self.key = checksum(self.bytes[16:40])

    def append(self, records, synced=0, marked=False):
        """One batch; returns its offset."""
        place = len(self.bytes)
        folded = 0
        body = b""
        for i, data in enumerate(records):
            total = checksum(data) ^ ((self.next + i) * FACTOR & MASK)
            total = total ^ MASK if marked else total
            folded = (folded ^ total) * FACTOR & MASK
            self.index += struct.pack("<I", (place + 48 + len(body)) // 8)
            body += struct.pack("<II", len(data) | (marked << 31), total >> 32) + data
            body += bytes(-len(body) % 8)
        head = struct.pack("<QIIQqQ", folded, 48 + len(body), len(records), self.next,
                           1700000000001, synced)
        head = struct.pack("<Q", checksum(head) ^ self.key ^ place) + head
        self.bytes += head + body
        self.next += len(records)
        return place


class LogTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.program = os.path.abspath(LARDER)
        self.log = os.path.join(self.directory, "orders")
        os.mkdir(self.log)
        # Records 1 to 4, and 5 to 9; 8 is marked and 9 is no UTF-8.
        first = Segment(1, 0)
        first.append([b"one", b"two"])
        self.second_batch = first.append([b"three", b"four"], synced=2)
        last = Segment(5, 4, may_be_marked=True)
        last.append([b"five", b"six", b"seven"], synced=4)
        last.append([b"eight"], synced=7, marked=True)
        self.last_batch = last.append([b"\xff\xfe"], synced=7)
        for segment in (first, last):
            self.put(f"log-{segment.number:020}.seg", segment.bytes)
            self.put(f"log-{segment.number:020}.idx", segment.index)
        self.put_numbers(reserved=1_000_000, synced=7)

    def put(self, name, data):
        with open(os.path.join(self.log, name), "wb") as out:
            out.write(data)

    def put_numbers(self, reserved, synced):
        self.put("log.numbers",
                 sealed(b"LARDNUMS", struct.pack("<QQQ", reserved, synced, 12345), 64))

    def change(self, name, offset):
        with open(os.path.join(self.log, name), "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1]))

    def damage(self):
        """Record 3, in the second batch of the first segment."""
        self.change("log-00000000000000000001.seg", self.second_batch + 48 + 8)

    def contents(self):
        files = {}
        for name in os.listdir(self.log):
            with open(os.path.join(self.log, name), "rb") as file:
                files[name] = file.read()
        return files

    def run_log(self, *arguments, expect=OK, prefix_of_stderr=b"larder: "):
        before = self.contents()
        done = subprocess.run([self.program, "log", *arguments], cwd=self.directory, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.assertEqual(done.returncode, expect, f"{arguments}: {done.stdout}{done.stderr}")
        for line in done.stderr.splitlines():
            self.assertTrue(line.startswith(prefix_of_stderr), line)
        self.assertEqual(self.contents(), before, "the log was changed")
        return done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode()

    def json_of(self, *arguments, expect=OK):
        return json.loads(self.run_log(*arguments, "--json", expect=expect)[0])

    # ---- Usage

    def test_a_log_command_must_be_named(self):
        self.run_log(expect=USAGE)
        self.run_log("dance", expect=USAGE)
        _, message = self.run_log("cat", expect=USAGE)
        self.assertIn("see larder log cat --help", message)
        self.run_log("repair", "orders", expect=USAGE)

    def test_where_there_is_no_log(self):
        for command in ("inspect", "verify", "cat"):
            self.run_log(command, "nowhere", expect=NOT_FOUND)
            self.run_log(command, "orders", "--prefix", "other", expect=NOT_FOUND)
        self.run_log("repair", "nowhere", "--to", "new", expect=NOT_FOUND)
        self.run_log("inspect", "orders", "--prefix", "a/b", expect=USAGE)
        self.assertEqual(os.listdir(self.directory), ["orders"])

    # ---- Inspect

    def test_inspect_tells_what_there_is(self):
        facts = self.json_of("inspect", "orders")
        self.assertEqual((facts["oldest"], facts["newest"], facts["records"]), (1, 9, 9))
        self.assertEqual(facts["id"], ID.hex())
        self.assertEqual(facts["numbers"], {"state": "right", "reserved": 1000000, "synced": 7})
        self.assertEqual([(s["number"], s["records"], s["sealed"], s["index"], s["made_at_ms"])
                          for s in facts["segments"]],
                         [(1, 4, True, "right", 1700000000000),
                          (5, 5, False, "right", 1700000000000)])
        self.assertEqual(facts["tail"], {"bytes": 0, "whole_batches": 0})
        self.assertEqual(facts["state"], "unknown")
        text, _ = self.run_log("inspect", "orders")
        self.assertIn("newest: 9\n", text)
        self.assertIn("5 to 9 (5)", text)
        self.assertIn("made 2023-11-14T22:13:20Z, last, index right", text)

    def test_inspect_tells_a_torn_tail_a_closed_log_and_what_was_safe(self):
        self.change("log-00000000000000000005.seg", self.last_batch + 48 + 8)
        self.assertEqual(self.json_of("inspect", "orders")["tail"]["bytes"], 58)
        self.assertIn("tail: 58 bytes", self.run_log("inspect", "orders")[0])
        self.put_numbers(reserved=9, synced=9)
        text, damage = self.run_log("inspect", "orders", expect=BAD_DATA)
        self.assertIn("state: closed", text)
        self.assertIn("record 9 was safe, and is not whole", damage)

    # ---- Verify

    def test_verify_of_a_whole_log(self):
        text, damage = self.run_log("verify", "orders")
        self.assertRegex(text, r"^orders: whole, \d+ bytes, 9 records, 2 segments\n$")
        self.assertEqual(damage, "")
        self.assertEqual(self.json_of("verify", "orders")["ok"], True)

    def test_verify_names_all_damage(self):
        self.damage()
        self.change("log-00000000000000000005.idx", 64)
        self.change("log-00000000000000000001.idx", 64)
        text, damage = self.run_log("verify", "orders", expect=BAD_DATA)
        self.assertIn("orders: damaged", text)
        lines = damage.splitlines()
        self.assertEqual(lines[0], "larder: log-00000000000000000001.seg: byte "
                         f"{self.second_batch}: records 3 to 4 are not whole (76 bytes)")
        self.assertIn("log-00000000000000000001.idx: byte 64: ", lines[1])
        self.assertIn("damaged in 2 places; `larder log repair`", lines[2])
        report = self.json_of("verify", "orders", expect=BAD_DATA)
        self.assertEqual([(d["byte"], d["first_record"]) for d in report["damage"]],
                         [(self.second_batch, 3), (64, 1)])
        self.assertEqual(len(report["notes"]), 1)  # the last index is made anew
        self.assertEqual(report["records"], 7)

    # ---- Cat

    def test_cat_prints_records(self):
        text, _ = self.run_log("cat", "orders", "--to", "8")
        self.assertEqual(text.split("\n"), ["one", "two", "three", "four", "five", "six", "seven",
                                            "eight", ""])
        self.assertEqual(self.run_log("cat", "orders", "--from", "4", "--to", "5")[0],
                         "four\nfive\n")
        self.assertEqual(self.run_log("cat", "orders", "--count")[0], "9\n")
        self.assertEqual(self.run_log("cat", "orders", "--from", "20")[0], "")

    def test_cat_as_json_says_everything(self):
        lines = self.run_log("cat", "orders", "--from", "8", "--json")[0].splitlines()
        self.assertEqual(json.loads(lines[0]), {"number": 8, "time_ms": 1700000000001,
                                                "marked": True, "data": "eight"})
        self.assertEqual(json.loads(lines[1]),
                         {"number": 9, "time_ms": 1700000000001, "marked": False,
                          "data": base64.b64encode(b"\xff\xfe").decode(),
                          "data_encoding": "base64"})

    def test_cat_leaves_out_what_is_damaged_and_says_so(self):
        self.damage()
        text, damage = self.run_log("cat", "orders", "--to", "5", expect=BAD_DATA)
        self.assertEqual(text, "one\ntwo\nfive\n")
        self.assertIn("records 3 to 4", damage)

    def test_cat_ends_quietly_with_its_reader(self):
        big = Segment(1, 0)
        for _ in range(100):
            big.append([b"x" * 10000])
        self.put("big-00000000000000000001.seg", big.bytes)
        self.put("big.numbers", sealed(b"LARDNUMS", struct.pack("<QQQ", 100, 100, 1), 64))
        with subprocess.Popen([self.program, "log", "cat", self.log, "--prefix", "big"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as cat:
            cat.stdout.read(1)
            cat.stdout.close()
            self.assertEqual(cat.wait(timeout=120), PIPE_CLOSED)
            self.assertEqual(cat.stderr.read(), b"")

    # ---- Repair

    def test_repair_makes_a_log_of_what_is_whole(self):
        self.damage()
        text, losses = self.run_log("repair", "orders", "--to", "new")
        self.assertIn("new: 7 records, 25 bytes of data, 2 segments", text)
        self.assertIn("lost: 2 records in 1 place\nright by themselves, of these: 1", text)
        self.assertIn("records 3 to 4 are not whole; 1 of them is right by itself", losses)
        self.assertIn("7 records", self.run_log("verify", "new")[0])
        self.assertEqual(self.run_log("cat", "new", "--to", "6")[0], "one\ntwo\nfive\nsix\n")
        kept = self.run_log("cat", "new", "--from", "8", "--json")[0]
        self.assertEqual(kept, self.run_log("cat", "orders", "--from", "8", "--json")[0])
        self.assertEqual(self.json_of("inspect", "new")["numbers"]["reserved"], 1000000)

    def test_repair_keeps_single_records_when_it_is_told(self):
        self.damage()
        report = self.json_of("repair", "orders", "--to", "new", "--records")
        self.assertEqual((report["records"], report["lost_records"]), (8, 1))
        self.assertEqual(report["single_records"], {"right": 1, "kept": True})
        self.assertEqual(report["losses"][0]["first_record"], 3)
        self.assertEqual(self.run_log("cat", "new", "--to", "4")[0], "one\ntwo\nfour\n")

    def test_repair_writes_into_no_log(self):
        self.run_log("repair", "orders", "--to", "orders", expect=FAILURE)
        self.run_log("repair", "orders", "--to", "new")
        _, message = self.run_log("repair", "orders", "--to", "new", expect=FAILURE)
        self.assertIn("holds a log", message)


if __name__ == "__main__":
    unittest.main()
