"""The servers of the workloads: Larder and its peers, each pinned to a core, with the same records."""
import os
import pwd
import signal
import socket
import subprocess
import sys
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, *words):
    """One inline command; the first line of its reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(" ".join(words).encode() + b"\r\n")
        return connection.makefile("rb").readline().decode().strip()


def wait_until(what, condition, seconds=300, pause=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(pause)
    sys.exit(f"bench: waited {seconds} s for {what}")


def pinned(core, command):
    """The command on one core (None: on all)."""
    command = [str(word) for word in command]
    return command if core is None or os.cpu_count() == 1 else ["taskset", "-c", str(core), *command]


class Server:
    def __init__(self, name, command, port, directory, core=0):
        self.name, self.port = name, port
        self.log = open(directory / f"{name}.log", "wb")
        self.process = subprocess.Popen(pinned(core, command), stdout=self.log, stderr=self.log)

    def wait_for_records(self, records):
        def ready():
            if self.process.poll() is not None:
                sys.exit(f"bench: {self.name} ended: see {self.log.name}")
            return ask(self.port, "DBSIZE") == f":{records}"
        wait_until(f"{self.name} to serve {records} records", ready)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.close()


def exchange(port, request, protocol="resp2"):
    """What is sent for one request, and what a server of these records answers."""
    sent = b"*%d\r\n" % len(request)
    for word in request:
        sent += b"$%d\r\n%s\r\n" % (len(word), word.encode())
    end = b"+PONG\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        if protocol == "resp3":
            connection.sendall(b"HELLO 3\r\nPING\r\n")
            greeting = b""
            while not greeting.endswith(end):
                greeting += connection.recv(1 << 16)
        connection.sendall(sent + b"*1\r\n$4\r\nPING\r\n")
        reply = b""
        while not reply.endswith(end):
            more = connection.recv(1 << 16)
            if not more:
                sys.exit(f"bench: no answer to {request}")
            reply += more
    return sent, reply[:-len(end)]


def start_floor(directory, floor, request, reply):
    """Sends this reply for each request of this length (floor.cc)."""
    for name, contents in (("request", request), ("reply", reply)):
        (directory / name).write_bytes(contents)
    port = free_port()
    server = Server("floor", [floor, "--port", port, "--request", directory / "request", "--reply",
                              directory / "reply"], port, directory)
    wait_until("larder_floor", lambda: socket.create_connection(("127.0.0.1", port)).close() is None)
    return server


def make(make_records, records, arguments):
    return [str(word) for word in (make_records, records, *arguments)]


def start_redis(directory, make_records, records, shape=()):
    port = free_port()
    server = Server("redis", ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
                              "--appendonly", "no", "--dir", directory], port, directory)
    wait_until("redis-server", lambda: ask(port, "PING") == "+PONG")
    with subprocess.Popen(make(make_records, records, [*shape, "--resp"]), stdout=subprocess.PIPE) as source:
        subprocess.run(["redis-cli", "-p", str(port), "--pipe"], stdin=source.stdout, check=True,
                       stdout=subprocess.DEVNULL)
    return server


def start_memcached(directory, make_records, records, shape=()):
    """One worker thread, memory for all; what it keeps is the strings among the records."""
    port = free_port()
    server = Server("memcached", ["memcached", "-l", "127.0.0.1", "-p", port, "-U", 0, "-t", 1, "-m", 4096,
                                  "-I", "4m", "-u", pwd.getpwuid(os.getuid()).pw_name], port, directory)
    wait_until("memcached", lambda: ask(port, "version").startswith("VERSION"))
    with subprocess.Popen(make(make_records, records, [*shape, "--memcached"]),
                          stdout=subprocess.PIPE) as source, \
            socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        while True:
            some = source.stdout.read(1 << 20)
            if not some:
                break
            connection.sendall(some)
        connection.sendall(b"version\r\n")  # answered when all before it is stored
        if not connection.makefile("rb").readline().startswith(b"VERSION"):
            sys.exit("bench: memcached refused a record")
    return server


def start_larder(directory, larder, make_records, records, shape=(), threads=1, core=0):
    port = free_port()
    source = directory / "records.jsonl"
    with open(source, "wb") as file:
        subprocess.run(make(make_records, records, shape), stdout=file, check=True)
    return Server("larder", [larder, "serve", "--resp", f"127.0.0.1:{port}", "--threads", threads,
                             "--dir", directory / "versions", source], port, directory, core)
