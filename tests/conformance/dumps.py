"""What Larder DUMPs, a real Redis RESTOREs: every value is the same afterwards, with the expiry that
RESTORE is given, and the payload is one that this Redis accepts.

The records are those of the tables of cases and random ones of every type, one of 100,000 elements
of each among them. Also: PFCOUNT of HyperLogLogs that a real Redis filled.
"""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import comparison
import dataset
import pair as pairs
import records as typed
from harness import servers, wire
from random_data import Data

SEED = 5
RECORDS_PER_KIND = 10
EXPIRES_IN_MS = 1_000_000
READS = {"string": (b"GET", (), comparison.exact), "hash": (b"HGETALL", (), comparison.pairs),
         "list": (b"LRANGE", (0, -1), comparison.exact),
         "set": (b"SMEMBERS", (), comparison.members),
         "zset": (b"ZRANGE", (0, -1, b"WITHSCORES"), comparison.exact)}

HLL_SIZES = (1, 5, 30, 200, 1000, 3000, 20000)
HLL_MERGES = 40
ELEMENTS_PER_PFADD = 1000


class Report:
    def __init__(self):
        self.checked = 0
        self.differences = 0

    def check(self, where, difference):
        self.checked += 1
        if difference:
            self.differences += 1
            print(f"DIFFERENT {where}\n    {difference}"[:2000])


def compare_value(larder, restored, key, kind, number, report):
    """Moves one key over and compares what the two say of it."""
    payload = larder.call(b"DUMP", key)
    if payload.is_error or payload.is_null:
        report.check(f"DUMP {key!r}", f"no payload: {payload!r}")
        return
    ttl = EXPIRES_IN_MS if number % 2 else 0
    reply = restored.call(b"RESTORE", key, ttl, payload.text)
    report.check(f"RESTORE {key!r}", None if reply.raw() == b"+OK\r\n" else repr(reply))
    name, arguments, compare = READS[kind]
    request = [name, key, *arguments]
    report.check(f"{request!r}"[:200], compare(larder.call(*request), restored.call(*request)))
    encodings = [server.call(b"OBJECT", b"ENCODING", key) for server in (larder, restored)]
    report.check(f"OBJECT ENCODING {key!r}", comparison.exact(*encodings))
    left = int(restored.call(b"PTTL", key).text)
    right = 0 < left <= EXPIRES_IN_MS if ttl else left == -1
    report.check(f"PTTL {key!r}", None if right else f"{left} ms are left")


def compare_dumps(program, report):
    data = Data(random.Random(SEED), RECORDS_PER_KIND)
    records = [*dataset.databases()[0], *data.all_records()]
    with pairs.running_pair(program, [records]) as pair, servers.start_redis() as empty:
        with pair.larder.connect() as larder, empty.connect() as restored:
            for number, (key, kind, _) in enumerate(records):
                compare_value(larder, restored, typed.to_bytes(key), kind, number, report)


def filled_by_redis(chooser):
    """Records of HyperLogLogs of many sizes: sparse, dense, with a stored count and without."""
    with servers.start_redis() as redis, redis.connect() as connection:
        for size in HLL_SIZES:
            for number in range(3):
                key = f"hll:{size}:{number}"
                elements = [b"%x" % chooser.getrandbits(48) for _ in range(size)]
                for first in range(0, size, ELEMENTS_PER_PFADD):
                    connection.call(b"PFADD", key, *elements[first:first + ELEMENTS_PER_PFADD])
                if number == 0:
                    connection.call(b"PFCOUNT", key)
                yield key, "string", connection.call(b"GET", key).text


def compare_counts(program, report):
    chooser = random.Random(SEED)
    records = list(filled_by_redis(chooser))
    keys = [record[0].encode() for record in records]
    requests = [[b"PFCOUNT", key] for key in keys]
    requests += [[b"PFCOUNT", *chooser.choices(keys, k=chooser.randrange(2, 9))]
                 for _ in range(HLL_MERGES)]
    with pairs.running_pair(program, [records]) as pair:
        larder, redis = pair.connections(2)
        with larder, redis:
            for request in requests:
                report.check(f"{request!r}", comparison.exact(larder.call(*request),
                                                              redis.call(*request)))


def main():
    arguments = pairs.parse_arguments(__doc__)
    report = Report()
    try:
        compare_dumps(arguments.larder, report)
        compare_counts(arguments.larder, report)
    except wire.WireError as error:
        report.check("the connection", repr(error))
    print(f"{report.checked} comparisons, {report.differences} differences")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
