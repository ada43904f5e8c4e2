"""Cases that nobody needs to write: every normal case of a command that reads, turned wrong.

Keys become missing ones and keys of every other type, numbers become words and too large ones,
words are left out or added, and every option that the real server documents is put at the end alone,
with values, and beside every other.
"""

import comparison

KEYS_BY_TYPE = [b"string", b"hash", b"list", b"set", b"zset", b"missing:generated"]
BAD_NUMBERS = [b"x", b"", b"1.5", b"-1", b"0", b"9223372036854775808", b"-9223372036854775809", b" 1",
               b"nan"]
BASES_PER_COMMAND = 4
PIPELINE = 100

GROUPS = {"generic", "string", "bitmap", "hyperloglog", "hash", "list", "set", "sorted-set", "geo",
          "stream"}
# Of these only errors can be compared: what they answer otherwise is a cursor, or chance.
ERRORS_ONLY = {"scan", "hscan", "sscan", "zscan", "keys", "randomkey", "hrandfield", "srandmember",
               "zrandmember", "dump", "object|idletime", "object|freq"}
# They would wait: these are compared by conversations with timeouts (cases/*.txt).
NOT_GENERATED = {"wait"}
WAITING_OPTIONS = {"BLOCK"}


def errors_only(larder, redis, request=None):
    if larder.is_error or redis.is_error:
        return comparison.exact(larder, redis, request)
    return None


def bases_of(command, cases):
    """Some normal requests, the longest among them, with the way to compare them."""
    found = []
    for case in cases:
        if case.kind not in ("normal", "option") or case.conversation or case.expected is not None:
            continue
        request = case.requests[0]
        if [word.lower().decode("latin-1") for word in request[:len(command.words)]] == command.words:
            found.append((request, comparison.COMPARISONS[case.comparison]))
    found.sort(key=lambda base: len(base[0]))
    return found[:BASES_PER_COMMAND // 2] + found[BASES_PER_COMMAND // 2:][-BASES_PER_COMMAND // 2:]


def is_number(word):
    try:
        float(word)
    except ValueError:
        return False
    return True


def keys_in(request, redis):
    reply = redis.call("COMMAND", "GETKEYS", *request)
    return set() if reply.is_error else {item.text for item in reply.items}


def variants(command, request, keys):
    head = len(command.words)
    yield request[:-1]
    yield request + [b"more"]
    yield request + [b"1"]
    yield [word.swapcase() for word in request[:head]] + request[head:]
    for place in range(head, len(request)):
        word = request[place]
        options = []
        if word in keys:
            options = KEYS_BY_TYPE
        elif is_number(word):
            options = BAD_NUMBERS
        for other in options:
            yield request[:place] + [other] + request[place + 1:]
        if len(request) - head > 1:
            yield request[:place] + request[place + 1:]
            yield request[:place] + [word, word] + request[place + 1:]
    if keys:
        missing = [b"missing:generated" if word in keys else word for word in request]
        yield missing
    tokens = sorted(command.options - WAITING_OPTIONS)
    for token in tokens:
        encoded = token.encode()
        yield request + [encoded]
        yield request + [encoded.lower()]
        for values in ([b"1"], [b"x"], [b"0"], [b"-1"], [b"1", b"2"], [b"0", b"1"], [b"string"]):
            yield request + [encoded, *values]
        for other in tokens:
            yield request + [encoded, other.encode()]
            yield request + [encoded, b"1", other.encode()]
            yield request + [encoded, b"0", b"1", other.encode()]


def would_wait(request):
    return any(word.upper().decode("latin-1") in WAITING_OPTIONS for word in request)


def generate(commands, cases, redis):
    """(request, comparison) for every command that reads."""
    for command in commands:
        if command.group not in GROUPS or command.is_write or command.subcommands or (
                command.name in NOT_GENERATED):
            continue
        seen = set()
        for request, compare in bases_of(command, cases):
            if command.name in ERRORS_ONLY:
                compare = errors_only
            for variant in variants(command, request, keys_in(request, redis)):
                if tuple(variant) in seen or not variant or would_wait(variant):
                    continue
                seen.add(tuple(variant))
                yield variant, compare


def run(pair, protocol, commands, cases, failures):
    larder, redis = pair.connections(protocol)
    with larder, redis:
        requests = list(comparison.with_preparation(generate(commands, cases, redis)))
        for first in range(0, len(requests), PIPELINE):
            batch = requests[first:first + PIPELINE]
            sent = [request for request, _ in batch]
            for (request, compare), left, right in zip(batch, larder.pipeline(sent),
                                                       redis.pipeline(sent)):
                failures.check(f"RESP{protocol} generated {request!r}"[:400],
                               compare(left, right, request))
