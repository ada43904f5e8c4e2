"""redis-cli as people use it: one command, pipes, --scan, -3, errors, --raw; and a switch."""

import subprocess
import tempfile
import unittest

import client_data


class RedisCliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = directory.name
        cls.server = cls.enterClassContext(client_data.serve(cls.directory))

    def cli(self, *arguments, standard_input=""):
        done = subprocess.run(["redis-cli", "-p", str(self.server.port), *arguments], timeout=60,
                              input=standard_input, capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def test_commands(self):
        self.assertEqual(self.cli("PING"), "PONG\n")
        self.assertEqual(self.cli("GET", "string"), "hello ☃\n")
        self.assertEqual(self.cli("LRANGE", "list", "0", "1"), "a\nb\n")
        self.assertEqual(self.cli("--no-raw", "GET", "missing"), "(nil)\n")

    def test_resp3(self):
        self.assertEqual(self.cli("-3", "--no-raw", "ZSCORE", "zset", "b"), "(double) 2.5\n")
        self.assertIn("1# \"a\" => \"1\"", self.cli("-3", "--no-raw", "HGETALL", "hash"))

    def test_scan(self):
        keys = self.cli("--scan", "--pattern", "item/*").split()
        self.assertEqual(len(keys), client_data.KEYS)
        self.assertEqual(len(set(keys)), client_data.KEYS)

    def test_commands_on_standard_input(self):
        lines = "".join(f"GET item/{i}\n" for i in range(50))
        values = self.cli(standard_input=lines).splitlines()
        self.assertEqual(values, [f"version 1 of {i}" for i in range(50)])

    def test_pipe_mode_counts_refused_writes(self):
        output = subprocess.run(
            ["redis-cli", "-p", str(self.server.port), "--pipe"], input="SET a b\r\nPING\r\n",
            capture_output=True, text=True, timeout=60, check=False)
        self.assertIn("errors: 1, replies: 2", output.stdout)
        self.assertIn("READONLY", output.stdout + output.stderr)

    def test_errors(self):
        self.assertEqual(self.cli("SET", "string", "x"),
                         "READONLY You can't write against a read only replica.\n\n")
        self.assertTrue(self.cli("GET", "hash").startswith("WRONGTYPE"))
        self.assertTrue(self.cli("NOSUCH").startswith("ERR unknown command 'NOSUCH'"))

    def test_zz_switch_under_an_open_connection(self):
        with subprocess.Popen(["redis-cli", "-p", str(self.server.port)], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cli:
            def ask(line):
                cli.stdin.write(line + "\n")
                cli.stdin.flush()
                return cli.stdout.readline().strip()
            self.assertEqual(ask("GET version"), "version 1")
            client_data.publish(self.directory, 2)
            self.cli("LARDER", "RELOAD", client_data.NAME)
            self.assertEqual(ask("GET version"), "version 2")
            cli.stdin.close()


if __name__ == "__main__":
    unittest.main()
