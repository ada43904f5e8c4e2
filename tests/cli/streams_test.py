"""What is printed, when nobody can take it: a full disk, a closed stream, a terminal that is gone."""

import json
import os
import pty
import subprocess
import tempfile
import unittest

from harness import wire
from harness.programs import LARDER
from harness.servers import start_larder

OK, FAILURE, USAGE, NOT_FOUND = range(4)


class StreamsTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.program = os.path.abspath(LARDER)
        self.write("f.jsonl", json.dumps({"key": "long", "value": "v" * 100_000}) + "\n")

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)

    def build(self):
        subprocess.run([self.program, "build", "f.jsonl", "-o", "f.snap"], cwd=self.directory,
                       check=True, capture_output=True)

    def run_into_full(self, *arguments, stream="stdout"):
        """The exit code, and what is on the other stream."""
        other = "stderr" if stream == "stdout" else "stdout"
        with open("/dev/full", "wb") as full:
            done = subprocess.run([self.program, *arguments], cwd=self.directory, timeout=120,
                                  check=False, **{stream: full, other: subprocess.PIPE})
        return done.returncode, getattr(done, other).decode()

    def test_an_answer_that_cannot_be_written_is_a_failure(self):
        self.build()
        for arguments in (("get", "f.snap", "long"), ("get", "f.snap", "long", "--json"),
                          ("inspect", "f.snap"), ("verify", "f.snap", "--json"),
                          ("diff", "f.snap", "f.jsonl"), ("build", "f.jsonl", "-o", "g.snap"),
                          ("completion", "bash"), ("man", "serve"), ("--help",), ("--version",)):
            code, said = self.run_into_full(*arguments)
            self.assertEqual(code, FAILURE, f"{arguments}: {said}")
            self.assertEqual(said.count("\n"), 1, said)
            self.assertTrue(said.startswith("larder: cannot write to standard output: "), said)

    def test_an_error_that_cannot_be_written_keeps_its_exit_code(self):
        self.assertEqual(self.run_into_full("get", "missing.snap", "k", stream="stderr"),
                         (NOT_FOUND, ""))
        self.assertEqual(self.run_into_full("nonsense", stream="stderr"), (USAGE, ""))

    def test_files_are_not_taken_for_streams_that_are_closed(self):
        done = subprocess.run(["sh", "-c", '"$0" build f.jsonl -o f.snap --json <&- >&- 2>&-',
                               self.program], cwd=self.directory, timeout=120, check=False)
        self.assertEqual(done.returncode, OK)
        subprocess.run([self.program, "verify", "f.snap"], cwd=self.directory, check=True,
                       capture_output=True)

    def test_a_server_whose_streams_are_closed_serves(self):
        wrapper = self.path("quiet")
        self.write("quiet", f'#!/bin/sh\nexec "{self.program}" "$@" <&- >&- 2>&-\n')
        os.chmod(wrapper, 0o755)
        with start_larder(wrapper, files=[self.path("f.jsonl")],
                          directory=self.directory) as server:
            with server.connect() as connection:
                self.assertEqual(connection.call(b"STRLEN", b"long").text, b"100000")
            self.assertEqual(os.readlink(f"/proc/{server.process.pid}/fd/2"), "/dev/null")
            self.assertEqual(server.stop(), OK)

    def test_a_server_whose_terminal_goes_away_compiles_on(self):
        self.write("f.jsonl", "".join(json.dumps({"key": f"k{i}", "value": "v" * 100}) + "\n"
                                      for i in range(200_000)))
        terminal, end = pty.openpty()
        server = subprocess.Popen(
            [self.program, "serve", "f.jsonl", "--resp", f"unix:{self.path('socket')}"],
            cwd=self.directory, stdin=subprocess.DEVNULL, stdout=end, stderr=end)
        os.close(end)
        try:
            said = b""
            while b"%" not in said:
                said += os.read(terminal, 4096)
            os.close(terminal)
            with wire.Connection(self.path("socket")) as connection:
                connection.call(b"LARDER", b"RELOAD", b"f")  # answers when it is compiled
                self.assertEqual(connection.call(b"DBSIZE").text, b"200000")
        finally:
            server.terminate()
            self.assertEqual(server.wait(timeout=60), OK)


if __name__ == "__main__":
    unittest.main()
