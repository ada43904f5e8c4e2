"""Redis's write commands are refused as a read-only replica refuses them, and what else Larder does
not do is refused in words. The list comes from the real server's COMMAND."""

import comparison
import guard

READONLY = b"-READONLY You can't write against a read only replica.\r\n"
FILLER = [b"key", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"]



def requests_of(command):
    """Valid arity, more than that, mixed case, and one argument too few."""
    name = [word.encode() for word in command.words]
    needed = abs(command.arity) - len(name)
    valid = name + FILLER[:needed]
    yield valid, True
    yield [word.upper() for word in name] + FILLER[:needed], True
    yield valid + [b"more"], command.arity < 0
    if needed > 0:
        yield valid[:-1], False


def run(pair, protocol, commands, failures):
    """`commands`: flat, of the real server."""
    larder, redis = pair.connections(protocol)
    with larder, redis:
        for command in commands:
            if command.is_write:
                check_write(command, larder, redis, protocol, failures)
            if any(sub.is_write for sub in command.subcommands):
                check_container(command, larder, redis, protocol, failures)
            if command.name in guard.REFUSED and pair.larder.name != "redis":
                check_refused(command, larder, protocol, failures)


def check_write(command, larder, redis, protocol, failures):
    for request, valid in requests_of(command):
        left, right = larder.call(*request), redis.call(*request)
        failures.check(f"RESP{protocol} write {request}", comparison.exact(left, right))
        if valid and right.raw() != READONLY:
            failures.check(f"oracle: {request}", f"not refused: {right!r}")


def check_container(container, larder, redis, protocol, failures):
    """XGROUP, FUNCTION: no subcommand, and an unknown one."""
    for request in ([container.name], [container.name, "nosuch"], [container.name, "NoSuch", "a"],
                    [container.name.upper(), "a\r\nb", "x"]):
        failures.check(f"RESP{protocol} {request}",
                       comparison.exact(larder.call(*request), redis.call(*request)))


def check_refused(command, larder, protocol, failures):
    """One error, in words, and the connection lives."""
    request = next(requests_of(command))[0]
    replies = larder.pipeline([request, [b"ECHO", b"still here"]])
    text = (replies[0].text or b"").decode()
    good = (replies[0].is_error and text.startswith("ERR ") and len(text.split()) > 4 and
            "unknown" not in text and replies[1].text == b"still here")
    failures.check(f"RESP{protocol} refused {request}", None if good else f"larder {replies!r}")
