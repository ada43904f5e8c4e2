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


def served_version(connection, records=RECORDS, sample=97):
    """The one version that all looked-at keys are of; raises AssertionError for anything else."""
    numbers = list(range(0, records, sample))
    replies = connection.pipeline(
        [[b"DBSIZE"], [b"MGET", *[key(n).encode() for n in numbers]],
         *[[b"HGETALL", key(n).encode()] for n in numbers if n % 4 == 3]])
    size = replies[0]
    assert size.text == b"%d" % records, f"DBSIZE: {size!r}"
    versions = set()
    for number, item in zip(numbers, replies[1].items):
        if number % 4 == 3:
            assert item.is_null, f"MGET of a hash: {item!r}"
            continue
        head, _, tail = item.text.partition(b" of ")
        assert tail == b"%d" % number, f"{key(number)}: {item!r}"
        versions.add(head)
    for reply in replies[2:]:
        assert len(reply.items) == 20, f"HGETALL: {reply!r}"
        versions.update(value.text.partition(b" of ")[0] for _, value in reply.pairs())
    assert len(versions) == 1, f"values of several versions: {versions}"
    return int(versions.pop()[1:])
