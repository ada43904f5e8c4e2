"""The records that every test of a client reads."""

import json
import os

NAME = "records"  # the dataset is called as its file
KEYS = 300


def number_of_version(version):
    return f"version {version}"


def records(version):
    yield {"key": "string", "type": "string", "string_record": {"value": "hello ☃"}}
    yield {"key": "empty", "type": "string", "string_record": {"value": ""}}
    yield {"key": "version", "type": "string",
           "string_record": {"value": number_of_version(version)}}
    yield {"key": "large", "type": "string", "string_record": {"value": "x" * 200000}}
    yield {"key": "hash", "type": "hash",
           "hash_record": {"fields": {"a": "1", "b": "two", "": "empty"}}}
    yield {"key": "bighash", "type": "hash",
           "hash_record": {"fields": {f"field{i}": str(i) for i in range(500)}}}
    yield {"key": "list", "type": "list", "list_record": {"elements": ["a", "b", "c", "a"]}}
    yield {"key": "set", "type": "set", "set_record": {"elements": ["a", "b", "c"]}}
    yield {"key": "bigset", "type": "set",
           "set_record": {"elements": [f"member{i}" for i in range(500)]}}
    yield {"key": "zset", "type": "zset", "ordered_set_record": {"elements": [
        {"value": "a", "score": 1}, {"value": "b", "score": 2.5}, {"value": "c", "score": "inf"}]}}
    yield {"key": "bigzset", "type": "zset", "ordered_set_record": {"elements": [
        {"value": f"member{i}", "score": i / 4} for i in range(500)]}}
    for i in range(KEYS):
        yield {"key": f"item/{i}", "type": "string",
               "string_record": {"value": f"{number_of_version(version)} of {i}"}}


def redis_commands(version):
    """The same records as the commands that write them."""
    for record in records(version):
        key, kind = record["key"], record["type"]
        if kind == "string":
            yield ["SET", key, record["string_record"]["value"]]
        elif kind == "hash":
            yield ["HSET", key, *sum(record["hash_record"]["fields"].items(), ())]
        elif kind == "list":
            yield ["RPUSH", key, *record["list_record"]["elements"]]
        elif kind == "set":
            yield ["SADD", key, *record["set_record"]["elements"]]
        elif kind == "zset":
            yield ["ZADD", key, *sum(([element["score"], element["value"]] for element in
                                      record["ordered_set_record"]["elements"]), [])]


def publish(directory, version):
    """Puts a version in the place of the source, whole at once."""
    path = os.path.join(directory, f"{NAME}.jsonl")
    with open(path + ".new", "w", encoding="utf-8") as out:
        for record in records(version):
            out.write(json.dumps(record) + "\n")
    os.replace(path + ".new", path)
    return path
