"""Typed records, and how each of the two servers takes them: Larder as JSONL, Redis by commands."""

import json

from harness import wire

PIPELINE = 500
ARGUMENTS_PER_COMMAND = 1000


def number(score):
    """A score as JSON and as ZADD take it."""
    if score in (float("inf"), float("-inf")):
        return "inf" if score > 0 else "-inf"
    return score


def to_json(record):
    """One line of JSONL for (key, type, value)."""
    key, kind, value = record
    line = {"key": key, "type": kind}
    if kind == "string":
        line["string_record"] = {"value": value}
    elif kind == "hash":
        line["hash_record"] = {"fields": value}
    elif kind == "list":
        line["list_record"] = {"elements": value}
    elif kind == "set":
        line["set_record"] = {"elements": value}
    else:
        line["ordered_set_record"] = {
            "elements": [{"value": member, "score": number(score)} for member, score in value]}
    return json.dumps(line, ensure_ascii=False)


def to_commands(record):
    """The commands that make the same key in Redis."""
    key, kind, value = record
    key = key.encode()
    if kind == "string":
        yield [b"SET", key, value.encode()]
        return
    name = {"hash": b"HSET", "list": b"RPUSH", "set": b"SADD", "zset": b"ZADD"}[kind]
    arguments = []
    if kind == "hash":
        for field, text in value.items():
            arguments += [field.encode(), text.encode()]
    elif kind == "zset":
        for member, score in value:
            arguments += [str(number(score)).encode(), member.encode()]
    else:
        arguments = [element.encode() for element in value]
    for first in range(0, len(arguments), ARGUMENTS_PER_COMMAND):
        yield [name, key, *arguments[first:first + ARGUMENTS_PER_COMMAND]]


def write_jsonl(records, path):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for record in records:
            out.write(to_json(record) + "\n")


def load_into_redis(connection, records, database=0):
    """Loads by pipelined commands; any error reply is an error here."""
    connection.call(b"SELECT", database)
    batch = []

    def send():
        for reply in connection.pipeline(batch):
            if reply.is_error:
                raise wire.WireError(f"Redis refused a record: {reply!r}")
        batch.clear()

    for record in records:
        for command in to_commands(record):
            batch.append(command)
            if len(batch) >= PIPELINE:
                send()
    send()
