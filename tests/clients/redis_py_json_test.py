"""redis-py's client.json() over values of type json: paths of both kinds, several at once, the
lengths and types, and what it makes of refusals. Only Larder is asked: the oracle has no module."""

import contextlib
import json
import os
import tempfile
import unittest

import redis
from harness import servers
from harness.programs import LARDER
from redis.commands.json.path import Path

STORE = {
    "name": "Ünïcode \"shop\"",
    "open": True,
    "owner": None,
    "items": [
        {"id": 1, "price": 9.5, "tags": ["red", "small"]},
        {"id": 2, "price": 20, "tags": []},
        {"id": 3, "price": 0.25, "tags": ["red"], "name": "third"},
    ],
    "dotted.name": {"deep": {"id": 4}},
}
CONFIG = """
    [[listener]]
    address = "127.0.0.1:{port}"
    [[store]]
    name = "documents"
    source = "documents.jsonl"
    directory = "store"
    """


def records():
    yield {"key": "store", "type": "json", "value": STORE}
    yield {"key": "other", "type": "json", "value": {"name": "other", "items": [{"id": 9}]}}
    yield {"key": "text", "type": "json", "value": "only text"}
    yield {"key": "empty", "type": "json", "value": {}}
    yield {"key": "string", "type": "string", "string_record": {"value": "no document"}}


class RedisPyJsonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack = cls.enterClassContext(contextlib.ExitStack())
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="larder-json-"))
        with open(os.path.join(directory, "documents.jsonl"), "w", encoding="utf-8") as out:
            for record in records():
                out.write(json.dumps(record) + "\n")

        def argv(port):
            path = os.path.join(directory, "larder.toml")
            with open(path, "w", encoding="utf-8") as config:
                config.write(CONFIG.format(port=port))
            return [os.path.abspath(LARDER), "serve", "--config", path]

        server = stack.enter_context(servers.Server("larder", argv))
        cls.client = stack.enter_context(redis.Redis(host="127.0.0.1", port=server.port))
        cls.json = cls.client.json()

    def test_get_of_the_root(self):
        self.assertEqual(self.json.get("store"), STORE)
        self.assertEqual(self.json.get("store", Path.root_path()), STORE)
        self.assertEqual(self.json.get("store", "$"), [STORE])
        self.assertEqual(self.json.get("store", no_escape=True), STORE)
        self.assertEqual(self.json.get("text"), "only text")
        self.assertIsNone(self.json.get("missing"))
        self.assertIsNone(self.json.get("missing", "$"))

    def test_get_of_a_path_of_the_older_kind(self):
        self.assertEqual(self.json.get("store", Path(".items[1].price")), 20)
        self.assertEqual(self.json.get("store", "name"), STORE["name"])
        self.assertEqual(self.json.get("store", '["dotted.name"].deep.id'), 4)
        self.assertEqual(self.json.get("store", "..id"), 1)
        with self.assertRaisesRegex(redis.ResponseError, r"^Path '\$\.nothing' does not exist$"):
            self.json.get("store", ".nothing")

    def test_get_of_a_path_of_the_newer_kind(self):
        self.assertEqual(self.json.get("store", "$.items[*].id"), [1, 2, 3])
        self.assertEqual(self.json.get("store", "$..id"), [1, 2, 3, 4])
        self.assertEqual(self.json.get("store", "$.items[?(@.price<10)].id"), [1, 3])
        self.assertEqual(self.json.get("store", "$.items[-1:].name"), ["third"])
        self.assertEqual(self.json.get("store", "$.nothing"), [])
        with self.assertRaisesRegex(redis.ResponseError, "^Error occurred on position"):
            self.json.get("store", "$.items[")

    def test_get_of_several_paths(self):
        self.assertEqual(self.json.get("store", "open", ".items[0].id"),
                         {"open": True, ".items[0].id": 1})
        self.assertEqual(self.json.get("store", "open", "$..tags"),
                         {"open": [True], "$..tags": [["red", "small"], [], ["red"]]})
        with self.assertRaisesRegex(redis.ResponseError, "^Path 'nothing' does not exist$"):
            self.json.get("store", "open", "nothing")

    def test_mget(self):
        self.assertEqual(self.json.mget(["store", "missing", "other", "string"], ".items[0].id"),
                         [1, None, 9, None])
        self.assertEqual(self.json.mget(["store", "other", "text"], "$..id"),
                         [[1, 2, 3, 4], [9], []])
        self.assertEqual(self.json.mget(["other", "empty"], Path.root_path()),
                         [{"name": "other", "items": [{"id": 9}]}, {}])

    def test_type(self):
        self.assertEqual(self.json.type("store"), b"object")
        self.assertEqual(self.json.type("store", ".items"), b"array")
        self.assertEqual(self.json.type("store", "$.items[0].*"), [b"integer", b"number", b"array"])
        self.assertEqual(self.json.type("store", "$.*"),
                         [b"string", b"boolean", b"null", b"array", b"object"])
        self.assertIsNone(self.json.type("store", ".nothing"))
        self.assertIsNone(self.json.type("missing"))

    def test_strlen(self):
        self.assertEqual(self.json.strlen("text"), 9)
        self.assertEqual(self.json.strlen("store", "name"), len(STORE["name"].encode()))
        self.assertEqual(self.json.strlen("store", "$.items[2].*"), [None, None, None, 5])
        self.assertIsNone(self.json.strlen("missing"))
        with self.assertRaisesRegex(redis.ResponseError, "expected string but found object"):
            self.json.strlen("store")

    def test_arrlen(self):
        self.assertEqual(self.json.arrlen("store", "items"), 3)
        self.assertEqual(self.json.arrlen("store", "$..tags"), [2, 0, 1])
        self.assertEqual(self.json.arrlen("store", "$.*"), [None, None, None, 3, None])
        self.assertIsNone(self.json.arrlen("missing"))
        with self.assertRaisesRegex(redis.ResponseError, "does not exist or not an array"):
            self.json.arrlen("store", "name")

    def test_objkeys(self):
        self.assertEqual(self.json.objkeys("store"), list(STORE))
        self.assertEqual(self.json.objkeys("empty"), [])
        self.assertEqual(self.client.execute_command("JSON.OBJKEYS", "missing"), None)
        with self.assertRaisesRegex(redis.ResponseError, "doesn't exist"):
            self.json.objkeys("missing", "$")

    def test_objlen(self):
        self.assertEqual(self.json.objlen("store"), 5)
        self.assertEqual(self.json.objlen("store", "$.items[*]"), [3, 3, 4])
        self.assertEqual(self.json.objlen("store", "$.*"), [None, None, None, None, 1])
        self.assertIsNone(self.json.objlen("store", ".nothing"))
        self.assertIsNone(self.json.objlen("missing"))

    def test_resp(self):
        self.assertEqual(self.json.resp("store", ".items[2].tags"), ["[", "red"])

    def test_other_values_are_refused(self):
        for ask in (self.json.get, self.json.type, self.json.strlen, self.json.arrlen,
                    self.json.objkeys, self.json.objlen):
            with self.assertRaisesRegex(redis.ResponseError, "Existing key has wrong Redis type"):
                ask("string")
        with self.assertRaisesRegex(redis.ResponseError, "WRONGTYPE"):
            self.client.get("store")
        self.assertEqual(self.client.type("store"), b"ReJSON-RL")

    def test_writes_are_refused(self):
        writes = [lambda: self.json.set("store", ".", {}), lambda: self.json.delete("store"),
                  lambda: self.json.numincrby("store", "items[0].id", 1),
                  lambda: self.json.arrappend("store", "items", 1),
                  lambda: self.json.clear("store"), lambda: self.json.toggle("store", "open")]
        for write in writes:
            with self.assertRaises(redis.exceptions.ReadOnlyError):
                write()

    def test_a_pipeline(self):
        pipe = self.json.pipeline(transaction=True)
        pipe.get("store", "open")
        pipe.get("missing")
        pipe.arrlen("store", "$..tags")
        self.assertEqual(pipe.execute(), [True, None, [2, 0, 1]])


if __name__ == "__main__":
    unittest.main()
