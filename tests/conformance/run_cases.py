"""Asks Larder and Redis the same questions (cases/*.txt) and compares their replies byte for byte.

Differences go to stdout, one line each, and make the exit status 1.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import comparison
import dataset
import documentation
import generated_cases
import guard
import pair as pairs
import protocol_cases
import pubsub_cases
import scans
import table
import writes
from harness import wire

# These change what a connection remembers.
OWN_CONNECTION = {"hello", "quit", "reset", "client", "select", "auth", "multi", "watch",
                  "readonly", "readwrite"}


class Failures:
    def __init__(self):
        self.count = 0
        self.checked = 0

    def check(self, where, difference):
        self.checked += 1
        if difference:
            self.count += 1
            print(f"DIFFERENT {where}\n    {difference}")


def comparison_of(case, request):
    """HELLO tells identities, wherever it stands."""
    return comparison.fields if request[0].lower() == b"hello" else (
        comparison.COMPARISONS[case.comparison])


def compare_case(case, larder, redis):
    """The first difference in the case's requests, or None."""
    for number, request in enumerate(case.requests):
        try:
            left = larder.call(*request)
        except (wire.WireError, OSError) as error:
            return f"larder: {error!r}"
        if case.expected is not None:
            if number + 1 < len(case.requests):
                continue  # the named reply is the last one's
            raw = left.raw()
            return None if raw == case.expected else f"larder {raw!r}, named {case.expected!r}"
        if comparison.needs_preparation(request):
            redis.call(*comparison.CLEARS_ERRNO)
        right = redis.call(*request)
        difference = comparison_of(case, request)(left, right, request)
        if difference:
            return f"request {number + 1}: {difference}"
    return None


def run_table(pair, protocol, cases, failures):
    shared = pair.connections(protocol)
    for case in cases:
        own = case.conversation or case.command in OWN_CONNECTION
        connections = pair.connections(protocol) if own else shared
        difference = compare_case(case, *connections)
        failures.check(f"RESP{protocol} {case}", difference)
        if own or (difference and "WireError" in difference):
            for connection in connections:
                connection.close()
        if not own and difference and "WireError" in difference:
            shared = pair.connections(protocol)
    for connection in shared:
        connection.close()


def cases_for(pair, protocol, cases):
    """RedisJSON's cases are of both protocols, unless there is one for RESP3 alone."""
    known_to_redis = pair.larder.name == "redis"
    in_resp3 = {tuple(map(tuple, case.requests)) for case in cases if case.kind == "json3"}
    for case in cases:
        if known_to_redis and case.expected is not None:
            continue
        if case.kind == "json3" and protocol != 3:
            continue
        if case.kind == "json" and protocol == 3 and tuple(map(tuple, case.requests)) in in_resp3:
            continue
        yield case


def run(pair):
    failures = Failures()
    cases = table.read_all()
    commands = list(documentation.flat(documentation.commands_of(pair.redis)))
    for protocol in (2, 3):
        run_table(pair, protocol, list(cases_for(pair, protocol, cases)), failures)
        generated_cases.run(pair, protocol, commands, cases, failures)
        scans.run(pair, protocol, failures)
        writes.run(pair, protocol, commands, failures)
    protocol_cases.run(pair, failures)
    pubsub_cases.run(pair, failures)
    guard.run(commands, cases, failures)
    print(f"{failures.checked} comparisons, {failures.count} differences")
    return 1 if failures.count else 0


def main():
    arguments = pairs.parse_arguments(__doc__)
    with pairs.running_pair(arguments.larder, dataset.databases()) as pair:
        return run(pair)


if __name__ == "__main__":
    sys.exit(main())
