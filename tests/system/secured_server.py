"""A Larder whose larder.toml a test writes and rewrites, for tests of TLS and users."""

import os
import signal
import subprocess
import tempfile
import time
import unittest

from harness import wire
from harness.programs import LARDER
from harness.servers import Server, free_port
from system import records

WAIT_SECONDS = 60


class SecuredServerTest(unittest.TestCase):
    """`self.server` listens on a plain Unix socket and on `self.port` with what `listener` adds."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-secured-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.config = self.file("larder.toml")
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        records.publish(self.file("main.jsonl"), 1, 100)

    def file(self, name):
        return os.path.join(self.directory, name)

    def text(self, listener="", server="", users=""):
        return (f"[server]\n{server}\n[log]\nlevel = 'debug'\n"
                f"[[listener]]\naddress = '{self.address}'\n{listener}\n{users}\n"
                f"[[store]]\nname = 'main'\nsource = 'main.jsonl'\ndirectory = 'main'\n")

    def write(self, **parts):
        with open(f"{self.config}.new", "w", encoding="utf-8") as out:
            out.write(self.text(**parts))
        os.replace(f"{self.config}.new", self.config)

    def start(self, **parts):
        """Starts and waits for the line that says that it listens."""
        self.write(**parts)
        self.server = Server("larder", lambda port: [
            os.path.abspath(LARDER), "serve", "--threads", "2", "--config", self.config])
        self.server.wait_until_ready = lambda: self.await_log("version 1 is served")
        self.addCleanup(self.server.close)
        self.server.start()

    def log(self):
        with open(self.server.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def await_log(self, text, times=1):
        deadline = time.monotonic() + WAIT_SECONDS
        while self.log().count(text) < times:
            self.assertTrue(self.server.running(), self.server.log_tail())
            self.assertLess(time.monotonic(), deadline, f"no {text!r} in {self.server.log_tail()}")
            try:
                self.server.process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                pass

    def reload(self, outcome="configuration taken", **parts):
        """Rewrites the file where parts are given; SIGHUP; waits for the outcome."""
        before = self.log().count(outcome)
        if parts:
            self.write(**parts)
        self.server.process.send_signal(signal.SIGHUP)
        self.await_log(outcome, before + 1)

    def connect(self):
        return wire.Connection(("127.0.0.1", self.port))

    def larder(self, *arguments, env=None):
        return subprocess.run([os.path.abspath(LARDER), *arguments], cwd=self.directory,
                              env={**os.environ, **(env or {})}, capture_output=True, text=True,
                              timeout=WAIT_SECONDS)
