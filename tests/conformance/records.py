"""Typed records, and how each of the two servers takes them: Larder as JSONL, Redis by commands."""

import base64
import json

from harness import wire

PIPELINE = 500
ARGUMENTS_PER_COMMAND = 1000


def number(score):
    """A score as JSON and as ZADD take it."""
    if score in (float("inf"), float("-inf")):
        return "inf" if score > 0 else "-inf"
    return score


def to_bytes(text):
    """Bytes that are no UTF-8 stand in a text as Python's surrogates."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def is_binary(text):
    if isinstance(text, bytes):
        return True
    return any("\ud800" <= c <= "\udfff" for c in text)


def texts_of(record):
    """The key and every text of the value."""
    key, kind, value = record
    yield key
    if kind in ("string", "json"):
        yield value
    elif kind == "hash":
        yield from value.keys()
        yield from value.values()
    else:
        yield from ((member for member, _ in value) if kind == "zset" else value)


def to_binary_json(record):
    """A line whose texts are all base64, for those that are no UTF-8."""
    def encode(text):
        return base64.b64encode(to_bytes(text)).decode()
    key, kind, value = record
    line = {"key": encode(key), "type": kind, "key_encoding": "base64", "encoding": "base64"}
    if kind == "hash":
        line["field_encoding"] = "base64"
        line["value"] = {encode(field): encode(text) for field, text in value.items()}
    elif kind == "zset":
        line["value"] = {encode(member): number(score) for member, score in value}
    elif kind == "string":
        line["value"] = encode(value)
    else:
        line["value"] = [encode(element) for element in value]
    return json.dumps(line)


def to_json(record):
    """One line of JSONL for (key, type, value)."""
    if any(map(is_binary, texts_of(record))):
        return to_binary_json(record)
    key, kind, value = record
    line = {"key": key, "type": kind}
    if kind == "json":
        # The value's own text, as it will be stored.
        return json.dumps(line, ensure_ascii=False)[:-1] + f', "value": {value}}}'
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
    key = to_bytes(key)
    if kind == "json":
        return  # no Redis here has the type
    if kind == "string":
        yield [b"SET", key, to_bytes(value)]
        return
    name = {"hash": b"HSET", "list": b"RPUSH", "set": b"SADD", "zset": b"ZADD"}[kind]
    arguments = []
    if kind == "hash":
        for field, text in value.items():
            arguments += [to_bytes(field), to_bytes(text)]
    elif kind == "zset":
        for member, score in value:
            arguments += [str(number(score)).encode(), to_bytes(member)]
    else:
        arguments = [to_bytes(element) for element in value]
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
