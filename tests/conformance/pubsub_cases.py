"""Conversations over several connections: messages, tracking, monitors, pauses, kills. What each
connection of Larder receives must be the same bytes as from Redis, apart from ids, addresses and
times, which are replaced by words."""

import contextlib
import re
import socket

from harness import wire

# Connections are named by letters. A step is (connection, request), or (connection, None), which
# takes what comes without asking. Behind every step each connection is asked PING: what stands
# before the answer belongs to the step, and nothing has to be waited for. Not so from "off" on
# (a connection that is silent, waits, or is in MULTI) until "on" or None. "id" keeps the answer.
# "blocks" is "off", and waits until the server has the connection among those that are blocked;
# "answered" is "off", and waits for one reply, "listens" for somebody to listen on the channel x:
# what comes next depends on that, and connections of several threads wait for nobody.
A, B, C = "a", "b", "c"

# Each asks only what a read-only replica answers, too.
CONVERSATIONS = {
    "messages reach channels and patterns": [
        (A, "SUBSCRIBE x y x"), (A, "PSUBSCRIBE x*"), (B, "PUBLISH x hello"), (B, "PUBLISH y hi"),
        (B, "PUBLISH z none"), (A, "UNSUBSCRIBE x"), (B, "PUBLISH x again"), (A, "PUNSUBSCRIBE"),
        (B, "PUBLISH y last"), (A, "UNSUBSCRIBE"), (B, "PUBLISH y nobody")],
    "nothing to unsubscribe from": [
        (A, "UNSUBSCRIBE"), (A, "PUNSUBSCRIBE"), (A, "SUNSUBSCRIBE"), (A, "UNSUBSCRIBE a b"),
        (A, "PUNSUBSCRIBE a"), (A, "SUNSUBSCRIBE a")],
    "shard channels are a space of their own": [
        (A, "SSUBSCRIBE x"), (A, "SUBSCRIBE x"), (B, "SPUBLISH x one"), (B, "PUBLISH x two"),
        (B, "PUBSUB SHARDCHANNELS"), (B, "PUBSUB SHARDNUMSUB x y"), (A, "SUNSUBSCRIBE"),
        (B, "SPUBLISH x three")],
    "PUBSUB tells what there is": [
        (A, "SUBSCRIBE news"), (A, "PSUBSCRIBE n* m*"), (C, "SUBSCRIBE news"), (C, "PSUBSCRIBE n*"),
        (B, "PUBSUB CHANNELS"), (B, "PUBSUB CHANNELS n*"), (B, "PUBSUB CHANNELS m*"),
        (B, "PUBSUB CHANNELS a b"), (B, "PUBSUB NUMSUB"), (B, "PUBSUB NUMSUB news olds news"),
        (B, "PUBSUB NUMPAT"), (B, "PUBSUB NUMPAT x"), (B, "pubsub channels"),
        (A, "RESET"), (B, "PUBSUB NUMSUB news"), (B, "PUBSUB NUMPAT")],
    "a subscribed connection may say little": [
        (A, "SUBSCRIBE x"), (A, "PING"), (A, "PING hello"), (A, "GET string"), (A, "PUBLISH x y"),
        (A, "CLIENT GETNAME"), (A, "UNSUBSCRIBE"), (A, "PING"), (A, "GET string")],
    "a publisher that subscribes": [
        (A, "SUBSCRIBE x"), (A, "PUBLISH x 1"), (A, "PSUBSCRIBE *"),
        (A, "PUBLISH x 2")],
    "messages in a transaction": [
        (A, "SUBSCRIBE x"), (B, "MULTI", "off"), (B, "PUBLISH x 1", "off"),
        (B, "SSUBSCRIBE y", "off"), (B, "EXEC", "on"), (B, "MULTI", "off"),
        (B, "SUBSCRIBE z", "off"), (B, "PUBLISH z 1", "off"), (B, "EXEC", "on")],
    "CLIENT REPLY does not silence messages": [
        (A, "CLIENT REPLY OFF", "off"), (A, "SUBSCRIBE x", "listens"), (B, "PUBLISH x 1"),
        (A, "UNSUBSCRIBE x", "off"), (A, "GET string", "off"), (A, "CLIENT REPLY ON", "on"),
        (A, "CLIENT REPLY SKIP", "off"), (A, "GET string", "on")],
    "monitors see commands": [
        (A, "MONITOR"), (B, "GET string"), (B, "echo a\x00b"), (B, "SELECT 1"), (B, "GET k"),
        (B, "CLIENT LIST"), (B, "PUBLISH x y"), (A, None), (A, "PING"), (A, "MONITOR"),
        (A, "GET string"), (A, "RESET"), (B, "GET string"), (A, "GET string")],
    "tracking options": [
        (A, "CLIENT TRACKING ON OPTIN"), (A, "CLIENT CACHING YES", "off"),
        (A, "CLIENT TRACKINGINFO", "on"),
        (A, "GET string"), (A, "CLIENT TRACKINGINFO"), (A, "CLIENT CACHING NO"),
        (A, "CLIENT TRACKING ON OPTOUT"), (A, "CLIENT TRACKING OFF"), (A, "CLIENT TRACKINGINFO"),
        (A, "CLIENT TRACKING ON BCAST PREFIX b PREFIX a"), (A, "CLIENT TRACKINGINFO"),
        (A, "CLIENT TRACKING ON BCAST PREFIX ab"), (A, "CLIENT TRACKING ON BCAST"),
        (A, "CLIENT TRACKINGINFO"), (A, "CLIENT TRACKING ON"), (A, "CLIENT GETREDIR"),
        (A, "RESET"), (A, "CLIENT TRACKINGINFO"), (A, "CLIENT GETREDIR")],
    "redirects": [
        (B, "CLIENT ID", "id"), (A, "CLIENT TRACKING ON REDIRECT {id}"), (A, "CLIENT TRACKINGINFO"),
        (A, "CLIENT GETREDIR"), (A, "CLIENT TRACKING ON REDIRECT {id} REDIRECT {id}"),
        (A, "CLIENT TRACKING ON REDIRECT 999999999"), (A, "CLIENT TRACKING ON REDIRECT x"),
        (A, "CLIENT TRACKING ON REDIRECT")],
    "kill": [
        (B, "CLIENT ID", "id"), (A, "CLIENT KILL ID {id}"), (B, None), (A, "CLIENT KILL ID {id}"),
        (C, "SUBSCRIBE x"), (A, "CLIENT KILL TYPE pubsub"), (C, None),
        (A, "CLIENT KILL TYPE nonsense"), (A, "CLIENT KILL USER nobody"), (A, "CLIENT KILL ID 0"),
        (A, "CLIENT KILL SKIPME maybe"), (A, "CLIENT KILL 1.2.3.4:5"), (A, "CLIENT KILL ID"),
        (A, "CLIENT KILL ADDR 1.2.3.4:5 LADDR 1.2.3.4:5"), (A, "CLIENT KILL ID 1 TYPE")],
    "kill oneself": [
        (A, "CLIENT ID", "id"), (A, "CLIENT KILL ID {id} SKIPME yes"),
        (A, "CLIENT KILL ID {id} SKIPME no"), (A, None)],
    "pause of writes": [
        (A, "CLIENT PAUSE 100000000 WRITE"), (B, "PING"), (B, "PUBLISH x y", "off"),
        (A, "CLIENT UNPAUSE"), (B, None), (A, "CLIENT PAUSE 1 sometimes"), (A, "CLIENT PAUSE x"),
        (A, "CLIENT PAUSE -1"), (A, "CLIENT PAUSE 1 WRITE x"), (A, "CLIENT UNPAUSE")],
    "pause of all ends by itself": [
        (A, "CLIENT PAUSE 30 ALL"), (B, "PING"), (A, "PING")],
    "unblock": [
        (A, "CLIENT ID", "id"), (A, "XREAD BLOCK 0 STREAMS no-such-stream $", "blocks"),
        (B, "CLIENT UNBLOCK {id}"), (A, None), (B, "CLIENT UNBLOCK {id}"),
        (A, "XREAD BLOCK 0 STREAMS no-such-stream $", "blocks"), (B, "CLIENT UNBLOCK {id} ERROR"),
        (A, None), (B, "CLIENT UNBLOCK {id} sometimes"), (B, "CLIENT UNBLOCK x"),
        (B, "CLIENT UNBLOCK 1 2 3"), (A, "XREAD BLOCK 20 STREAMS no-such-stream $")],
    "CLIENT LIST tells flags": [
        (A, "SUBSCRIBE x y"), (A, "PSUBSCRIBE z"), (A, "SSUBSCRIBE w"), (B, "MULTI", "answered"),
        (B, "GET string", "answered"), (C, "CLIENT LIST"), (C, "CLIENT LIST TYPE pubsub"),
        (C, "CLIENT LIST TYPE normal"), (C, "CLIENT NO-EVICT on"), (C, "CLIENT TRACKING ON BCAST"),
        (C, "CLIENT INFO")],
}

FENCE = b"end-of-step"
CLOSED = b"<closed>"
ASKED_AT_MOST = 100_000
REPLACED = [
    # Monitors see how the others are asked, sooner or later.
    (re.compile(rb'\+[0-9.]+ \[[^\]]+\] "PING" "%s"\r\n' % FENCE), b""),
    (re.compile(rb"\+\d+\.\d{6} \[(\d+) [^\]]+\]"), rb"+TIME [\1 ADDRESS]"),
    # Of a client's line: what both tell, and no measures.
    (re.compile(rb"id=\d+ addr=\S+ laddr=\S+ fd=\d+ name=(\S*) .*?(flags=\S+ db=\d+ sub=.*?) qbuf="
                rb".*?(cmd=\S+ user=\S+ redir=\S+ resp=\d)[^\n]*"), rb"\1 \2 \3"),
    (re.compile(rb"([$=])\d+\r\n((?:txt:)? flags=)"), rb"\1N\r\n\2"),
]


def encode_parts(text):
    return [part.encode().decode("unicode_escape").encode("latin-1") for part in text.split()]


def encode(text):
    return wire.encode(encode_parts(text))


def receive(connection):
    """What comes before the answer to PING, or until the connection closes."""
    received = b""
    try:
        connection.send(wire.encode([b"PING", FENCE]))
        while FENCE + b"\r\n" not in received:
            data = connection.socket.recv(1 << 16)
            if not data:
                return received + CLOSED
            received += data
    except socket.timeout:
        return received + b"<silent>"
    except OSError:
        return received + CLOSED
    return received


def tidy(received, ids):
    for pattern, replacement in REPLACED:
        received = pattern.sub(replacement, received)
    for number, client_id in enumerate(ids):
        received = re.sub(rb"(?<![0-9])" + client_id + rb"(?![0-9])", b"ID%d" % number, received)
    return received


class Talk:
    """One server's part in a conversation: what every connection heard, step by step."""

    def __init__(self, server, protocol):
        self.server = server
        self.protocol = protocol
        self.connections = {}
        self.ids = []
        self.unasked = set()  # connections that PING would not answer now
        self.heard = []

    def connection(self, name):
        if name not in self.connections:
            self.connections[name] = self.server.connect(self.protocol, timeout=10)
        return self.connections[name]

    def listen(self, name, request):
        received = receive(self.connections[name])
        self.heard.append((name, request, tidy(received, self.ids)))
        if received.endswith(CLOSED):
            self.unasked.add(name)

    def step(self, name, request, option=None):
        connection = self.connection(name)
        if option == "id":
            self.ids.append(b"%d" % int(connection.call(*encode_parts(request)).text))
            return
        if request is None or option == "on":
            self.unasked.discard(name)
        if request is not None:
            id_text = self.ids[-1].decode() if self.ids else ""
            connection.send(encode(request.replace("{id}", id_text)))
        if option in ("off", "blocks", "answered", "listens"):
            self.unasked.add(name)
        if option == "answered":
            self.heard.append((name, request, connection.read().text))
        if option == "blocks":
            self.wait_until(lambda ask: b"\r\nblocked_clients:1\r\n" in ask("INFO", "clients").text,
                            "a blocked client")
        if option == "listens":
            self.wait_until(lambda ask: ask("PUBSUB", "NUMSUB", "x").items[1].text != b"0",
                            "a client that listens on x")
        for other in sorted(self.connections, key=lambda one: (one != name, one)):
            if other not in self.unasked:
                self.listen(other, request)

    def wait_until(self, holds, what):
        with self.server.connect(self.protocol, timeout=10) as connection:
            for _ in range(ASKED_AT_MOST):
                if holds(connection.call):
                    return
        raise AssertionError(f"{self.server.name}: no sign of {what}")

    def close(self):
        """Ends every connection, and waits until the server has: the next conversation counts."""
        for connection in self.connections.values():
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)
                while connection.socket.recv(1 << 16):
                    pass
            connection.close()


def talk(server, protocol, steps):
    """Everything that was received, in the order of the steps."""
    part = Talk(server, protocol)
    try:
        for step in steps:
            part.step(*step)
    finally:
        part.close()
    return part.heard


def compare(pair, protocol, steps):
    larder, redis = talk(pair.larder, protocol, steps), talk(pair.redis, protocol, steps)
    for left, right in zip(larder, redis):
        if left != right:
            return f"{left[0]} after {left[1]!r}: larder {left[2]!r}, Redis {right[2]!r}"
    return None


def run(pair, failures):
    for protocol in (2, 3):
        for name, steps in CONVERSATIONS.items():
            failures.check(f"RESP{protocol} conversation: {name}", compare(pair, protocol, steps))
