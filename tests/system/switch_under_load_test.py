"""Replaces the file under a pipelined load, again and again: no error, no mixture, no way back.
"""

import json
import os
import subprocess
import tempfile
import unittest

from harness.programs import LARDER, LOAD, MAKE_RECORDS
from harness.scale import scaled
from harness.servers import start_larder

RECORDS = 20000


def publish(path, version):
    with open(f"{path}.new", "wb") as out:
        subprocess.run([MAKE_RECORDS, str(RECORDS), "--version", str(version)], stdout=out, check=True)
    os.replace(f"{path}.new", path)


class SwitchUnderLoad(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-switch-")
        self.addCleanup(directory.cleanup)
        self.source = os.path.join(directory.name, "records.jsonl")
        publish(self.source, 0)
        self.server = self.enterContext(start_larder(
            LARDER, files=[self.source], arguments=["--threads", "2"]))

    def start_load(self, workload):
        """Four connections, two a core, until it is told to end."""
        load = subprocess.Popen(
            [LOAD, "--port", str(self.server.port), "--connections", "4", "--pipeline", "16",
             "--workload", workload, "--records", str(RECORDS), "--seconds", "600",
             "--until-stdin-ends"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(load.kill)
        return load

    def end_load(self, load):
        out, _ = load.communicate(timeout=60)
        self.assertEqual(load.returncode, 0, out)
        return json.loads(out)

    def replace_under(self, workload, times):
        load = self.start_load(workload)
        with self.server.connect() as connection:
            for version in range(1, times + 1):
                publish(self.source, version)
                reply = connection.call("LARDER", "RELOAD", "records")
                self.assertFalse(reply.is_error, reply)
                # The reply means: every worker has moved on.
                value = connection.call("GET", "item:000000000000").text
                self.assertTrue(value.startswith(b"v%05d " % version), value)
        result = self.end_load(load)
        self.assertGreater(result["requests"], 0)
        for failure in ("errors", "wrong", "mixtures", "backwards"):
            self.assertEqual(result[failure], 0, result)
        # Every connection saw at least the last of the versions.
        self.assertGreaterEqual(result["versions_seen"], 4)

    def test_every_mget_is_of_one_version(self):
        self.replace_under("mget", scaled(50, least=5))

    def test_every_hgetall_is_of_one_version(self):
        self.replace_under("hgetall", scaled(10, least=3))

    def test_a_rollback_under_load_answers_when_all_have_moved(self):
        publish(self.source, 1)
        with self.server.connect() as connection, self.server.connect() as other:
            connection.call("LARDER", "RELOAD", "records")
            load = self.start_load("get")
            for _ in range(scaled(50, least=5)):
                for command, expected in ((["ROLLBACK", "records", "1"], b"v00000 "),
                                          (["UNPIN", "records"], b"v00001 ")):
                    reply = connection.call("LARDER", *command)
                    self.assertFalse(reply.is_error, reply)
                    for asked in (connection, other):
                        self.assertTrue(
                            asked.call("GET", "item:000000000000").text.startswith(expected))
            out, _ = load.communicate(timeout=60)
        result = json.loads(out)
        for failure in ("errors", "wrong", "mixtures"):
            self.assertEqual(result[failure], 0, result)


if __name__ == "__main__":
    unittest.main()
