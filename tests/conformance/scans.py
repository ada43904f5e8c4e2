"""SCAN and its kin: iterated to the end, both servers give the same elements, each once."""

import random

import comparison
import dataset

MAX_STEPS = 100000

OPTIONS = [
    [], ["COUNT", "1"], ["COUNT", "7"], ["COUNT", "100000"], ["MATCH", "*"], ["MATCH", "*1*"],
    ["MATCH", "collection/*"], ["MATCH", "collection/?", "COUNT", "2"], ["MATCH", "field1?"],
    ["MATCH", "member[0-4]*", "COUNT", "50"], ["MATCH", "nothing"], ["match", "a", "count", "3"],
    ["COUNT", "10", "MATCH", "*e*", "COUNT", "3"], ["MATCH", "\\*"], ["MATCH", ""],
]
TYPES = ["string", "hash", "list", "set", "zset", "STRING", "nosuch"]


def iterate(connection, before, after):
    """All elements that a scan returns, in order. `before` goes in front of the cursor."""
    cursor = b"0"
    elements = []
    for _ in range(MAX_STEPS):
        reply = connection.call(*before, cursor, *after)
        if reply.is_error:
            raise AssertionError(f"{before} {cursor} {after}: {reply!r}")
        cursor, found = reply.items[0].text, reply.items[1]
        if int(cursor) >= 1 << 53:
            raise AssertionError(f"cursor {cursor!r} does not fit a double")
        elements += found.items
        if cursor == b"0":
            return elements
    raise AssertionError(f"{before} does not end within {MAX_STEPS} steps")


def grouped(elements, size):
    """Elements as sorted groups: a member, or a field with its value."""
    raw = [element.raw() for element in elements]
    return sorted(tuple(raw[i:i + size]) for i in range(0, len(raw), size))


def compare(larder, redis, before, after, size):
    try:
        left = grouped(iterate(larder, before, after), size)
    except AssertionError as error:
        return str(error)
    # Redis may return an element twice; Larder, whose data stands still, may not.
    right = sorted(set(grouped(iterate(redis, before, after), size)))
    if left == right or before[0] == "ZSCAN" and comparison.scores(left, right):
        return None
    extra = [group for group in left if group not in set(right)][:5]
    lacking = [group for group in right if group not in set(left)][:5]
    return f"{len(left)} against {len(right)} elements; only larder: {extra}; only redis: {lacking}"


def targets(records):
    """What can be scanned: the prefix of the request and the size of an element."""
    yield ["SCAN"], 1
    for key, kind, _ in records:
        if kind in ("hash", "set", "zset"):
            name = {"hash": "HSCAN", "set": "SSCAN", "zset": "ZSCAN"}[kind]
            yield [name, key], 1 if kind == "set" else 2


def run(pair, protocol, failures):
    records = dataset.databases()[0]
    larder, redis = pair.connections(protocol)
    with larder, redis:
        for before, size in targets(records):
            for options in OPTIONS:
                large = before[-1] in ("bighash", "bigset", "bigzset")
                if large and options == ["COUNT", "1"]:
                    continue
                failures.check(f"RESP{protocol} {before} {options}",
                               compare(larder, redis, before, options, size))
        for kind in TYPES:
            for options in (["TYPE", kind], ["type", kind, "COUNT", "3", "MATCH", "*s*"]):
                failures.check(f"RESP{protocol} SCAN {options}",
                               compare(larder, redis, ["SCAN"], options, 1))
        failures.check(f"RESP{protocol} cursors of another seed", strange_cursors(larder))


def strange_cursors(larder):
    """Any number is a cursor: an answer, never an error."""
    chooser = random.Random(7)
    for cursor in [1, 2**32, 2**53 - 1, 2**53, 2**63, 2**64 - 1,
                   *(chooser.randrange(2**64) for _ in range(50))]:
        for before in (["SCAN"], ["HSCAN", "bighash"], ["HSCAN", "hash"], ["SSCAN", "intset"]):
            reply = larder.call(*before, cursor, "COUNT", 5)
            if reply.items is None or len(reply.items) != 2:
                return f"{before} {cursor}: {reply!r}"
    return None
