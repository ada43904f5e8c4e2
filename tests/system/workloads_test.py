"""Every workload of bench/ for a moment on small records, beside Redis: no error and no wrong reply; and
the load generator itself notices records that are not what they should be.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from harness.programs import LARDER, LOAD, MAKE_RECORDS
from harness.servers import start_larder, start_redis

sys.path.insert(0, os.path.join(os.environ["LARDER_SOURCE_DIR"], "bench"))

import plot  # noqa: E402
from workloads import WORKLOADS  # noqa: E402

ELEMENTS = 300  # more than a table of members needs, and several pages of a walk


def shrunk(arguments):
    """The arguments of a data set, with fewer elements."""
    words = list(arguments)
    for name, most in (("--elements", ELEMENTS), ("--value-bytes", 100_000)):
        if name in words:
            at = words.index(name) + 1
            words[at] = str(min(int(words[at]), most))
    return words


def records_of(data):
    return min(data.records or 400, 400)


def with_twice(arguments, records):
    """What a load believes that is wrong about the records: twice as many elements, or keys."""
    words = shrunk(arguments)
    if "--elements" not in words:
        return words, records * 2
    at = words.index("--elements") + 1
    return [*words[:at], str(2 * int(words[at])), *words[at + 1:]], records


class Workloads(unittest.TestCase):
    """One server with the records of each data set, as long as that set's workloads last."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-workloads-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def make(self, data, *more):
        return [MAKE_RECORDS, str(records_of(data)), *shrunk(data.arguments), *more]

    def load(self, port, workload, shape, records, *more):
        """The report of a short load, and its exit status."""
        words = workload.load_arguments("larder")[len(workload.data.arguments):]
        done = subprocess.run(
            [LOAD, "--port", str(port), "--connections", "4", "--records", str(records), "--seconds", "0.01",
             "--least-requests", "400", "--warmup-seconds", "0", *shape, *words, *more], capture_output=True, text=True, check=False)
        self.assertTrue(done.stdout, f"{workload.name}: {done.stderr}")
        return json.loads(done.stdout), done

    def assert_right(self, port, workload, *more):
        data = workload.data
        report, done = self.load(port, workload, shrunk(data.arguments), records_of(data), *more)
        self.assertEqual(done.returncode, 0, f"{workload.name}: {done.stderr}")
        self.assertGreater(report["requests"], 0, workload.name)
        for failure in ("errors", "wrong", "mixtures", "backwards"):
            self.assertEqual(report[failure], 0, f"{workload.name}: {report}")

    def by_data(self):
        groups = {}
        for workload in WORKLOADS.values():
            groups.setdefault(workload.data, []).append(workload)
        return groups.items()

    def test_larder_answers_every_workload_as_the_records_say(self):
        for data, workloads in self.by_data():
            path = os.path.join(self.directory, f"{data.name}.jsonl")
            with open(path, "wb") as out:
                subprocess.run(self.make(data), stdout=out, check=True)
            with start_larder(LARDER, files=[path]) as server:
                for workload in workloads:
                    with self.subTest(workload=workload.name):
                        self.assert_right(server.port, workload)
                self.assert_mistakes_are_seen(server.port, workloads)
                if data.name == "mixed":
                    self.assert_right(server.port, WORKLOADS["get-p1"], "--rate", "2000")
                    self.assert_right(server.port, WORKLOADS["mget10-p16"], "--hit-ratio", "0.5", "--zipf", "1")

    def assert_mistakes_are_seen(self, port, workloads):
        """A load that believes in records that are not there finds every workload's replies wrong."""
        for workload in workloads:
            if workload.name == "get-miss-p16":
                continue  # asks for what neither has
            with self.subTest(workload=workload.name):
                shape, records = with_twice(workload.data.arguments, records_of(workload.data))
                report, done = self.load(port, workload, shape, records)
                self.assertNotEqual(done.returncode, 0)
                self.assertGreater(report["wrong"], 0, workload.name)

    def test_redis_answers_the_same(self):
        for data, workloads in self.by_data():
            with start_redis() as server:
                with subprocess.Popen(self.make(data, "--resp"), stdout=subprocess.PIPE) as source:
                    subprocess.run(["redis-cli", "-p", str(server.port), "--pipe"], stdin=source.stdout,
                                   stdout=subprocess.DEVNULL, check=True)
                for workload in workloads:
                    with self.subTest(workload=workload.name):
                        self.assert_right(server.port, workload)


class Plots(unittest.TestCase):
    def test_the_plots_are_those_of_the_committed_results(self):
        root = os.environ["LARDER_SOURCE_DIR"]
        with open(os.path.join(root, "bench", "results", "2-core.json"), encoding="utf-8") as file:
            drawn = plot.draw_all(json.load(file))
        for name, svg in drawn.items():
            with open(os.path.join(root, "docs", "plots", name), encoding="utf-8") as file:
                self.assertEqual(file.read(), svg, f"{name}: draw it anew with bench/plot.py")


if __name__ == "__main__":
    unittest.main()
