"""The versions of a small source that the system tests publish, and what each must answer.

Every value of version v says so, so a reply tells which version it came from.
"""

import json
import os

RECORDS = 2000


def key(number):
    return f"item/{number:06d}"


def text(number, version):
    return f"v{version} of {number}"


def lines(version, records=RECORDS):
    for number in range(records):
        if number % 4 == 3:
            fields = {f"field{i}": text(number, version) for i in range(10)}
            yield {"key": key(number), "type": "hash", "hash_record": {"fields": fields}}
        else:
            yield {"key": key(number), "type": "string",
                   "string_record": {"value": text(number, version)}}


def publish(path, version, records=RECORDS):
    """Puts a version in place as a careful publisher does: under another name, then renamed."""
    temporary = f"{path}.new"
    with open(temporary, "w", encoding="utf-8") as out:
        for line in lines(version, records):
            out.write(json.dumps(line) + "\n")
    os.replace(temporary, path)


def version_of(values):
    """The one version of all (number, bytes) of a reply; AssertionError when there are several."""
    versions = set()
    for number, value in values:
        head, _, tail = value.partition(b" of ")
        assert tail == b"%d" % number, f"{key(number)}: {value!r}"
        versions.add(int(head[1:]))
    assert len(versions) == 1, f"values of several versions in one reply: {versions}"
    return versions.pop()


def served_version(connection, records=RECORDS, sample=97):
    """The version that all looked-at keys are of; raises AssertionError for anything else.

    Each reply must be of one version. A switch between two replies is no fault, a step back is.
    """
    numbers = list(range(0, records, sample))
    strings = [n for n in numbers if n % 4 != 3]
    hashes = [n for n in numbers if n % 4 == 3]
    replies = connection.pipeline(
        [[b"DBSIZE"], [b"MGET", *[key(n).encode() for n in strings]],
         *[[b"HGETALL", key(n).encode()] for n in hashes]])
    assert replies[0].text == b"%d" % records, f"DBSIZE: {replies[0]!r}"
    versions = [version_of(zip(strings, replies[1].texts()))]
    for number, reply in zip(hashes, replies[2:]):
        assert len(reply.items) == 20, f"HGETALL: {reply!r}"
        versions.append(version_of((number, value.text) for _, value in reply.pairs()))
    assert versions == sorted(versions), f"a connection went back a version: {versions}"
    return versions[-1]
