"""TLS from outside: Python's ssl, redis-py, redis-cli and Larder's own command line."""

import contextlib
import os
import select
import socket
import ssl
import subprocess
import unittest

import redis

from system import records
from system.certificates import Certificates
from system.secured_server import SecuredServerTest, WAIT_SECONDS


def exchange(connection, request, reply_bytes):
    """Sends all and receives meanwhile, on one thread: an object of Python's ssl is not for two."""
    connection.setblocking(False)
    unsent = memoryview(request)
    received = bytearray()
    while len(received) < reply_bytes:
        sendable = [connection] if unsent else []
        if not connection.pending():
            ready = select.select([connection], sendable, [], WAIT_SECONDS)
            if not ready[0] and not ready[1]:
                raise TimeoutError(f"{len(received)} bytes of the reply, {len(unsent)} unsent")
        with contextlib.suppress(ssl.SSLWantReadError):
            part = connection.recv(1 << 20)
            if not part:
                raise ConnectionError(f"closed after {len(received)} bytes of the reply")
            received += part
        if unsent:
            with contextlib.suppress(ssl.SSLWantWriteError):
                unsent = unsent[connection.send(unsent[:1 << 16]):]
    return bytes(received)


class Tls(SecuredServerTest):
    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.file("tls"))
        self.certificate, self.key = self.certificates.make("server")

    def listener(self, more=""):
        return f"tls_certificate = 'tls/server.pem'\ntls_key = '{self.key}'\n{more}"

    def context(self, authority=None):
        return ssl.create_default_context(cafile=authority or self.certificates.authority)

    def open(self, context=None):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS)
        return (context or self.context()).wrap_socket(plain, server_hostname="127.0.0.1")

    def ping(self, connection):
        connection.sendall(b"PING\r\n")
        self.assertEqual(connection.recv(7), b"+PONG\r\n")

    def test_both_protocols_answer_and_older_ones_do_not(self):
        self.start(listener=self.listener())
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context()
            context.minimum_version = context.maximum_version = version
            with self.open(context) as connection:
                self.ping(connection)
                self.assertEqual(connection.version().replace(".", "_"), version.name)
        old = self.context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.open(old)

    def test_redis_py_reads_and_pipelines(self):
        self.start(listener=self.listener())
        client = redis.Redis(port=self.port, ssl=True, ssl_ca_certs=self.certificates.authority)
        self.addCleanup(client.close)
        key = records.key(0)
        expected = client.get(key)
        self.assertIsNotNone(expected)
        pipeline = client.pipeline(transaction=False)
        for _ in range(5000):
            pipeline.get(key)
        self.assertEqual(pipeline.execute(), [expected] * 5000)
        text = b"x" * (8 << 20)
        self.assertEqual(client.echo(text), text)

    def test_a_pipeline_larger_than_every_buffer(self):
        self.start(listener=self.listener())
        text = b"y" * 10_000
        request = b"*2\r\n$4\r\nECHO\r\n$%d\r\n%b\r\n" % (len(text), text)
        reply = b"$%d\r\n%b\r\n" % (len(text), text)
        count = 2000
        with self.open() as connection:
            received = exchange(connection, request * count, count * len(reply))
            self.assertEqual(received, reply * count)

    def test_redis_cli(self):
        helped = subprocess.run(["redis-cli", "--help"], capture_output=True, text=True, check=True)
        if "--tls" not in helped.stdout + helped.stderr:
            self.skipTest("this redis-cli has no TLS")
        self.start(listener=self.listener())
        said = subprocess.run(
            ["redis-cli", "-p", str(self.port), "--tls", "--cacert", self.certificates.authority,
             "PING"], capture_output=True, text=True, timeout=WAIT_SECONDS)
        self.assertEqual(said.stdout, "PONG\n")

    def test_certificates_are_read_again_under_open_connections(self):
        self.start(listener=self.listener())
        first = self.open()
        self.addCleanup(first.close)
        serial = first.getpeercert()["serialNumber"]
        self.certificates.make("server")
        self.reload()  # larder.toml is as it was
        self.ping(first)
        with self.open() as second:
            self.ping(second)
            self.assertNotEqual(second.getpeercert()["serialNumber"], serial)
            serial = second.getpeercert()["serialNumber"]
        # A key that is not its certificate's, nothing, and an unreadable file change nothing.
        other, other_key = self.certificates.make("other")
        with open(self.key, encoding="utf-8") as mine, open(other_key, encoding="utf-8") as theirs:
            good, bad = mine.read(), theirs.read()
        for content, reason in ((bad, "key values mismatch"), ("", self.key), (None, "No such file")):
            if content is None:
                os.remove(self.key)
            else:
                with open(self.key, "w", encoding="utf-8") as out:
                    out.write(content)
            self.reload("configuration refused")
            self.assertIn(reason, self.log().splitlines()[-1])
            with self.open() as still:
                self.ping(still)
                self.assertEqual(still.getpeercert()["serialNumber"], serial)
            checked = self.larder("check-config", self.config)
            self.assertEqual(checked.returncode, 2, checked.stdout)
            self.assertIn(self.key, checked.stderr)
        with open(self.key, "w", encoding="utf-8") as out:
            out.write(good)
        self.assertEqual(self.larder("check-config", self.config).returncode, 0)
        self.assertTrue(other)
        self.ping(first)

    def test_a_client_needs_a_certificate_where_one_is_asked_for(self):
        self.start(listener=self.listener(f"tls_client_ca = '{self.certificates.authority}'"))
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            with self.open() as connection:
                self.ping(connection)
        certificate, key = self.certificates.make("client")
        context = self.context()
        context.load_cert_chain(certificate, key)
        with self.open(context) as connection:
            self.ping(connection)

    def test_plain_text_is_closed_with_one_line_at_level_debug(self):
        self.start(listener=self.listener())
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS) as plain:
            plain.sendall(b"*1\r\n$4\r\nPING\r\n")
            while plain.recv(100):
                pass
        self.await_log("closed: TLS: ")
        self.assertEqual(self.log().count("closed: TLS: "), 1)
        with self.open() as connection:
            self.ping(connection)

    def test_the_command_line_speaks_tls(self):
        self.start(listener=self.listener())
        key = records.key(0)
        # The configuration says everything.
        told = self.larder("versions", "main", "--config", self.config)
        self.assertEqual(told.returncode, 0, told.stderr)
        server = ("--server", self.address)
        trusted = ("--tls-ca", self.certificates.authority)
        told = self.larder("get", "main", key, *server, *trusted)
        self.assertEqual(told.returncode, 0, told.stderr)
        for arguments, advice in (
                ((), "--tls"),
                (("--tls",), "--tls-ca"),
                ((*trusted, "--tls-name", "larder.example"), "--tls-name")):
            told = self.larder("get", "main", key, *server, *arguments)
            self.assertEqual(told.returncode, 1, told.stdout)
            self.assertIn(advice, told.stderr)

    def test_the_command_line_says_when_a_server_is_plain(self):
        self.start()
        told = self.larder("get", "main", records.key(0), "--server", self.address, "--tls")
        self.assertEqual(told.returncode, 1)
        self.assertIn("does not answer TLS", told.stderr)


if __name__ == "__main__":
    unittest.main()
