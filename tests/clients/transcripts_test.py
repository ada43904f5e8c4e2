"""Replays transcripts/*.txt: what clients that cannot be installed here send, and what they need of
the answers. transcripts/README.md tells the format.

usage: transcripts_test.py [NAMES...]
"""

import contextlib
import glob
import os
import re
import shlex
import sys

import client_sources
from harness import wire

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "transcripts")
PASSWORD = "secret"
QUIET_SECONDS = 60


def shown(reply):
    """A reply as transcripts write it."""
    if reply.is_null:
        return "nil"
    if reply.items is None:
        text = reply.text.decode("utf-8", "backslashreplace")
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
        if reply.kind == b"$":
            return f'"{text}"'
        return ("-" if reply.is_error else reply.kind.decode()) + text
    parts = [shown(item) for item in reply.items]
    if reply.kind == b"%":
        return "{" + ", ".join(f"{k}: {v}" for k, v in zip(parts[0::2], parts[1::2])) + "}"
    mark = "" if reply.kind == b"*" else reply.kind.decode()
    return f"{mark}[" + ", ".join(parts) + "]"


def matches(pattern, text):
    parts = (re.escape(part) for part in pattern.split("..."))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def words_of(line):
    return [bytes.fromhex(word[4:]) if word.startswith("hex:") else word.encode()
            for word in shlex.split(line)]


class Player:
    """Plays one transcript against the two servers of `sources` (without and with a password)."""

    def __init__(self, path, sources):
        self.path = path
        self.sources = sources
        self.source = None
        self.connection = None
        self.requests = []

    def wrong(self, number, message):
        return f"{os.path.relpath(self.path)}:{number}: {message}"

    def play(self):
        """What went wrong first; None: nothing."""
        with open(self.path, encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file]
        for number, line in enumerate(lines, 1):
            following = lines[number] if number < len(lines) else ""
            try:
                message = self.step(line, following)
            except (OSError, wire.WireError) as error:
                message = f"{line}: {error}"
            if message is not None:
                return self.wrong(number, message)
        self.close()
        return None

    def step(self, line, following):
        mark, _, rest = line.partition(" ")
        if mark == "=":
            return self.open(rest)
        if mark == ">":
            self.requests.append(words_of(rest))
            return None
        if mark == "!":
            return self.act(rest)
        if mark == "<":
            instead = client_sources.AGAINST == "redis" and following.startswith("<redis ")
            return self.expect(following.removeprefix("<redis ") if instead else rest)
        if mark in ("#", "", "<redis"):
            return None
        return f"no line of a transcript begins with {mark!r}"

    def open(self, title):
        self.close()
        self.source = self.sources[title.startswith("password:")]
        self.connection = self.source.server.connect(timeout=QUIET_SECONDS)
        return None

    def close(self):
        if self.connection is not None:
            self.connection.close()

    def send(self):
        if self.requests:
            self.connection.send(b"".join(map(wire.encode, self.requests)))
        self.requests = []

    def expect(self, pattern):
        self.send()
        found = shown(self.connection.read())
        return None if matches(pattern, found) else f"expected {pattern}, got {found}"

    def act(self, line):
        self.send()
        if line == "switch":
            self.source.publish_next()
            return None
        with self.source.server.connect() as other:
            reply = other.call(*words_of(line))
        return f"{line}: {shown(reply)}" if reply.is_error else None


def main():
    names = sys.argv[1:] or sorted(
        os.path.splitext(os.path.basename(path))[0] for path in glob.glob(f"{HERE}/*.txt"))
    wrong = []
    with contextlib.ExitStack() as stack:
        sources = [client_sources.start(stack), client_sources.start(stack, PASSWORD)]
        for name in names:
            message = Player(os.path.join(HERE, f"{name}.txt"), sources).play()
            if message is not None:
                wrong.append(message)
    for message in wrong:
        print(message)
    return 1 if wrong or not names else 0


if __name__ == "__main__":
    sys.exit(main())
