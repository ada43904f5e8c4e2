"""redis-py, with its own parser and with hiredis: handshake, reads, pipelines, transactions, scans,
channels, errors, twenty switches."""

import contextlib
import json
import threading
import unittest

import redis
from redis.connection import Connection, HiredisParser, PythonParser

import client_data
import client_sources

DATA_COUNT = sum(1 for _ in client_data.records(1))


class RedisPyTests:
    """Run for each parser by the classes below."""

    parser = None

    @classmethod
    def setUpClass(cls):
        stack = cls.enterClassContext(contextlib.ExitStack())
        cls.source = client_sources.start(stack)

    def setUp(self):
        self.client = self.connect()

    def connect(self):
        pool = redis.ConnectionPool(connection_class=Connection, host="127.0.0.1",
                                    port=self.source.server.port, parser_class=self.parser,
                                    client_name="redis-py-test", health_check_interval=1)
        self.addCleanup(pool.disconnect)
        return redis.Redis(connection_pool=pool, decode_responses=False)

    def test_handshake_names_the_connection(self):
        self.assertTrue(self.client.ping())
        self.assertEqual(self.client.client_getname(), "redis-py-test")
        self.assertIsInstance(self.client.client_id(), int)
        self.assertTrue(any(line["name"] == "redis-py-test" for line in self.client.client_list()))
        self.assertEqual(self.client.echo("x"), b"x")

    def test_generic_reads(self):
        self.assertEqual(self.client.exists("string", "missing", "hash"), 2)
        self.assertEqual(self.client.type("zset"), b"zset")
        self.assertEqual(self.client.ttl("string"), -1)
        self.assertEqual(self.client.pttl("missing"), -2)
        self.assertEqual(self.client.dbsize(), DATA_COUNT)
        self.assertEqual(len(self.client.keys("item/*")), client_data.KEYS)
        self.assertTrue(self.client.exists(self.client.randomkey()))

    def test_string_reads(self):
        self.assertEqual(self.client.get("string"), "hello ☃".encode())
        self.assertEqual(self.client.get("large"), b"x" * 200000)
        self.assertIsNone(self.client.get("missing"))
        self.assertEqual(self.client.mget("empty", "missing"), [b"", None])
        self.assertEqual(self.client.strlen("large"), 200000)
        self.assertEqual(self.client.getrange("string", 0, 3), b"hell")

    def test_hash_reads(self):
        self.assertEqual(self.client.hget("hash", "b"), b"two")
        self.assertEqual(self.client.hmget("hash", "a", "none"), [b"1", None])
        self.assertEqual(self.client.hgetall("hash"), {b"a": b"1", b"b": b"two", b"": b"empty"})
        self.assertEqual(sorted(self.client.hkeys("hash")), [b"", b"a", b"b"])
        self.assertEqual(sorted(self.client.hvals("hash")), [b"1", b"empty", b"two"])
        self.assertEqual(self.client.hlen("bighash"), 500)
        self.assertTrue(self.client.hexists("hash", "a"))
        self.assertEqual(len(self.client.hgetall("bighash")), 500)

    def test_list_and_set_reads(self):
        self.assertEqual(self.client.llen("list"), 4)
        self.assertEqual(self.client.lindex("list", -2), b"c")
        self.assertEqual(self.client.lrange("list", 0, -1), [b"a", b"b", b"c", b"a"])
        self.assertEqual(self.client.scard("set"), 3)
        self.assertTrue(self.client.sismember("set", "a"))
        self.assertEqual(self.client.smembers("set"), {b"a", b"b", b"c"})

    def test_sorted_set_reads(self):
        infinity = float("inf")
        self.assertEqual(self.client.zcard("zset"), 3)
        self.assertEqual(self.client.zscore("zset", "b"), 2.5)
        self.assertEqual(self.client.zrank("zset", "c"), 2)
        self.assertEqual(self.client.zcount("zset", "(1", "+inf"), 2)
        self.assertEqual(self.client.zrange("zset", 0, -1, withscores=True),
                         [(b"a", 1.0), (b"b", 2.5), (b"c", infinity)])
        self.assertEqual(self.client.zrange("zset", 3, 1, desc=True, byscore=True), [b"b", b"a"])
        self.assertEqual(self.client.zrange("zset", "-", "+", bylex=True, offset=1, num=1), [b"b"])

    def test_scans_return_everything_once(self):
        self.assertEqual(len(list(self.client.scan_iter(count=7))), DATA_COUNT)
        self.assertEqual(len(list(self.client.scan_iter("item/*"))), client_data.KEYS)
        self.assertEqual(list(self.client.scan_iter(_type="list")), [b"list"])
        self.assertEqual(len(dict(self.client.hscan_iter("bighash", count=7))), 500)
        self.assertEqual(len(list(self.client.sscan_iter("bigset", count=7))), 500)
        self.assertEqual(len(dict(self.client.zscan_iter("bigzset", count=7))), 500)

    def test_pipelines(self):
        pipeline = self.client.pipeline(transaction=False)
        for i in range(client_data.KEYS):
            pipeline.get(f"item/{i}")
        values = pipeline.execute()
        self.assertTrue(all(value.endswith(f" of {i}".encode()) for i, value in enumerate(values)))

    def test_errors_become_the_clients_exceptions(self):
        with self.assertRaises(redis.exceptions.ReadOnlyError):
            self.client.set("string", "x")
        with self.assertRaises(redis.exceptions.ReadOnlyError):
            self.client.delete("string")
        with self.assertRaisesRegex(redis.exceptions.ResponseError, "WRONGTYPE"):
            self.client.get("hash")
        with self.assertRaisesRegex(redis.exceptions.ResponseError, "unknown command"):
            self.client.execute_command("NOSUCH", "x")
        with self.assertRaises(redis.exceptions.ResponseError):
            self.client.execute_command("SELECT", 99)

    def test_server_tells_of_itself(self):
        info = self.client.info()
        self.assertIn("redis_version", info)
        self.assertEqual(info["db0"]["keys"], DATA_COUNT)
        self.assertIn("maxclients", self.client.config_get("maxclients"))
        self.assertEqual(len(self.client.time()), 2)
        self.assertIn("get", self.client.command())
        self.assertGreater(self.client.command_count(), 40)

    def test_transactions(self):
        with self.client.pipeline(transaction=True) as transaction:
            values = transaction.get("string").hmget("hash", "b").exists("missing").execute()
        self.assertEqual(values, ["hello ☃".encode(), [b"two"], 0])
        with self.client.pipeline() as transaction:
            transaction.watch("version")
            version = transaction.get("version")
            transaction.multi()
            self.assertEqual(transaction.get("version").execute(), [version])
        with self.client.pipeline(transaction=True) as transaction:
            with self.assertRaises(redis.exceptions.ReadOnlyError):
                transaction.get("string").set("string", "x").execute()
        self.assertTrue(self.client.ping())

    def test_messages_come_from_other_connections(self):
        with self.client.pubsub() as channels:
            channels.subscribe("news")
            channels.psubscribe("n[a-f]ws")
            self.assertEqual([self.message_of(channels) for _ in range(2)],
                             [("subscribe", b"news", 1), ("psubscribe", b"n[a-f]ws", 2)])
            self.assertEqual(self.client.pubsub_numsub("news"), [(b"news", 1)])
            self.assertEqual(self.client.publish("news", "tea is ready"), 2)
            self.assertEqual([self.message_of(channels) for _ in range(2)],
                             [("message", b"news", b"tea is ready"),
                              ("pmessage", b"news", b"tea is ready")])
            self.assertTrue(channels.ping() is None)
            self.assertEqual(self.message_of(channels)[0], "pong")
            channels.unsubscribe()
            self.assertEqual(self.message_of(channels), ("unsubscribe", b"news", 1))

    @staticmethod
    def message_of(channels):
        message = channels.get_message(timeout=60)
        return message["type"], message["channel"], message["data"]

    def test_scan_across_a_switch_misses_nothing(self):
        if client_sources.AGAINST != "larder":
            self.skipTest("Redis begins a scan of a new dataset anew")
        found = []
        cursor = 0
        for step in range(1000):
            if step == 3:
                self.source.publish_next()
            cursor, keys = self.client.scan(cursor, match="item/*", count=10)
            found += keys
            if cursor == 0:
                break
        self.assertEqual(len(found), client_data.KEYS)
        self.assertEqual(len(set(found)), client_data.KEYS)

    def follow_switches(self, client, until, seen):
        """Reads until version `until`: what every request and transaction returns is of one."""
        names = [f"item/{i}" for i in range(100)]
        last = 0
        while last < until:
            with client.pipeline(transaction=True) as transaction:
                version, first, hundred = (
                    transaction.get("version").get(names[0]).get(names[99]).execute())
            self.assertEqual([first, hundred], [version + b" of 0", version + b" of 99"])
            (version,) = {value.split(b" of ")[0] for value in client.mget(names)}
            now = int(version.removeprefix(b"version "))
            self.assertGreaterEqual(now, last)
            last = now
            seen(now)

    def test_twenty_switches_under_load(self):
        first = self.source.version
        done = []
        reached = threading.Condition()
        reading = [0]

        def seen(version):
            with reached:
                reading[0] = version
                reached.notify_all()

        def load():
            self.follow_switches(self.connect(), first + 20, seen)
            done.append(True)

        with self.client.pubsub(ignore_subscribe_messages=True) as channels:
            channels.psubscribe(client_sources.CHANNELS)
            self.assertIsNone(channels.get_message(timeout=60))
            reader = threading.Thread(target=load, daemon=True)
            reader.start()
            for version in range(first, first + 20):
                with reached:
                    self.assertTrue(reached.wait_for(lambda: reading[0] >= version, timeout=60))
                self.source.publish_next()
            reader.join(timeout=60)
            self.assertEqual(done, [True])
            told = [self.message_of(channels) for _ in range(20)]
        self.assertEqual({(kind, channel) for kind, channel, _ in told},
                         {("pmessage", b"__larder__:records")})
        if client_sources.AGAINST == "larder":
            versions = [json.loads(text)["current"] for _, _, text in told]
            self.assertEqual(versions, list(range(versions[0], versions[0] + 20)))


class OwnParserTest(RedisPyTests, unittest.TestCase):
    parser = PythonParser


class HiredisParserTest(RedisPyTests, unittest.TestCase):
    parser = HiredisParser


if __name__ == "__main__":
    unittest.main()
