"""What a publisher may do wrong, each time from outside: the mistake is refused and told, the data
that were there serve on, and the next good file is taken.

The server runs without capabilities, because to root nothing is forbidden.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from harness.programs import LARDER
from harness.scale import scaled
from harness.servers import Server
from system import records

# Room for the store's first version and half of another.
SMALL_DISK_BYTES = 3 << 20


def without_capabilities(argv):
    if os.geteuid() != 0:
        return argv
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-all", *argv]


def big_lines(count, bad_at=None):
    """About 200 bytes a line; the line `bad_at` (from 1) is not JSON."""
    for number in range(1, count + 1):
        if number == bad_at:
            yield '{"key":"broken","value":'
        else:
            yield json.dumps({"key": f"big/{number}", "value": f"{number:0180d}"})


class PublisherMistakes(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-mistakes-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.source = os.path.join(self.directory, "records.jsonl")
        self.store = os.path.join(self.directory, "store")

    def serve(self, limits=()):
        os.makedirs(self.store, exist_ok=True)
        config = os.path.join(self.directory, "larder.toml")
        with open(config, "w", encoding="utf-8") as out:
            out.write('[[store]]\nname = "records"\nsource = "records.jsonl"\n'
                      'directory = "store/records"\nwatch = "50ms"\n')
        program = os.path.abspath(LARDER)
        server = self.enterContext(Server("larder", lambda port: without_capabilities(
            [*limits, program, "serve", "--config", config, "--resp", f"127.0.0.1:{port}"]),
            directory=os.path.join(self.directory)))
        self.connection = self.enterContext(server.connect())
        return server

    def serve_first_version(self, limits=()):
        records.publish(self.source, 1)
        server = self.serve(limits)
        self.assertEqual(records.served_version(self.connection), 1)
        return server

    def status(self):
        (dataset,) = self.connection.call("LARDER", "DATASETS").items
        return {name.text.decode(): value.text.decode() for name, value in
                zip(dataset.items[0::2], dataset.items[1::2])}

    def wait_for(self, done):
        """Polls the server until `done(status)`; fails after a minute with the last status."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = self.status()
            if done(status):
                return status
            threading.Event().wait(0.01)
        raise AssertionError(f"it did not come to this: {status}")

    def assert_refused(self, *reasons):
        """The watcher notices by itself, says all of `reasons`, and version 1 serves on."""
        status = self.wait_for(lambda status: status["last_error"] != "")
        for reason in reasons:
            self.assertIn(reason, status["last_error"])
        reply = self.connection.call("LARDER", "RELOAD", "records")
        self.assertTrue(reply.is_error, reply)
        for reason in reasons:
            self.assertIn(reason, reply.text.decode())
        self.assertEqual(records.served_version(self.connection), 1)
        self.assertEqual(self.status()["current"], status["current"])

    def assert_good_file_is_taken(self, version=2):
        records.publish(self.source, version)
        status = self.wait_for(lambda status: status["last_error"] == "" and
                               status["compiling"] in ("0", "f") and status["switches"] != "1")
        self.assertEqual(records.served_version(self.connection), version, status)

    def replace_with(self, data, path=None):
        path = path or self.source
        with open(f"{path}.new", "wb") as out:
            out.write(data)
        os.replace(f"{path}.new", path)

    def replace_with_lines(self, lines):
        self.replace_with("".join(line + "\n" for line in lines).encode())

    def test_an_empty_file(self):
        self.serve_first_version()
        self.replace_with(b"")
        self.assert_refused("0 records", "larder accept")
        self.assert_good_file_is_taken()

    def test_half_the_records(self):
        self.serve_first_version()
        records.publish(self.source, 2, records=records.RECORDS // 2)
        self.assert_refused("50", "larder accept")
        self.assert_good_file_is_taken()

    def test_twice_the_records(self):
        self.serve_first_version()
        records.publish(self.source, 2, records=2 * records.RECORDS)
        self.assert_refused("100", "larder accept")
        self.assert_good_file_is_taken()

    def test_every_record_twice(self):
        self.serve_first_version()
        lines = [json.dumps(line) for line in records.lines(2)]
        self.replace_with_lines(lines + lines)
        self.assert_refused("duplicate", "larder accept")
        self.assert_good_file_is_taken()

    def test_a_refused_version_can_be_accepted_once(self):
        self.serve_first_version()
        records.publish(self.source, 2, records=records.RECORDS // 2)
        self.assert_refused("larder accept")
        reply = self.connection.call("LARDER", "ACCEPT", "records")
        self.assertFalse(reply.is_error, reply)
        self.assertEqual(records.served_version(self.connection, records.RECORDS // 2), 2)
        again = self.connection.call("LARDER", "ACCEPT", "records")
        self.assertTrue(again.is_error, again)

    def test_a_wrong_digest(self):
        self.serve_first_version()
        self.replace_with(b"0" * 64 + b"  records.jsonl\n", f"{self.source}.sha256")
        records.publish(self.source, 2)
        self.assert_refused("does not match", ".sha256", "0" * 64)
        # Without the digest the file that was refused is good.
        os.remove(f"{self.source}.sha256")
        self.wait_for(lambda status: status["last_error"] == "")
        self.assertEqual(records.served_version(self.connection), 2)

    def test_a_truncated_gzip(self):
        self.serve_first_version()
        text = "".join(json.dumps(line) + "\n" for line in records.lines(2)).encode()
        whole = gzip.compress(text, mtime=0)
        self.replace_with(whole[:len(whole) // 2])
        self.assert_refused("records.jsonl", "gzip")
        self.replace_with(whole)
        self.wait_for(lambda status: status["last_error"] == "")
        self.assertEqual(records.served_version(self.connection), 2)

    def test_a_bad_line_in_the_middle_of_200_MB(self):
        self.serve_first_version()
        count = scaled(1_000_000, least=20_000)
        bad = count // 2
        with open(f"{self.source}.new", "w", encoding="utf-8") as out:
            for line in big_lines(count, bad):
                out.write(line + "\n")
        os.replace(f"{self.source}.new", self.source)
        self.assert_refused(f"records.jsonl:{bad}:")
        self.assert_good_file_is_taken()

    def test_no_permission(self):
        self.serve_first_version()
        with open(f"{self.source}.new", "w", encoding="utf-8") as out:
            for line in records.lines(2):
                out.write(json.dumps(line) + "\n")
        os.chmod(f"{self.source}.new", 0)
        os.replace(f"{self.source}.new", self.source)
        self.assert_refused("records.jsonl", "Permission denied")
        os.chmod(self.source, 0o644)
        self.wait_for(lambda status: status["last_error"] == "")
        self.assertEqual(records.served_version(self.connection), 2)

    def test_a_directory_in_place_of_the_file(self):
        self.serve_first_version()
        os.remove(self.source)
        os.mkdir(self.source)
        self.assert_refused("records.jsonl", "directory")
        os.rmdir(self.source)
        self.assert_good_file_is_taken()

    def test_a_file_that_is_gone(self):
        self.serve_first_version()
        os.remove(self.source)
        self.assert_refused("records.jsonl", "No such file")
        self.assert_good_file_is_taken()

    def test_a_file_replaced_while_it_is_read(self):
        self.serve_first_version()
        lines = list(big_lines(scaled(300_000, least=30_000)))
        self.replace_with_lines(lines)
        self.wait_for(lambda status: status["compiling"] in ("1", "t"))
        records.publish(self.source, 2)
        self.wait_for(lambda status: status["last_error"] == "" and status["current"] != "1")
        self.assertEqual(records.served_version(self.connection), 2)

    def test_a_file_overwritten_while_it_is_read(self):
        self.serve_first_version()
        self.replace_with_lines(big_lines(scaled(300_000, least=30_000)))
        self.wait_for(lambda status: status["compiling"] in ("1", "t"))
        # Not renamed into place: the very file that is being read changes under the reader.
        with open(self.source, "r+", encoding="utf-8") as out:
            out.truncate(0)
            for line in records.lines(2):
                out.write(json.dumps(line) + "\n")
        self.wait_for(lambda status: status["last_error"] == "" and status["current"] != "1")
        self.assertEqual(records.served_version(self.connection), 2)

    def test_a_full_disk_while_compiling(self):
        # Where nothing may be mounted, the largest size of a file stands in for that of the disk.
        mounted = self.mount_small_disk()
        self.serve_first_version(() if mounted else (
            "env", "--ignore-signal=XFSZ", "prlimit", f"--fsize={SMALL_DISK_BYTES}"))
        self.replace_with_lines(big_lines(2 * SMALL_DISK_BYTES // 200))
        self.assert_refused("No space left on device" if mounted else "File too large")
        self.assertEqual(self.unfinished_files(), [])
        self.assert_good_file_is_taken()

    def mount_small_disk(self):
        """Where the versions are kept: a file system of its own, too small for what comes."""
        os.makedirs(self.store)
        mounted = "LARDER_OWN_MOUNTS" in os.environ and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES},mode=777", "tmpfs", self.store],
            check=False, capture_output=True).returncode == 0
        if mounted:
            self.addCleanup(subprocess.run, ["umount", "--lazy", self.store], check=True)
        return mounted

    def unfinished_files(self):
        return [name for name in os.listdir(os.path.join(self.store, "records"))
                if name.endswith(".tmp")]


def in_own_mount_namespace():
    """Runs this file again where it may mount a small disk that nobody else sees."""
    own = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    possible = subprocess.run(["unshare", *own, "true"], check=False, capture_output=True)
    if possible.returncode == 0 and "LARDER_OWN_MOUNTS" not in os.environ:
        os.environ["LARDER_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", *own, sys.executable, "-B", *sys.argv])


if __name__ == "__main__":
    in_own_mount_namespace()
    unittest.main()
