"""Random records of every type, and random choices about them, for properties.py."""

import math

import random_sketches

ALPHABET = ["a", "b", "key", "0", "1", "42", "-1", "", " ", "\x00", "\r\n", "é", "☃", "𝄞", "/",
            "*", "?", "[", "]", "\\", "\"", "'", "\x7f", "\u0080", "longer piece of text", "\udcff",
            "\udc80\udcfe"]
SIZES = [1, 1, 2, 3, 5, 8, 16, 64, 127, 128, 129, 130, 200, 512, 1000]
LARGE_SIZES = [5000, 20000]
HUGE_SIZE = 100_000
HUGE_SHARE = 0.004  # of the requests: their replies are megabytes
SCORES = [0.0, 1.0, -1.0, 0.1, 1e17, -1e300, 5e-324, math.inf, -math.inf, 3.0, 100.0]
INTEGERS = ["0", "-1", "10000", "9223372036854775807", "-9223372036854775808",
            "9223372036854775808", "007", "1e3", "0x10", "-0"]
NUMERIC_SHARE = 0.25  # of strings, lists and sets: whole numbers, mostly
PLACES_SHARE = 0.25   # of sorted sets: their scores are places all over the earth
PLACE_BITS = 52
SKETCHES = 30
KINDS = ("string", "hash", "list", "set", "zset")


class Data:
    """Random records, and random choices about them."""

    def __init__(self, chooser, records_per_kind):
        self.chooser = chooser
        self.records = []
        self.huge = {}
        self.tied = set()  # zsets of one score: of others BYLEX is unspecified
        self.places = []   # zsets, among the records
        # HyperLogLogs are for PFCOUNT alone: Redis writes what it counted into them.
        self.sketches = [(f"sketch/{number}", "string", random_sketches.make(chooser))
                         for number in range(SKETCHES)]
        for kind in KINDS:
            sizes = [chooser.choice(SIZES) for _ in range(records_per_kind)]
            for size in [*sizes, *LARGE_SIZES]:
                self.add(kind, size)
        for kind in KINDS:
            self.add(kind, HUGE_SIZE)
            self.huge[kind] = self.records.pop()

    def all_records(self):
        return [*self.records, *self.huge.values(), *self.sketches]

    def text(self):
        return "".join(self.chooser.choice(ALPHABET) for _ in range(self.chooser.randrange(5)))

    def member(self, number):
        return f"{self.text()}{number}" if self.chooser.random() < 0.9 else str(number)

    def integer_text(self):
        if self.chooser.random() < 0.1:
            return self.chooser.choice(INTEGERS)
        return str(self.chooser.randrange(-2**self.chooser.randrange(1, 64),
                                          2**self.chooser.randrange(1, 64)))

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
        if kind in ("string", "list", "set") and self.chooser.random() < NUMERIC_SHARE:
            numbers = [self.integer_text() for _ in range(size)]
            value = {"string": numbers[0], "list": numbers, "set": list(dict.fromkeys(numbers))}[kind]
        elif kind == "string":
            value = self.chooser.choice(["", "x", self.text()]) + self.text() * (size // 3)
        elif kind == "hash":
            value = {member: self.text() for member in members}
        elif kind == "list":
            value = [self.text() for _ in range(size)]
        elif kind == "set":
            value = members
        elif size <= SIZES[-1] and self.chooser.random() < PLACES_SHARE:
            value = [(member, float(self.chooser.randrange(2**PLACE_BITS))) for member in members]
            self.places.append(key)
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
        if choice < HUGE_SHARE:
            return self.huge[kind]
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

    def pattern(self):
        """A glob, mostly one that matches something."""
        chooser = self.chooser
        key = chooser.choice(self.records)[0]
        cut = chooser.randrange(len(key) + 1)
        return chooser.choice([key[:cut] + "*", "*" + key[cut:], key[:cut] + "?" + key[cut + 1:],
                               key, chooser.choice(KINDS) + "/*", "[a-k]*", "*[0-4]", "[^s]*/*1*",
                               self.text(), self.text() + "*"])

    def mixed_case(self, word):
        if self.chooser.random() < 0.7:
            return word
        return "".join(self.chooser.choice((c.lower(), c.upper())) for c in word)
