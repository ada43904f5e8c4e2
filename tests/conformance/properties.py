"""Random commands on random data: Larder and Redis must answer the same, in RESP2 and RESP3.

400 requests per command (LARDER_TEST_SCALE: fewer or more). A failure prints the seed that repeats
it (--seed) and the request.
"""

import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import comparison
import pair as pairs
import scans
from harness.scale import scaled

SEEDS = (1, 2)
REQUESTS_PER_COMMAND = 100  # of each seed and protocol: 400 in all
SCAN_RUNS = 12              # of each scan, seed and protocol
PIPELINE = 100
MAX_REPORTS = 20

ALPHABET = ["a", "b", "key", "0", "1", "42", "-1", "", " ", "\x00", "\r\n", "é", "☃", "𝄞", "/",
            "*", "?", "[", "]", "\\", "\"", "'", "\x7f", "\u0080", "longer piece of text"]
SIZES = [1, 1, 2, 3, 5, 8, 16, 64, 127, 128, 129, 130, 200, 512, 1000]
LARGE_SIZES = [5000, 20000]
SCORES = [0.0, 1.0, -1.0, 0.1, 1e17, -1e300, 5e-324, math.inf, -math.inf, 3.0, 100.0]
KINDS = ("string", "hash", "list", "set", "zset")


class Data:
    """Random records, and random choices about them."""

    def __init__(self, chooser, records_per_kind):
        self.chooser = chooser
        self.records = []
        self.tied = set()  # zsets of one score: of others BYLEX is unspecified
        for kind in KINDS:
            sizes = [chooser.choice(SIZES) for _ in range(records_per_kind)]
            for size in [*sizes, *LARGE_SIZES]:
                self.add(kind, size)

    def text(self):
        return "".join(self.chooser.choice(ALPHABET) for _ in range(self.chooser.randrange(5)))

    def member(self, number):
        return f"{self.text()}{number}" if self.chooser.random() < 0.9 else str(number)

    def score(self):
        choice = self.chooser.random()
        if choice < 0.2:
            return self.chooser.choice(SCORES)
        if choice < 0.6:
            return float(self.chooser.randrange(-20, 20))
        return self.chooser.uniform(-1000, 1000)

    def add(self, kind, size):
        key = f"{kind}/{self.text()}{len(self.records)}"
        members = list({self.member(number): None for number in range(size)})
        if kind == "string":
            value = self.chooser.choice(["", "x", self.text()]) + self.text() * (size // 3)
        elif kind == "hash":
            value = {member: self.text() for member in members}
        elif kind == "list":
            value = [self.text() for _ in range(size)]
        elif kind == "set":
            value = members
        else:
            tied = self.chooser.random() < 0.3
            value = [(member, 1.0 if tied else self.score()) for member in members]
            if tied:
                self.tied.add(key)
        self.records.append((key, kind, value))

    # What requests are made of.

    def key(self, kind):
        """Mostly of the right kind, sometimes of another, sometimes missing."""
        choice = self.chooser.random()
        if choice < 0.04:
            return "missing" + self.text()
        records = self.records
        if choice < 0.92:
            records = [record for record in records if record[1] == kind]
        return self.chooser.choice(records)

    def pick(self, kind):
        """A key and its members (of another kind, or missing: none)."""
        record = self.key(kind)
        if isinstance(record, str):
            return record, []
        key, found, value = record
        if found == "zset":
            return key, [member for member, _ in value]
        return key, [] if found == "string" else list(value)

    def one_of(self, members):
        if members and self.chooser.random() < 0.85:
            return self.chooser.choice(members)
        return self.text()

    def index(self, size):
        choice = self.chooser.random()
        if choice < 0.02:
            return self.chooser.choice(["x", "", "1.5", "9223372036854775808", "+1", "01"])
        if choice < 0.05:
            return self.chooser.choice([2**63 - 1, -2**63, 2**31, -2**31])
        return self.chooser.randrange(-size - 3, size + 3)

    def bound(self):
        choice = self.chooser.random()
        if choice < 0.02:
            return self.chooser.choice(["x", "", "(", "nan", "[1", "1 "])
        if choice < 0.15:
            return self.chooser.choice(["-inf", "+inf", "inf", "(-inf", "(+inf", "(inf"])
        return self.chooser.choice(["", "("]) + repr(self.score())

    def lexical(self, members):
        choice = self.chooser.random()
        if choice < 0.02:
            return self.chooser.choice(["x", "", "-x", "++"])
        if choice < 0.25:
            return self.chooser.choice(["-", "+"])
        return self.chooser.choice("[(") + self.one_of(members)

    def mixed_case(self, word):
        if self.chooser.random() < 0.7:
            return word
        return "".join(self.chooser.choice((c.lower(), c.upper())) for c in word)


def keyed(kind):
    def make(data, name):
        return [name, data.pick(kind)[0]]
    return make


def with_member(kind):
    def make(data, name):
        key, members = data.pick(kind)
        return [name, key, data.one_of(members)]
    return make


def several_keys(data, name):
    return [name, *(data.pick(data.chooser.choice(KINDS))[0]
                    for _ in range(data.chooser.randrange(1, 12)))]


def hmget(data, name):
    key, members = data.pick("hash")
    return [name, key, *(data.one_of(members) for _ in range(data.chooser.randrange(1, 8)))]


def with_range(kind):
    def make(data, name):
        key, members = data.pick(kind)
        size = len(members) or 50
        return [name, key, data.index(size), data.index(size)]
    return make


def lindex(data, name):
    key, members = data.pick("list")
    return [name, key, data.index(len(members) or 5)]


def zcount(data, name):
    return [name, data.pick("zset")[0], data.bound(), data.bound()]


def zrange(data, name):
    key, members = data.pick("zset")
    chooser = data.chooser
    forms = ["", "BYSCORE", "BYLEX"] if key in data.tied else ["", "BYSCORE"]
    form = chooser.choice(forms)
    if form == "BYSCORE":
        request = [name, key, data.bound(), data.bound()]
    elif form == "BYLEX":
        request = [name, key, data.lexical(members), data.lexical(members)]
    else:
        request = [name, key, data.index(len(members) or 5), data.index(len(members) or 5)]
    options = [[form]] if form else []
    if chooser.random() < 0.4:
        options.append(["REV"])
    if chooser.random() < (0.4 if form != "BYLEX" else 0.05):
        options.append(["WITHSCORES"])
    if chooser.random() < (0.4 if form else 0.03):
        options.append(["LIMIT", chooser.randrange(-1, 10), chooser.randrange(-2, 50)])
    if chooser.random() < 0.02:
        options.append([chooser.choice(["NOSUCH", "LIMIT", "BYSCORE"])])
    chooser.shuffle(options)
    return request + [data.mixed_case(word) if isinstance(word, str) else word
                      for option in options for word in option]


def keys(data, name):
    return [name, pattern(data)]


def pattern(data):
    """A glob, mostly one that matches something."""
    chooser = data.chooser
    key = chooser.choice(data.records)[0]
    cut = chooser.randrange(len(key) + 1)
    return chooser.choice([key[:cut] + "*", "*" + key[cut:], key[:cut] + "?" + key[cut + 1:], key,
                           chooser.choice(KINDS) + "/*", "[a-k]*", "*[0-4]", "[^s]*/*1*",
                           data.text(), data.text() + "*"])


EXACT = {
    "GET": keyed("string"), "STRLEN": keyed("string"), "GETRANGE": with_range("string"),
    "MGET": several_keys, "EXISTS": several_keys, "TYPE": keyed("list"), "TTL": keyed("set"),
    "PTTL": keyed("hash"), "HGET": with_member("hash"), "HEXISTS": with_member("hash"),
    "HLEN": keyed("hash"), "HMGET": hmget, "LLEN": keyed("list"), "LINDEX": lindex,
    "LRANGE": with_range("list"), "SCARD": keyed("set"), "SISMEMBER": with_member("set"),
    "ZCARD": keyed("zset"), "ZSCORE": with_member("zset"), "ZRANK": with_member("zset"),
    "ZCOUNT": zcount, "ZRANGE": zrange,
    "PING": lambda data, name: [name, *[data.text()] * data.chooser.randrange(3)],
    "ECHO": lambda data, name: [name, data.text()], "DBSIZE": lambda _, name: [name],
}
UNORDERED = {"HGETALL": (keyed("hash"), comparison.pairs),
             "HKEYS": (keyed("hash"), comparison.members),
             "HVALS": (keyed("hash"), comparison.members),
             "SMEMBERS": (keyed("set"), comparison.members),
             "KEYS": (keys, comparison.members)}
MAKERS = {**{name: (make, comparison.exact) for name, make in EXACT.items()}, **UNORDERED}
SCANS = {"SCAN": None, "HSCAN": "hash", "SSCAN": "set", "ZSCAN": "zset"}


def as_request(words):
    return [word if isinstance(word, bytes) else str(word).encode() for word in words]


def random_requests(data, count):
    requests = []
    for name, (make, compare) in MAKERS.items():
        for _ in range(count):
            requests.append((as_request(make(data, data.mixed_case(name))), compare))
    data.chooser.shuffle(requests)
    return requests


class Report:
    def __init__(self):
        self.checked = 0
        self.differences = 0

    def check(self, where, difference):
        self.checked += 1
        if difference:
            self.differences += 1
            if self.differences <= MAX_REPORTS:
                print(f"DIFFERENT {where}\n    {difference}")


def compare_requests(pair, protocol, requests, seed, report):
    larder, redis = pair.connections(protocol)
    with larder, redis:
        for first in range(0, len(requests), PIPELINE):
            batch = requests[first:first + PIPELINE]
            sent = [request for request, _ in batch]
            for (request, compare), left, right in zip(batch, larder.pipeline(sent),
                                                       redis.pipeline(sent)):
                report.check(f"seed {seed} RESP{protocol} {request!r}"[:600],
                             compare(left, right, request))


def compare_scans(pair, protocol, data, count, seed, report):
    larder, redis = pair.connections(protocol)
    with larder, redis:
        for name, kind in SCANS.items():
            for _ in range(count):
                before = [name] if kind is None else [name, data.chooser.choice(
                    [record for record in data.records if record[1] == kind])[0]]
                after = ["COUNT", data.chooser.choice([50, 100, 1000, 30000])]
                if data.chooser.random() < 0.6:
                    after += ["MATCH", pattern(data)]
                if kind is None and data.chooser.random() < 0.4:
                    after += ["TYPE", data.chooser.choice(KINDS)]
                size = 2 if name in ("HSCAN", "ZSCAN") else 1
                report.check(f"seed {seed} RESP{protocol} {before} {after}",
                             scans.compare(larder, redis, before, after, size))


def run_seed(program, seed, report):
    data = Data(random.Random(seed), 25)
    with pairs.running_pair(program, [data.records]) as pair:
        for protocol in (2, 3):
            requests = random_requests(data, scaled(REQUESTS_PER_COMMAND))
            compare_requests(pair, protocol, requests, seed, report)
            compare_scans(pair, protocol, data, scaled(SCAN_RUNS), seed, report)


def main():
    arguments = pairs.parse_arguments(
        __doc__, lambda parser: parser.add_argument("--seed", type=int, action="append"))
    report = Report()
    for seed in arguments.seed or SEEDS:
        run_seed(arguments.larder, seed, report)
    print(f"{report.checked} comparisons, {report.differences} differences")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
