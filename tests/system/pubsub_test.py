"""Channels of the stores, and client-side caches: who is told of a version reads it from then on.
"""

import json
import os
import tempfile
import threading
import unittest

from harness.programs import LARDER
from harness.scale import scaled
from harness.servers import start_larder
from harness.wire import WireError

KEYS = 50


def publish(path, version):
    with open(f"{path}.new", "w", encoding="utf-8") as out:
        for number in range(KEYS):
            record = {"key": f"key/{number}", "type": "string",
                      "string_record": {"value": f"{version}/{number}"}}
            out.write(json.dumps(record) + "\n")
    os.replace(f"{path}.new", path)


class CachingClient(threading.Thread):
    """Reads through a cache that only invalidations empty. A value that is older than one it has
    been told of is a mistake of the server."""

    def __init__(self, server):
        super().__init__()
        self.connection = server.connect(3)
        self.cache = {}
        self.invalidations = 0
        self.newest = 0
        self.wrong = []
        self.stopping = threading.Event()
        self.connection.call("CLIENT", "TRACKING", "ON")

    def read(self, key):
        self.connection.send(b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key))
        while True:
            reply = self.connection.read()
            if reply.kind != b">":
                return reply.text
            self.invalidations += 1
            self.cache.clear()
            self.newest += 1

    def run(self):
        number = 0
        while not self.stopping.is_set():
            number = (number + 1) % KEYS
            key = b"key/%d" % number
            value = self.cache.get(key) or self.read(key)
            self.cache[key] = value
            version = int(value.split(b"/")[0])
            # One invalidation a version: nothing older than what was invalidated may be read.
            if version < self.newest:
                self.wrong.append((self.newest, value))


class PubSub(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="larder-pubsub-")
        self.addCleanup(directory.cleanup)
        self.source = os.path.join(directory.name, "records.jsonl")
        publish(self.source, 0)
        self.server = self.enterContext(start_larder(
            LARDER, files=[self.source], arguments=["--threads", "2"]))
        self.operator = self.enterContext(self.server.connect())

    def command(self, *words):
        reply = self.operator.call(*words)
        self.assertFalse(reply.is_error, reply)

    def next_message(self, subscriber):
        kind, pattern, channel, text = subscriber.read().texts()
        self.assertEqual((kind, pattern, channel),
                         (b"pmessage", b"__larder__:*", b"__larder__:records"))
        return json.loads(text)

    def test_channels_announce_switches_rollbacks_and_what_was_refused(self):
        with self.server.connect() as subscriber:
            subscriber.call("PSUBSCRIBE", "__larder__:*")
            publish(self.source, 1)
            self.command("LARDER", "RELOAD", "records")
            self.assertEqual(self.next_message(subscriber), {
                "event": "switched", "store": "records", "previous": 1, "current": 2,
                "version": 2})
            self.command("LARDER", "ROLLBACK", "records")
            message = self.next_message(subscriber)
            self.assertEqual((message["event"], message["previous"], message["current"]),
                             ("rolled_back", 2, 1))
            self.command("LARDER", "UNPIN", "records")
            self.assertEqual(self.next_message(subscriber)["current"], 2)
            with open(self.source, "w", encoding="utf-8") as out:
                out.write("this is no record\n")
            self.assertTrue(self.operator.call("LARDER", "RELOAD", "records").is_error)
            message = self.next_message(subscriber)
            self.assertIn(message["event"], ("refused", "failed"))
            self.assertEqual(message["current"], 2)
            self.assertIn("reason", message)

    def test_a_cache_that_follows_invalidations_is_never_wrong(self):
        clients = [CachingClient(self.server) for _ in range(4)]
        for client in clients:
            client.start()
        switches = scaled(20, least=20)
        for version in range(1, switches + 1):
            publish(self.source, version)
            self.command("LARDER", "RELOAD", "records")
        for client in clients:
            client.stopping.set()
            client.join()
            # What a cache holds now is right once it has heard what was on its way.
            client.read(b"key/0")
            self.assertEqual(client.invalidations, switches)
            self.assertEqual(client.wrong, [])
            for number in range(KEYS):
                value = client.cache.get(b"key/%d" % number) or client.read(b"key/%d" % number)
                self.assertEqual(value, b"%d/%d" % (switches, number))
            client.connection.close()

    def test_the_server_ends_with_subscribers_monitors_and_waiting_clients(self):
        connections = [self.server.connect() for _ in range(4)]
        connections[0].call("SUBSCRIBE", "x")
        connections[1].call("MONITOR")
        connections[2].send(b"XREAD BLOCK 0 STREAMS nothing $\r\n")
        self.operator.call("CLIENT", "PAUSE", "100000000")
        connections[3].send(b"PING\r\n")
        self.assertEqual(self.server.stop(), 0)
        for connection in connections:
            with self.assertRaises((WireError, OSError)):
                while True:
                    connection.read()
            connection.close()


if __name__ == "__main__":
    unittest.main()
