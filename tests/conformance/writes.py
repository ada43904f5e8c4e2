"""Redis's write commands are refused as a read-only replica refuses them, and what Larder does not
have is unknown. The lists come from the real server's COMMAND."""

from dataclasses import dataclass, field

import comparison

READONLY = b"-READONLY You can't write against a read only replica.\r\n"
FILLER = [b"key", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"]


@dataclass
class Command:
    name: str
    arity: int
    is_write: bool
    subcommands: list = field(default_factory=list)


def read_entry(entry):
    flags = {flag.text for flag in entry.items[2].items}
    subs = [read_entry(sub) for sub in entry.items[9].items]
    return Command(entry.items[0].text.decode(), int(entry.items[1].text), b"write" in flags, subs)


def commands_of(server):
    with server.connect() as connection:
        entries = [read_entry(entry) for entry in connection.call("COMMAND").items]
    return {entry.name: entry for entry in entries}


def write_commands(known):
    """Each with the words of its name: containers give their subcommands."""
    for command in known.values():
        if command.is_write:
            yield command, [command.name]
        for sub in command.subcommands:
            if sub.is_write:
                yield sub, sub.name.split("|")


def requests_of(command, words):
    """Valid arity, more than that, mixed case, and one argument too few."""
    name = [word.encode() for word in words]
    needed = abs(command.arity) - len(name)
    valid = name + FILLER[:needed]
    yield valid, True
    yield [word.upper() for word in name] + FILLER[:needed], True
    yield valid + [b"more"], command.arity < 0
    if needed > 0:
        yield valid[:-1], False


def run(pair, protocol, failures):
    known = commands_of(pair.redis)
    larder, redis = pair.connections(protocol)
    with larder, redis:
        for command, words in write_commands(known):
            for request, valid in requests_of(command, words):
                left, right = larder.call(*request), redis.call(*request)
                failures.check(f"RESP{protocol} write {request}", comparison.exact(left, right))
                if valid and right.raw() != READONLY:
                    failures.check(f"oracle: {request}", f"not refused: {right!r}")
        for container in known.values():
            if any(sub.is_write for sub in container.subcommands):
                check_container(container, larder, redis, protocol, failures)
        check_unsupported(known, larder, protocol, failures)


def check_container(container, larder, redis, protocol, failures):
    """XGROUP, FUNCTION: no subcommand, and an unknown one."""
    for request in ([container.name], [container.name, "nosuch"], [container.name, "NoSuch", "a"],
                    [container.name.upper(), "a\r\nb", "x"]):
        failures.check(f"RESP{protocol} {request}",
                       comparison.exact(larder.call(*request), redis.call(*request)))


def check_unsupported(known, larder, protocol, failures):
    """Commands of Redis that Larder does not have and that do not write: unknown."""
    supported = {entry.items[0].text.decode() for entry in larder.call("COMMAND").items}
    if len(supported) >= len(known):
        return  # a Redis under test
    for command in known.values():
        writes_below = any(sub.is_write for sub in command.subcommands)
        if command.name in supported or command.is_write or writes_below:
            continue
        reply = larder.call(command.name, "a", "b").raw()
        expected = (f"-ERR unknown command '{command.name}', with args beginning with: "
                    "'a' 'b' \r\n").encode()
        failures.check(f"RESP{protocol} unsupported {command.name}",
                       None if reply == expected else f"larder {reply!r}, expected {expected!r}")
