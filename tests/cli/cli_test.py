"""The program from outside: what each subcommand prints and how it exits."""

import json
import os
import pty
import signal
import stat
import subprocess
import tempfile
import unittest

from harness.programs import LARDER
from harness.servers import start_larder

OK, FAILURE, USAGE, NOT_FOUND, BAD_DATA, BUSY = range(6)
CANCELLED = 130


def record(key, value):
    return json.dumps({"key": key, "type": "string", "string_record": {"value": value}}) + "\n"


TYPES = [
    {"key": "h", "type": "hash", "hash_record": {"fields": {"a": "1", "b": "2"}}},
    {"key": "l", "type": "list", "list_record": {"elements": ["x", "y"]}},
    {"key": "s", "type": "set", "set_record": {"elements": ["m"]}},
    {"key": "z", "type": "zset",
     "ordered_set_record": {"elements": [{"value": "m", "score": 1.5}]}},
]


class CliTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.program = os.path.abspath(LARDER)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name) + ".new", "w", encoding="utf-8") as out:
            out.write(text)
        os.replace(self.path(name) + ".new", self.path(name))
        return self.path(name)

    def larder(self, *arguments, expect=OK):
        done = subprocess.run([self.program, *arguments], cwd=self.directory, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, expect, f"{arguments}: {done.stdout}{done.stderr}")
        if expect != OK:
            self.assertTrue(done.stderr.startswith("larder: "), done.stderr)
        return done.stdout if expect == OK else done.stderr

    def build(self, name="f", text=None):
        text = text or record("k", "v") + "".join(json.dumps(r) + "\n" for r in TYPES)
        self.write(f"{name}.jsonl", text)
        self.larder("build", f"{name}.jsonl", "-o", f"{name}.snap")
        return f"{name}.snap"

    def serve(self, text):
        source = self.write("features.jsonl", text)
        return self.enterContext(
            start_larder(self.program, files=[source], directory=self.directory))

    def take(self, server, text):
        self.write("features.jsonl", text)
        with server.connect() as connection:
            reply = connection.call(b"LARDER", b"RELOAD", b"features")
            self.assertFalse(reply.is_error, reply.raw())

    # ---- Help and usage

    def test_version(self):
        self.assertRegex(self.larder("--version"), r"^larder \d+\.\d+\.\d+\n$")

    def test_every_help_has_an_example(self):
        for command in ("serve", "build", "inspect", "verify", "get", "versions", "rollback", "pin",
                        "unpin", "check-config"):
            self.assertIn(f"larder {command}", self.larder(command, "--help"))
        self.assertIn("Exit codes", self.larder("--help"))

    def test_wrong_usage(self):
        self.larder(expect=USAGE)
        self.larder("dance", expect=USAGE)
        self.larder("build", "f.jsonl", expect=USAGE)
        self.larder("serve", "--no-such-option", expect=USAGE)
        self.assertEqual(self.larder("dance", expect=USAGE),
                         "larder: there is no subcommand dance; see larder --help\n")
        for option in (("--memory", "1"), ("--threads", "100000"), ("--separator", "//")):
            message = self.larder("build", "f.jsonl", "-o", "f.snap", *option, expect=USAGE)
            self.assertIn(option[0], message)
            self.assertEqual(message.count("\n"), 1)
        self.larder("serve", expect=USAGE)

    # ---- Snapshot files

    def test_build_verify_inspect_get(self):
        snap = self.build()
        self.assertIn("5 records", self.larder("verify", snap))
        facts = json.loads(self.larder("inspect", snap, "--json"))
        self.assertEqual(facts["records"]["live"], 5)
        self.assertEqual(facts["records"]["by_type"]["hash"], 1)
        self.assertEqual(facts["file_bytes"], os.path.getsize(self.path(snap)))
        self.assertGreater(facts["bytes_per_key"], 0)
        self.assertIn("longest_chain", self.larder("inspect", snap))
        self.assertEqual(self.larder("get", snap, "k"), "v\n")
        self.assertEqual(self.larder("get", snap, "h"), "a\t1\nb\t2\n")
        self.assertEqual(self.larder("get", snap, "z"), "m\t1.5\n")
        self.assertEqual(json.loads(self.larder("get", snap, "l", "--json"))["value"], ["x", "y"])
        self.larder("get", snap, "missing", expect=NOT_FOUND)

    def test_build_is_silent_about_progress_in_a_pipe(self):
        self.write("f.jsonl", record("k", "v"))
        done = subprocess.run([self.program, "build", "f.jsonl", "-o", "f.snap", "--json"],
                              cwd=self.directory, timeout=120, capture_output=True, text=True,
                              check=True)
        self.assertEqual(done.stderr, "")
        self.assertEqual(json.loads(done.stdout)["records"], 1)

    def test_progress_on_a_terminal_leaves_the_line_to_what_comes_next(self):
        self.write("f.jsonl", record("k", "v"))
        screen, terminal = pty.openpty()
        with open(screen, "rb", buffering=0) as reader:
            with open(terminal, "wb", buffering=0) as stderr:
                subprocess.run([self.program, "build", "f.jsonl", "-o", "f.snap"], stderr=stderr,
                               cwd=self.directory, timeout=120, stdout=subprocess.DEVNULL,
                               check=True)
                shown = reader.read(1 << 16)
        self.assertRegex(shown, rb"f\.jsonl: [a-z]+ \d+%\r")

    def test_sigint_ends_a_build_and_leaves_nothing_behind(self):
        self.write("f.jsonl", "".join(record(f"key/{i}", "v" * 64) for i in range(100000)))
        screen, terminal = pty.openpty()
        with open(screen, "rb", buffering=0) as reader:
            with open(terminal, "wb", buffering=0) as stderr:
                build = subprocess.Popen(
                    [self.program, "build", "f.jsonl", "-o", "f.snap", "--threads", "1"],
                    stderr=stderr, stdout=subprocess.DEVNULL, cwd=self.directory)
            self.assertIn(b"%", reader.read(1 << 16))  # it is at work
            build.send_signal(signal.SIGINT)
            self.assertEqual(build.wait(timeout=120), CANCELLED)
            self.assertIn(b"cancelled", reader.read(1 << 16))
        self.assertEqual(os.listdir(self.directory), ["f.jsonl"])

    def test_bad_data(self):
        self.write("bad.jsonl", record("k", "v") + "{\"key\": 5\n")
        message = self.larder("build", "bad.jsonl", "-o", "bad.snap", expect=BAD_DATA)
        self.assertIn("bad.jsonl:2:", message)
        self.assertEqual(sorted(os.listdir(self.directory)), ["bad.jsonl"])
        self.write("twice.jsonl", record("k", "v") * 2)
        self.larder("build", "twice.jsonl", "-o", "twice.snap", "--duplicates", "error",
                    expect=BAD_DATA)
        self.larder("build", "none.jsonl", "-o", "none.snap", expect=NOT_FOUND)

    def test_a_build_that_fails_leaves_the_file_that_is_there(self):
        snap = self.build()
        self.write("bad.jsonl", "{")
        self.larder("build", "bad.jsonl", "-o", snap, expect=BAD_DATA)
        self.assertEqual(self.larder("get", snap, "k"), "v\n")

    def test_a_build_takes_the_place_of_no_source_and_of_no_special_file(self):
        source = self.write("f.jsonl", record("k", "v"))
        os.mkfifo(self.path("pipe"))
        os.mkdir(self.path("directory"))
        os.link(source, self.path("same"))
        for output in ("f.jsonl", "./f.jsonl", "same", "pipe", "directory", ""):
            self.larder("build", "f.jsonl", "-o", output, expect=USAGE)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("pipe")).st_mode))
        with open(source, encoding="utf-8") as file:
            self.assertEqual(file.read(), record("k", "v"))

    def test_a_pipe_in_the_place_of_a_file_is_an_error_and_not_a_wait(self):
        os.mkfifo(self.path("pipe"))
        for command in (("inspect", "pipe"), ("verify", "pipe"), ("check-config", "pipe"),
                        ("build", "pipe", "-o", "f.snap")):
            self.assertIn("pipe: ", self.larder(*command, expect=USAGE))

    def test_a_flipped_bit_is_bad_data(self):
        snap = self.build()
        with open(self.path(snap), "r+b") as file:
            file.seek(4100)
            byte = file.read(1)
            file.seek(4100)
            file.write(bytes([byte[0] ^ 1]))
        self.larder("verify", snap, expect=BAD_DATA)
        self.larder("verify", "f.jsonl", expect=BAD_DATA)
        self.larder("inspect", "f.jsonl", expect=BAD_DATA)
        self.larder("verify", "none.snap", expect=NOT_FOUND)

    def test_a_checksum_file_must_match(self):
        self.write("f.jsonl", record("k", "v"))
        self.write("f.jsonl.md5", "0" * 32 + "  f.jsonl\n")
        self.larder("build", "f.jsonl", "-o", "f.snap", expect=BAD_DATA)

    # ---- Configuration

    def test_check_config(self):
        self.write("larder.toml", "[[store]]\nname = 'a'\nsource = 'a.jsonl'\n")
        self.assertIn("1 stores", self.larder("check-config"))
        self.write("wrong.toml", "[server]\nthread = 1\n")
        self.assertIn("wrong.toml:2:1:", self.larder("check-config", "wrong.toml", expect=USAGE))
        self.larder("check-config", "none.toml", expect=NOT_FOUND)
        self.larder("serve", "--config", "wrong.toml", expect=USAGE)

    def test_what_cannot_be_served_is_said_at_once(self):
        self.write("f.jsonl", record("k", "v"))
        os.mkdir(self.path("folder"))
        self.write("folder/f.jsonl", record("k", "v"))
        self.write("empty.toml", "[server]\nthreads = 1\n")
        for arguments, reason in ((("folder",), "folder is a directory"),
                                  (("f.jsonl", "folder/f.jsonl"), "would be store f"),
                                  (("--config", "empty.toml"), "no [[store]]"),
                                  (("--dir", "here"), "--dir")):
            self.assertIn(reason, self.larder("serve", "--resp", "127.0.0.1:0", *arguments,
                                              expect=USAGE))
        self.larder("serve", "--resp", "127.0.0.1:0", "none.jsonl", expect=NOT_FOUND)

    def test_open_addresses_are_refused(self):
        self.write("f.jsonl", record("k", "v"))
        message = self.larder("serve", "--resp", "0.0.0.0:0", "f.jsonl", expect=USAGE)
        self.assertIn("protected_mode = false", message)

    # ---- A running server, and its directory afterwards

    def test_versions_through_the_server_and_on_the_directory(self):
        server = self.serve(record("k", "one"))
        address = f"127.0.0.1:{server.port}"
        self.take(server, record("k", "two"))
        at_server = ("features", "--server", address)
        numbers = [v["number"] for v in json.loads(self.larder("versions", *at_server, "--json"))]
        self.assertEqual(numbers, [1, 2])
        self.assertEqual(self.larder("get", "features", "k", "--server", address), "two\n")
        report = json.loads(self.larder("rollback", *at_server, "--json"))
        self.assertEqual(report, {"previous": 2, "current": 1, "pinned": True, "compiled": False})
        self.assertEqual(self.larder("get", "features", "k", "--server", address), "one\n")
        self.larder("unpin", *at_server)
        self.larder("pin", "features", "1", "--server", address)
        self.assertIn("* 1", self.larder("versions", "--server", address))
        self.larder("rollback", "features", "7", "--server", address, expect=NOT_FOUND)
        self.larder("versions", "other", "--server", address, expect=NOT_FOUND)

        on_disk = ("features", "--dir", "store")
        message = self.larder("versions", *on_disk, expect=BUSY)
        self.assertIn(str(server.process.pid), message)
        self.assertIn("--server", message)
        self.assertEqual(server.stop(), OK)
        self.larder("versions", *at_server, expect=FAILURE)
        self.assertEqual(self.larder("get", "features", "k", "--dir", "store"), "one\n")
        self.larder("unpin", *on_disk)
        self.assertEqual(self.larder("get", "features", "k", "--dir", "store"), "two\n")
        done = subprocess.run([self.program, "rollback", *on_disk], cwd=self.directory, timeout=120,
                              capture_output=True, text=True, check=True)
        self.assertEqual((done.stdout, done.stderr),
                         ("version 1 is served, pinned (before: 2)\n", ""))
        self.larder("rollback", *on_disk, expect=NOT_FOUND)
        self.larder("versions", "other", "--dir", "store", expect=NOT_FOUND)
        self.larder("versions", "--dir", "nowhere", expect=NOT_FOUND)

    def test_the_configuration_leads_to_the_server(self):
        server = self.serve(record("k", "one"))
        self.write("larder.toml", f"[[listener]]\naddress = '127.0.0.1:{server.port}'\n"
                   "[[store]]\nname = 'features'\ndirectory = 'store/features'\n")
        self.assertEqual(self.larder("get", "features", "k"), "one\n")
        server.stop()
        self.assertEqual(self.larder("get", "features", "k"), "one\n")

    def test_a_second_server_is_refused(self):
        server = self.serve(record("k", "one"))
        other = self.write("other.jsonl", record("k", "other"))
        address = f"127.0.0.1:{server.port}"
        message = self.larder("serve", "--resp", address, "--dir", "elsewhere", other, expect=BUSY)
        self.assertIn(address, message)
        source = self.path("features.jsonl")
        message = self.larder("serve", "--resp", "127.0.0.1:0", "--dir", "store", source,
                              expect=BUSY)
        self.assertIn(str(server.process.pid), message)
        self.assertEqual(self.larder("get", "features", "k", "--server", address), "one\n")

    def test_sigint_stops_the_server(self):
        server = self.serve(record("k", "one"))
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(server.process.wait(timeout=60), OK)


if __name__ == "__main__":
    unittest.main()
