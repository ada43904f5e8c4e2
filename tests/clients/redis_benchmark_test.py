"""redis-benchmark: its reading tests run through, those that write end with the server's error."""

import contextlib
import csv
import io
import subprocess
import unittest

import client_sources


class RedisBenchmarkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = client_sources.start(cls.enterClassContext(contextlib.ExitStack()))

    def run_benchmark(self, *arguments):
        return subprocess.run(
            ["redis-benchmark", "-p", str(self.source.server.port), "-n", "1000", "-c", "5",
             *arguments], timeout=60, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False)

    def measured(self, *arguments):
        """The requests per second of every test, by its name."""
        done = self.run_benchmark("--csv", *arguments)
        self.assertEqual((done.stderr, done.returncode), ("", 0), done.stdout)
        return {row["test"]: float(row["rps"]) for row in csv.DictReader(io.StringIO(done.stdout))}

    def test_reading_tests(self):
        for more in ([], ["-P", "16"], ["--threads", "2"], ["-3"], ["-r", "1000"]):
            with self.subTest(more):
                rates = self.measured("-t", "ping,get", *more)
                self.assertEqual(sorted(rates), ["GET", "PING_INLINE", "PING_MBULK"])
                self.assertTrue(all(rate > 0 for rate in rates.values()), rates)

    def test_a_command_of_ones_own(self):
        self.assertEqual(list(self.measured("HGETALL", "hash")), ["HGETALL hash"])
        self.assertEqual(list(self.measured("-P", "8", "MGET", "item/1", "item/2")),
                         ["MGET item/1 item/2"])

    def test_quiet(self):
        done = self.run_benchmark("-q", "-t", "get")
        self.assertEqual((done.stderr, done.returncode), ("", 0))
        self.assertRegex(done.stdout, r"GET: [\d.]+ requests per second")

    def test_writing_tests_end_with_the_error(self):
        for tests in ("set", "incr", "lpush", "hset", "mset", "lrange_100"):
            with self.subTest(tests):
                done = self.run_benchmark("-t", tests)
                self.assertEqual(done.returncode, 1)
                self.assertIn("Error from server: READONLY You can't write against a read only "
                              "replica.", done.stderr)


if __name__ == "__main__":
    unittest.main()
