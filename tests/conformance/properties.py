"""Random commands on random data: Larder and Redis must answer the same, in RESP2 and RESP3.

At least 200 requests per command and 20 with each of its options, as the real server documents them
(LARDER_TEST_SCALE: fewer or more). With --seconds it goes on with new seeds for so long (`./dev fuzz
differential`). A failure prints the seed that repeats it (--seed) and the request.

The generators are in generators_*.py; generators_core.py says what one is.
"""

import collections
import glob
import importlib
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import comparison
import documentation
import pair as pairs
import records
import scans
from harness.scale import scaled
from random_data import KINDS, Data

SEEDS = (1, 2)
REQUESTS_PER_COMMAND = 100  # of each seed and protocol: 400 in all
REQUESTS_PER_OPTION = 8     # the same: 32 in all
TRIES_PER_OPTION = 200      # until a generator must have used it
SCAN_RUNS = 12              # of each scan, seed and protocol
PIPELINE = 100
MAX_REPORTS = 20

SCANS = {"SCAN": None, "HSCAN": "hash", "SSCAN": "set", "ZSCAN": "zset"}
# They would wait.
WAITING_OPTIONS = {"BLOCK"}


def read_generators():
    """By name: the function, and how replies are compared."""
    generators = {}
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                              "generators_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        compare = getattr(module, "COMPARISONS", {})
        for name, generate in module.GENERATORS.items():
            generators[name] = (generate, compare.get(name, comparison.exact))
    return generators


GENERATORS = read_generators()


def as_request(words):
    return [records.to_bytes(word if isinstance(word, bytes) else str(word)) for word in words]


def spell(data, name):
    """The words of a command's name, in some case."""
    return [data.mixed_case(word) for word in name.split("|")]


def one_request(data, name):
    words = spell(data, name)
    generate, _ = GENERATORS[name]
    # A generator sees one name; the subcommand's word follows the container's.
    made = generate(data, words[-1])
    return as_request(words[:-1] + made)


def options_of(commands):
    """By name in capitals: the options that must occur."""
    return {command.name.upper(): {option.encode() for option in command.options} -
            {option.encode() for option in WAITING_OPTIONS}
            for command in documentation.flat(commands)}


def requests_of(data, name, options, count, report):
    """`count` requests, and more until each option was in enough of them."""
    requests = [one_request(data, name) for _ in range(count)]
    used = collections.Counter(word.upper() for request in requests for word in set(request))
    for option in sorted(options):
        for _ in range(TRIES_PER_OPTION):
            if used[option] >= scaled(REQUESTS_PER_OPTION):
                break
            request = one_request(data, name)
            if option in {word.upper() for word in request}:
                requests.append(request)
                used.update(word.upper() for word in set(request))
        report.check(f"generator of {name}", None if used[option] else
                     f"it never makes one with {option.decode()}")
    return requests


def random_requests(data, commands, count, report):
    requests = []
    options = options_of(commands)
    for name, (_, compare) in GENERATORS.items():
        for request in requests_of(data, name, options.get(name, set()), count, report):
            requests.append((request, compare))
    data.chooser.shuffle(requests)
    return list(comparison.with_preparation(requests))


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
                    after += ["MATCH", data.pattern()]
                if kind is None and data.chooser.random() < 0.4:
                    after += ["TYPE", data.chooser.choice(KINDS)]
                size = 2 if name in ("HSCAN", "ZSCAN") else 1
                report.check(f"seed {seed} RESP{protocol} {before} {after}",
                             scans.compare(larder, redis, before, after, size))


def run_seed(program, seed, report):
    data = Data(random.Random(seed), 25)
    with pairs.running_pair(program, [data.all_records()]) as pair:
        commands = documentation.commands_of(pair.redis)
        for protocol in (2, 3):
            requests = random_requests(data, commands, scaled(REQUESTS_PER_COMMAND), report)
            compare_requests(pair, protocol, requests, seed, report)
            compare_scans(pair, protocol, data, scaled(SCAN_RUNS), seed, report)


def add_arguments(parser):
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--seconds", type=int, default=0, help="go on with new seeds")


def seeds(arguments):
    """Those asked for; with --seconds new ones until the time is over."""
    yield from arguments.seed or (() if arguments.seconds else SEEDS)
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        yield random.SystemRandom().randrange(2**32)


def main():
    arguments = pairs.parse_arguments(__doc__, add_arguments)
    report = Report()
    for seed in seeds(arguments):
        run_seed(arguments.larder, seed, report)
        if arguments.seconds:
            print(f"seed {seed}: {report.checked} comparisons so far", flush=True)
    print(f"{report.checked} comparisons, {report.differences} differences")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
