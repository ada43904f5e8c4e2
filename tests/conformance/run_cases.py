"""Asks Larder and Redis the same questions (cases/*.txt) and compares their replies byte for byte.

Differences go to stdout, one line each, and make the exit status 1.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import comparison
import dataset
import pair as pairs
import protocol_cases
import scans
import table
import writes
from harness import wire

# A command of no key has no missing key, one that asks for any type has no wrong one.
ANY_TYPE = {"exists", "type", "ttl", "pttl", "keys", "scan", "randomkey"}
NO_MISSING_KEY = {"randomkey"}


# These change what a connection remembers.
OWN_CONNECTION = {"hello", "quit", "reset", "client", "select"}


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
            raw = left.raw()
            return None if raw == case.expected else f"larder {raw!r}, Redis 7.2 {case.expected!r}"
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


def check_every_command_has_cases(pair, cases, failures):
    """A command cannot be added without cases of its own."""
    kinds = {}
    for case in cases:
        kinds.setdefault(case.command, set()).add(case.kind)
    with pair.larder.connect() as connection:
        commands = connection.call("COMMAND").items
    known = writes.commands_of(pair.redis)
    if len(commands) >= len(known):
        return  # a Redis under test
    for entry in commands:
        name = entry.items[0].text.decode()
        arity, first_key = int(entry.items[1].text), int(entry.items[3].text)
        if name == "larder" or name not in known or known[name].is_write:
            continue
        needed = {"normal"}
        if abs(arity) > 1:
            needed.add("arity")
        if (first_key > 0 or name == "keys" or name == "scan") and name not in NO_MISSING_KEY:
            needed.add("missing")
        if first_key > 0 and name not in ANY_TYPE:
            needed.add("type")
        lacking = needed - kinds.get(name, set())
        failures.check(f"cases of {name}", f"none of kind {sorted(lacking)}" if lacking else None)


def run(pair):
    failures = Failures()
    cases = table.read_all()
    if pair.larder.name == "redis":
        cases = [case for case in cases if case.expected is None]
    for protocol in (2, 3):
        run_table(pair, protocol, cases, failures)
        scans.run(pair, protocol, failures)
        writes.run(pair, protocol, failures)
    protocol_cases.run(pair, failures)
    check_every_command_has_cases(pair, cases, failures)
    print(f"{failures.checked} comparisons, {failures.count} differences")
    return 1 if failures.count else 0


def main():
    arguments = pairs.parse_arguments(__doc__)
    with pairs.running_pair(arguments.larder, dataset.databases()) as pair:
        return run(pair)


if __name__ == "__main__":
    sys.exit(main())
