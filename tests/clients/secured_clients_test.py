"""Clients that authenticate, that speak TLS, and that are refused: redis-py, redis-cli,
redis-benchmark and the listener with read_only_error = "NOPERM"."""

import contextlib
import hashlib
import os
import subprocess
import unittest

import redis

import client_sources
from harness.servers import free_port

ADMIN_PASSWORD = "open sesame"
READER_PASSWORD = "please"


def make_certificates(directory):
    """An authority, and a certificate of it for 127.0.0.1."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    with open(os.path.join(directory, "server.ext"), "w", encoding="ascii") as names:
        names.write("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "2",
            "-CAcreateserial", "-extfile", "server.ext", "-out", "server.crt")


class SecuredSource(client_sources.LarderSource):
    """Passwords, and two more listeners: one with TLS, one that refuses writes with NOPERM."""

    def configuration(self, port):
        if not os.path.exists(os.path.join(self.directory, "server.crt")):
            make_certificates(self.directory)
        self.tls_port = free_port()
        self.noperm_port = free_port()
        return super().configuration(port) + f"""
            [[listener]]
            address = "127.0.0.1:{self.tls_port}"
            tls_certificate = "server.crt"
            tls_key = "server.key"
            [[listener]]
            address = "127.0.0.1:{self.noperm_port}"
            read_only_error = "NOPERM"
            [[user]]
            name = "reader"
            password_sha256 = "{hashlib.sha256(READER_PASSWORD.encode()).hexdigest()}"
            commands = ["read"]
            """


class SecuredClientsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = SecuredSource(cls.enterClassContext(contextlib.ExitStack()), ADMIN_PASSWORD)
        cls.authority = os.path.join(cls.source.directory, "ca.crt")

    def connect(self, port=None, **more):
        client = redis.Redis(host="127.0.0.1", port=port or self.source.server.port, **more)
        self.addCleanup(client.close)
        return client

    def tls(self, **more):
        return self.connect(self.source.tls_port, ssl=True, ssl_ca_certs=self.authority,
                            ssl_check_hostname=True, **more)

    # ---- redis-py

    def test_a_password_opens(self):
        client = self.connect(password=ADMIN_PASSWORD)
        self.assertEqual(client.get("version"), b"version 1")
        self.assertEqual(client.acl_whoami(), "default")
        self.assertEqual(client.execute_command("LARDER", "RELOAD", "records") is not None, True)

    def test_a_named_user_reads_and_does_not_administer(self):
        client = self.connect(username="reader", password=READER_PASSWORD)
        self.assertEqual(client.get("version"), b"version 1")
        self.assertEqual(client.acl_whoami(), "reader")
        with self.assertRaises(redis.exceptions.NoPermissionError):
            client.config_set("maxclients", 10)
        self.assertTrue(client.ping())

    def test_wrong_passwords_are_refused(self):
        for wrong in ({"password": "wrong"}, {"username": "reader", "password": ADMIN_PASSWORD}):
            with self.assertRaisesRegex(redis.exceptions.ResponseError, "^WRONGPASS "):
                self.connect(**wrong).ping()
        with self.assertRaises(redis.exceptions.AuthenticationError):
            self.connect().ping()

    def test_tls(self):
        client = self.tls(password=ADMIN_PASSWORD)
        self.assertEqual(client.get("large"), b"x" * 200000)
        pipeline = client.pipeline(transaction=True)
        for i in range(300):
            pipeline.get(f"item/{i}")
        self.assertEqual(len(pipeline.execute()), 300)
        with client.pubsub() as channels:
            channels.subscribe("news")
            self.assertEqual(channels.get_message(timeout=60)["type"], "subscribe")
            self.assertEqual(client.publish("news", "tea is ready"), 1)
            self.assertEqual(channels.get_message(timeout=60)["data"], b"tea is ready")

    def test_a_plain_client_is_turned_away_from_a_tls_listener(self):
        with self.assertRaises(redis.exceptions.ConnectionError):
            self.connect(self.source.tls_port, password=ADMIN_PASSWORD).ping()
        self.assertTrue(self.tls(password=ADMIN_PASSWORD).ping())

    def test_noperm_listener_keeps_the_connection(self):
        client = self.connect(self.source.noperm_port, password=ADMIN_PASSWORD,
                              single_connection_client=True)
        before = client.client_id()
        with self.assertRaises(redis.exceptions.NoPermissionError):
            client.set("string", "x")
        with self.assertRaises(redis.exceptions.ReadOnlyError):
            self.connect(password=ADMIN_PASSWORD).set("string", "x")
        self.assertEqual(client.client_id(), before)

    # ---- Tools

    def run_tool(self, *command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        return done.stdout, done.stderr, done.returncode

    def test_redis_cli(self):
        cli = ["redis-cli", "--no-auth-warning"]
        plain = [*cli, "-p", str(self.source.server.port)]
        over_tls = [*cli, "-p", str(self.source.tls_port), "--tls", "--cacert", self.authority]
        for connection in (plain, over_tls):
            for user in (["-a", ADMIN_PASSWORD], ["--user", "reader", "-a", READER_PASSWORD],
                         ["-3", "--user", "reader", "--pass", READER_PASSWORD]):
                self.assertEqual(self.run_tool(*connection, *user, "GET", "version"),
                                 ("version 1\n", "", 0))
        self.assertEqual(self.run_tool(*plain, "GET", "version")[0],
                         "NOAUTH Authentication required.\n\n")
        out, errors, _ = self.run_tool(*plain, "-a", "wrong", "GET", "version")
        self.assertIn("AUTH failed: WRONGPASS", out + errors)
        self.assertIn("NOAUTH", out)

    def test_redis_benchmark(self):
        for connection in (["-p", str(self.source.server.port)],
                           ["-p", str(self.source.tls_port), "--tls", "--cacert", self.authority]):
            out, errors, status = self.run_tool(
                "redis-benchmark", *connection, "-a", ADMIN_PASSWORD, "-n", "500", "-c", "5",
                "-q", "-t", "get")
            self.assertEqual((errors, status), ("", 0))
            self.assertRegex(out, r"GET: [\d.]+ requests per second")


if __name__ == "__main__":
    unittest.main()
