"""redis-cli as people use it: one command, pipes, RESP3, its formats, and every one of its modes;
what it cannot do with a read-only server is refused, and it ends."""

import contextlib
import json
import os
import subprocess
import tempfile
import unittest

import client_data
import client_sources

SECONDS = 60
READ_ONLY = "READONLY You can't write against a read only replica."


class RedisCliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack = cls.enterClassContext(contextlib.ExitStack())
        cls.source = client_sources.start(stack)
        cls.records = list(client_data.records(1))

    def run_cli(self, *arguments, standard_input=""):
        return subprocess.run(
            ["redis-cli", "-p", str(self.source.server.port), *arguments], timeout=SECONDS,
            input=standard_input, capture_output=True, text=True, check=False)

    def cli(self, *arguments, standard_input=""):
        """What it prints; it says nothing on standard error and ends with 0."""
        done = self.run_cli(*arguments, standard_input=standard_input)
        self.assertEqual((done.stderr, done.returncode), ("", 0), done.stdout)
        return done.stdout

    def first_lines(self, count, *arguments):
        """The beginning of what a mode prints that does not end by itself."""
        with tempfile.TemporaryFile("w+") as errors, subprocess.Popen(
                ["stdbuf", "-oL", "redis-cli", "-p", str(self.source.server.port), *arguments],
                text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as cli:
            try:
                lines = [cli.stdout.readline() for _ in range(count)]
            finally:
                cli.kill()
            errors.seek(0)
            self.assertEqual(errors.read(), "")
        return lines

    # ---- One command after the other

    def test_commands(self):
        self.assertEqual(self.cli("PING"), "PONG\n")
        self.assertEqual(self.cli("GET", "string"), "hello ☃\n")
        self.assertEqual(self.cli("LRANGE", "list", "0", "1"), "a\nb\n")
        self.assertEqual(self.cli("--no-raw", "GET", "missing"), "(nil)\n")
        self.assertEqual(self.cli("-r", "3", "-i", "0.01", "PING"), "PONG\n" * 3)

    def test_resp3(self):
        self.assertEqual(self.cli("-3", "--no-raw", "ZSCORE", "zset", "b"), "(double) 2.5\n")
        self.assertIn("1# \"a\" => \"1\"", self.cli("-3", "--no-raw", "HGETALL", "hash"))

    def test_formats(self):
        self.assertEqual(self.cli("--csv", "LRANGE", "list", "0", "-1"), '"a","b","c","a"\n')
        self.assertEqual(json.loads(self.cli("--json", "HGETALL", "hash")),
                         {"a": "1", "b": "two", "": "empty"})
        self.assertEqual(json.loads(self.cli("--json", "ZRANGE", "zset", "0", "1", "WITHSCORES")),
                         [["a", 1], ["b", 2.5]])
        self.assertEqual(self.cli("--quoted-json", "GET", "string"),
                         '"hello \\\\xe2\\\\x98\\\\x83"\n')

    def test_commands_on_standard_input(self):
        lines = "".join(f"GET item/{i}\n" for i in range(50))
        values = [value.split(" of ")[1] for value in
                  self.cli(standard_input=lines).splitlines()]
        self.assertEqual(values, [str(i) for i in range(50)])

    def test_transaction_on_standard_input(self):
        self.assertEqual(
            self.cli(standard_input="MULTI\nGET string\nSTRLEN empty\nEXEC\nMULTI\nDISCARD\n"),
            "OK\nQUEUED\nQUEUED\nhello ☃\n0\nOK\nOK\n")

    def test_errors(self):
        self.assertEqual(self.cli("SET", "string", "x"), READ_ONLY + "\n\n")
        self.assertTrue(self.cli("GET", "hash").startswith("WRONGTYPE"))
        self.assertTrue(self.cli("NOSUCH").startswith("ERR unknown command 'NOSUCH'"))
        refused = self.run_cli("-e", "SET", "string", "x")
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn(READ_ONLY, refused.stderr)

    def test_help_of_commands_is_asked_of_the_server(self):
        self.assertRegex(self.cli("help", "get"), r"GET.*\n.*summary:.*\n.*since:.* 1\.0\.0")

    def test_zz_switch_under_an_open_connection(self):
        with subprocess.Popen(["redis-cli", "-p", str(self.source.server.port)], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cli:
            def ask(line):
                cli.stdin.write(line + "\n")
                cli.stdin.flush()
                return cli.stdout.readline().strip()
            self.assertEqual(ask("GET version"), "version 1")
            self.source.publish_next()
            while ask("GET version") != "version 2":
                pass
            cli.stdin.close()

    # ---- Modes that look at all keys

    def test_scan(self):
        keys = self.cli("--scan").split()
        self.assertEqual(sorted(keys), sorted(record["key"] for record in self.records))
        keys = self.cli("--scan", "--pattern", "item/*").split()
        self.assertEqual(len(keys), client_data.KEYS)
        self.assertEqual(len(set(keys)), client_data.KEYS)

    def test_bigkeys(self):
        told = self.cli("--bigkeys")
        self.assertIn('Biggest string found \'"large"\' has 200000 bytes', told)
        self.assertIn('Biggest   hash found \'"bighash"\' has 500 fields', told)
        self.assertIn("2 zsets with 503 members", told)

    def test_memkeys(self):
        told = self.cli("--memkeys")
        self.assertRegex(told, r"Biggest string found '\"large\"' has 2\d{5} bytes")
        self.assertRegex(told, r"1 lists with [1-9]\d* bytes")

    def test_hotkeys_wants_a_policy_that_counts(self):
        refused = self.run_cli("--hotkeys")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("ERR An LFU maxmemory policy is not selected", refused.stderr)

    # ---- Modes that measure

    def test_stat(self):
        lines = self.first_lines(5, "--stat", "-i", "0.01")
        self.assertRegex(lines[0], "-+ data -+ -+ load -+")
        self.assertRegex(lines[2], r"^311 +[\d.]+[KMG] +\d+ +0 +\d+ \(\+0\) +\d+")
        self.assertRegex(lines[4], r"^311 .*\(\+1\)")

    def test_latency(self):
        for arguments in (["--latency"], ["--latency", "--csv"]):
            self.assertRegex(self.cli(*arguments, "-i", "0.05"), r"^\d+[ ,]\d+[ ,][\d.]+[ ,]\d+\n$")

    def test_latency_history(self):
        # A line for each sample, every 10 ms, and one for every range of 50 ms.
        sample, ended = r"\d+ \d+ [\d.]+ \d+", r" -- [\d.]+ seconds range"
        lines = self.first_lines(12, "--latency-history", "--raw", "-i", "0.05")
        for line in lines:
            self.assertRegex(line, rf"^({sample}|{ended})\n$")
        self.assertRegex(lines[0], rf"^{sample}\n$")
        self.assertRegex("".join(lines), ended)

    def test_latency_dist(self):
        self.assertRegex(self.first_lines(2, "--latency-dist", "-i", "0.05")[1],
                         r"^\. - \* # .* milliseconds")

    # ---- Modes that listen

    def test_subscribe(self):
        self.assertEqual(self.first_lines(3, "SUBSCRIBE", "news"), ["subscribe\n", "news\n", "1\n"])

    def test_monitor(self):
        with subprocess.Popen(
                ["stdbuf", "-oL", "redis-cli", "-p", str(self.source.server.port), "MONITOR"],
                text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as cli:
            try:
                self.assertEqual(cli.stdout.readline(), "OK\n")
                self.cli("GET", "string")
                self.assertRegex(cli.stdout.readline(),
                                 r'^[\d.]+ \[0 127\.0\.0\.1:\d+\] "GET" "string"$')
            finally:
                cli.kill()

    # ---- What a read-only server refuses

    def test_pipe_mode_counts_refused_writes(self):
        done = self.run_cli("--pipe", standard_input="SET a b\r\nPING\r\n")
        self.assertIn("errors: 1, replies: 2", done.stdout)
        self.assertIn("READONLY", done.stdout + done.stderr)
        self.assertEqual(done.returncode, 1)

    def refused(self, *arguments, error):
        done = self.run_cli(*arguments)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout + done.stderr, error)

    def test_eval_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write("return redis.call('get', KEYS[1])")
            script.flush()
            self.assertRegex(self.cli("--eval", script.name, "string"), "^ERR ")

    def test_cluster_check_is_refused(self):
        self.refused("--cluster", "check", f"127.0.0.1:{self.source.server.port}",
                     error="is not configured as a cluster node")

    def test_replication_is_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            dump = os.path.join(directory, "dump.rdb")
            for mode in (["--rdb", dump], ["--functions-rdb", dump], ["--replica"]):
                with self.subTest(mode[0]):
                    self.refused(*mode, error="(?i)(SYNC|ERR)")
                    self.assertFalse(os.path.exists(dump) and os.path.getsize(dump) > 0)


if __name__ == "__main__":
    unittest.main()
