"""Random reads of many small records: Larder's replies equal Redis's, in RESP2 and RESP3.

Three quarters of the records are strings of 64 bytes, one quarter hashes of 10 fields. By hand:

    tests/conformance/random_reads.py --larder build/release/larder --records 1000000 --reads 100000
"""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import comparison
import pair as pairs

SEED = 64
STRING_BYTES = 64
FIELDS = 10
FIELD_BYTES = 16
PIPELINE = 200
MAX_REPORTS = 20


def key_of(number):
    return f"item:{number:012}"


def is_hash(number):
    return number % 4 == 3


class Records:
    """The records, made anew each time they are gone through."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __iter__(self):
        chooser = random.Random(SEED)
        for number in range(self.count):
            if is_hash(number):
                value = {f"field{field}": f"{chooser.getrandbits(64):0{FIELD_BYTES}x}"
                         for field in range(FIELDS)}
                yield key_of(number), "hash", value
            else:
                yield key_of(number), "string", f"{chooser.getrandbits(256):0{STRING_BYTES}x}"


def random_read(chooser, count):
    """A request and how its replies are compared; one in fifty asks for a key that is not there."""
    number = chooser.randrange(count + count // 50 + 1)
    key = key_of(number).encode()
    field = b"field%d" % chooser.randrange(FIELDS + 1)
    if not is_hash(number):
        others = [key_of(chooser.randrange(count)).encode() for _ in range(9)]
        return chooser.choice([([b"GET", key], comparison.exact)] * 5 + [
            ([b"MGET", key, *others], comparison.exact), ([b"STRLEN", key], comparison.exact),
            ([b"GETRANGE", key, b"8", b"-8"], comparison.exact),
            ([b"EXISTS", key], comparison.exact), ([b"HGETALL", key], comparison.pairs)])
    return chooser.choice([([b"HGETALL", key], comparison.pairs)] * 4 + [
        ([b"HGET", key, field], comparison.exact), ([b"HMGET", key, field, b"field0"],
                                                    comparison.exact),
        ([b"HLEN", key], comparison.exact), ([b"HKEYS", key], comparison.members),
        ([b"TYPE", key], comparison.exact), ([b"GET", key], comparison.exact)])


def compare_reads(pair, protocol, count, reads):
    """How many of the replies differ."""
    chooser = random.Random(SEED + protocol)
    differences = 0
    larder, redis = pair.connections(protocol)
    with larder, redis:
        for first in range(0, reads, PIPELINE):
            batch = [random_read(chooser, count) for _ in range(min(PIPELINE, reads - first))]
            requests = [request for request, _ in batch]
            for (request, compare), left, right in zip(batch, larder.pipeline(requests),
                                                       redis.pipeline(requests)):
                difference = compare(left, right, request)
                if difference:
                    differences += 1
                    if differences <= MAX_REPORTS:
                        print(f"DIFFERENT RESP{protocol} {request!r}: {difference}")
    return differences


def add_arguments(parser):
    parser.add_argument("--records", type=int, default=20000)
    parser.add_argument("--reads", type=int, default=20000, help="in each of RESP2 and RESP3")


def main():
    arguments = pairs.parse_arguments(__doc__, add_arguments)
    records = Records(arguments.records)
    with pairs.running_pair(arguments.larder, [records]) as pair:
        differences = sum(compare_reads(pair, protocol, arguments.records, arguments.reads)
                          for protocol in (2, 3))
    print(f"{arguments.records} records, {2 * arguments.reads} reads, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
