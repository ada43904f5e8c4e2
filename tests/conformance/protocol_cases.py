"""Bytes below the level of commands: inline requests, malformed ones, limits, splits. What both
servers reply, until the connection ends or has answered a final ECHO, must be the same bytes."""

import random
import socket

from harness import wire
from harness.scale import scaled

PING = b"*1\r\n$4\r\nPING\r\n"
END = b"*2\r\n$4\r\nECHO\r\n$11\r\nend-of-this\r\n"
END_REPLY = b"$11\r\nend-of-this\r\n"

STREAMS = [
    # Inline requests.
    b"PING\r\n", b"PING\n", b"ping hello\r\n", b"  PING  \r\n", b"\tPING\t\r\n", b"\r\n", b"\n",
    b" \r\n", b"\r\r\n", b"PING\r\r\n", b"\r" + PING + b"\r\n", b"GET string\r\n",
    b"GET string\nGET number\r\n" + PING, b"ECHO \"a\\x41\\n\\q\\a\\b\\t\\r\"\r\n",
    b"ECHO 'a\\x41\\'b'\r\n", b"ECHO a\"b c\"\r\n", b"ECHO \"\"\r\n", b"ECHO ''\r\n",
    b"ECHO \"a\"b\r\n", b"ECHO \"a\r\n", b"ECHO 'a\r\n", b"ECHO a\"\r\n", b"ECHO 'a'b\r\n",
    b"ECHO \"a\"\x0b\"b\"\r\n", b"ECHO \"abc\\\r\n", b"ECHO \"\\x4\"\r\n", b"ECHO \"\\xZZ\"\r\n",
    b"ECHO \"\\x00\"\r\n", b"ECHO \\n\r\n", b"ECHO \"a\rb\" \n", b"ECHO a\x0bb\r\n",
    b"\x0bECHO\x0ca\r\n", b"\x0b\x0cPING\r\n", b"ECHO \xff\xfe\r\n", b"$4\r\nPING\r\n",
    b"nosuch 'a' \"b\r\"\r\n", b"GET\r\n", b"\"GET\" 'string'\r\n", b"+PING\r\n", b":1\r\n",
    # Arrays.
    b"*0\r\n", b"*-1\r\n", b"*-9223372036854775808\r\n", b"*1\rX$4\rYPINGzz", b"*1\r\n$0\r\n\r\n",
    b"*2\r\n$3\r\nGET\r\n$6\r\nstring\r\n", b"*3\r\n$3\r\nGET\r\n$6\r\nstring\r\n$0\r\n\r\n",
    b"*1\r\n$0010\r\n", b"*\r\n", b"*x\r\n", b"*01\r\n", b"*+1\r\n", b"* 1\r\n", b"*1 \r\n",
    b"*-\r\n", b"*-0\r\n", b"*1x\r\n", b"*2147483648\r\n", b"*9223372036854775808\r\n",
    b"*-9223372036854775809\r\n", b"*1\n$4\r\nPING\r\n", b"*1\r\n\r\n", b"*1\r\n\n\r\n",
    b"*1\r\nfoo\r\n", b"*1\r\n\xff\r\n", b"*1\r\n:4\r\nPING\r\n", b"*1\r\n*1\r\n", b"*1\r\n$-1\r\n",
    b"*1\r\n$536870913\r\n", b"*1\r\n$04\r\nPING\r\n", b"*1\r\n$\r\n", b"*1\r\n$x\r\n",
    b"*1\r\n$4 \r\nPING\r\n", b"*1\r\n$+4\r\nPING\r\n", b"*1\r\n$99999999999999999999\r\n",
    b"*2\r\n$3\r\nGET\r\n$-5\r\n", b"*2\r\n$3\r\nGET\r\n6\r\nstring\r\n",
    PING + b"*x\r\n" + PING, PING + b"PING\r\n" + PING + b"*1\r\nX\r\n",
    # Below the limits.
    b"A" * 65535 + b"\n", b"A" * 65536 + b"\n", b"*" + b"1" * 65535 + b"\r\n",
    b"*1\r\n$" + b"1" * 65535 + b"\r\n",
    b"*2\r\n$4\r\nECHO\r\n$100000\r\n" + b"x" * 100000 + b"\r\n",
    # QUIT answers, then nothing more.
    b"QUIT\r\n" + PING, b"*1\r\n$4\r\nquit\r\n" + PING,
    # A pipeline in the middle of which the protocol changes.
    b"HELLO 3 SETNAME\r\nGET nothing\r\nLRANGE nothing 0 -1\r\n",
]

# Over the limits; sent as they are, because Redis forgives a longer line that comes at once.
TOO_LONG = [b"A" * 65537, b"*" + b"1" * 65536, b"*1\r\n$" + b"1" * 65536,
            PING + b"*2\r\n$3\r\nGET\r\n$" + b"1" * 65536]


def answer(server, pieces):
    """All bytes of the reply until the end is echoed or the connection closed; and which."""
    with server.connect(timeout=10) as connection:
        try:
            for piece in pieces:
                connection.send(piece)
        except OSError:
            pass  # closed already: the reply says why
        received = b""
        while not received.endswith(END_REPLY):
            try:
                data = connection.socket.recv(1 << 16)
            except ConnectionResetError:
                # Closed with unread bytes of ours; the reply may be lost with them.
                return received, "reset"
            except socket.timeout:
                return received, "silent"
            if not data:
                return received, "closed"
            received += data
        return received, "open"


def compare(pair, pieces):
    try:
        left, right = answer(pair.larder, pieces), answer(pair.redis, pieces)
    except (OSError, wire.WireError) as error:
        return repr(error)
    if left == right:
        return None
    # After a malformed request both close; a reset instead of an orderly end is the kernel's.
    ends = {"closed", "reset"}
    if left[0] == right[0] and left[1] in ends and right[1] in ends:
        return None
    return f"larder {shorten(left)}, redis {shorten(right)}"


def shorten(answered):
    received, end = answered
    if len(received) > 300:
        received = received[:300] + b"..."
    return f"{received!r} ({end})"


ALPHABET = [b"*", b"$", b"1", b"2", b"3", b"4", b"0", b"-", b"\r\n", b"\r\n", b"\r\n", b"\r", b"\n",
            b"PING", b"GET", b"ECHO", b"x", b" ", b"\"", b"'", b"\\", b"\\x41", PING,
            b"*2\r\n$4\r\nECHO\r\n", b"$1\r\na\r\n", b"$4\r\nPING\r\n", b"\xff", b"\t"]


def random_stream(chooser):
    """Malformed more often than not; ends so that both servers have something to say."""
    parts = [chooser.choice(ALPHABET) for _ in range(chooser.randrange(1, 12))]
    return b"".join(parts)


def finish(stream):
    # Whatever state the stream leaves a server in, a line end and the echo bring an answer, unless
    # a bulk swallows them: enough of them then.
    return stream + b"\r\n" + END


def run(pair, failures):
    for stream in STREAMS:
        pieces = [finish(stream)]
        failures.check(f"stream {stream[:80]!r} ({len(stream)} bytes)", compare(pair, pieces))
    for stream in TOO_LONG:
        failures.check(f"too long {stream[:80]!r}", compare(pair, [stream]))
    for stream in STREAMS:
        if len(stream) > 100:
            continue
        whole = finish(stream)
        failures.check(f"byte by byte {stream[:80]!r}",
                       compare(pair, [whole[i:i + 1] for i in range(len(whole))]))
    seed = 20260721
    chooser = random.Random(seed)
    for number in range(scaled(400)):
        # A number above nine could make a bulk wait for bytes that never come.
        stream = random_stream(chooser)
        failures.check(f"seed {seed}, stream {number}: {stream!r}",
                       compare(pair, [finish(stream) + b"\r\n" * 50 + END]))
