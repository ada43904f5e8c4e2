"""Servers for tests: a Redis or a Larder on a free loopback port, in a directory of its own.

    with start_redis() as redis, start_larder(program, files=[path]) as larder:
        larder.connect().call(b"PING")

A server that does not become ready, or ends on its own, raises ServerError with the end of its log.
Leaving the `with` stops it by its process id; nothing is left behind.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import wire

READY_SECONDS = 60
STOP_SECONDS = 20
PORT_ATTEMPTS = 5
LOG_TAIL_BYTES = 4000
REDIS_VERSION = "7.0."


class ServerError(Exception):
    """A server that could not be started, or that ended by itself."""


def free_port():
    """A port that was free a moment ago; whoever loses the race is started again with another."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server process. `argv(port)` makes its command line. With a `password` it is asked
    for whether it is ready by its default user; connect() leaves that to the caller."""

    def __init__(self, name, argv, directory=None, env=None, ready_seconds=READY_SECONDS,
                 password=None):
        self.name = name
        self.argv = argv
        self.env = env
        self.ready_seconds = ready_seconds
        self.password = password
        self.owns_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix=f"larder-test-{name}-")
        self.log_path = os.path.join(self.directory, f"{name}.log")
        self.process = None
        self.port = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        """Starts the process (again) and waits until it answers."""
        for attempt in range(PORT_ATTEMPTS):
            self.port = free_port()
            log = open(self.log_path, "ab")
            with log:
                self.process = subprocess.Popen(
                    self.argv(self.port), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=self.env, cwd=self.directory)
            try:
                self.wait_until_ready()
                return self
            except ServerError:
                taken = "in use" in self.log_tail()
                self.kill()
                if not taken or attempt == PORT_ATTEMPTS - 1:
                    raise
        return self

    def wait_until_ready(self):
        """Asks until the server answers with data; waits on the process, so its end is noticed."""
        deadline = time.monotonic() + self.ready_seconds
        while time.monotonic() < deadline:
            try:
                with self.connect(timeout=5) as connection:
                    if self.password is not None:
                        connection.call("AUTH", self.password)
                    reply = connection.call(b"DBSIZE")
                    if reply.kind == b":":
                        return
            except (OSError, wire.WireError):
                pass
            try:
                self.process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            raise ServerError(f"{self.name} ended with status {self.process.returncode} "
                              f"instead of serving; its log:\n{self.log_tail()}")
        raise ServerError(f"{self.name} did not answer within {self.ready_seconds} s; "
                          f"its log:\n{self.log_tail()}")

    def connect(self, protocol=2, timeout=30):
        return wire.Connection(("127.0.0.1", self.port), protocol=protocol, timeout=timeout)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Asks the process to end (SIGTERM); returns its exit status."""
        if self.running():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                raise ServerError(f"{self.name} did not stop within {STOP_SECONDS} s; "
                                  f"its log:\n{self.log_tail()}") from None
        return None if self.process is None else self.process.returncode

    def kill(self):
        """Ends the process at once (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def close(self):
        """Stops the process and removes its directory, if that is the server's own."""
        try:
            self.stop()
        finally:
            self.kill()
            if self.owns_directory:
                shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self):
        try:
            with open(self.log_path, "rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - LOG_TAIL_BYTES))
                return log.read().decode("utf-8", "replace")
        except OSError as error:
            return f"(no log: {error})"


def redis_program():
    """The oracle's program. Fails when it is missing or another version."""
    program = shutil.which("redis-server")
    if program is None:
        raise ServerError("redis-server is not installed; ./dev deps installs it")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    if f"v={REDIS_VERSION}" not in version.stdout:
        raise ServerError(f"the oracle is Redis {REDIS_VERSION}x, found: {version.stdout.strip()}")
    return program


def start_redis(*arguments, directory=None, password=None):
    """A Redis that keeps nothing on disk, not started yet: use it with `with`."""
    program = redis_program()
    if password is not None:
        arguments = [*arguments, "--requirepass", password]
    return Server("redis", lambda port: [
        program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        "--daemonize", "no", *arguments], directory=directory, password=password)


def start_larder(program, files=(), arguments=(), directory=None, store=None):
    """`larder serve` with `files` as its databases, not started yet: use it with `with`.

    `store` is the directory of its versions; by default it lies in the server's own directory.
    """
    program = os.path.abspath(program)  # the server runs in a directory of its own

    def argv(port):
        return [program, "serve", "--resp", f"127.0.0.1:{port}", "--dir", store or "store",
                *arguments, *files]
    return Server("larder", argv, directory=directory)
