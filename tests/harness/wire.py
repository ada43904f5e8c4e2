"""A small client that speaks RESP2 and RESP3 and keeps replies as they came, byte by byte."""

import socket


class WireError(Exception):
    """Bytes that are no reply, or a connection closed in the middle of one."""


class Reply:
    """One reply: `kind` is its first byte, `text` a scalar's bytes (None: null), `items` an
    aggregate's parts (of a map: key, value, key, value...)."""

    __slots__ = ("kind", "text", "items")

    def __init__(self, kind, text=None, items=None):
        self.kind = kind
        self.text = text
        self.items = items

    @property
    def is_error(self):
        return self.kind in (b"-", b"!")

    @property
    def is_null(self):
        return self.kind == b"_" or (self.text is None and self.items is None)

    def raw(self):
        """The bytes of the reply; exactly those that were read."""
        parts = []
        self.append_raw(parts)
        return b"".join(parts)

    def append_raw(self, parts):
        if self.items is not None:
            count = len(self.items) // 2 if self.kind in (b"%", b"|") else len(self.items)
            parts.append(b"%b%d\r\n" % (self.kind, count))
            for item in self.items:
                item.append_raw(parts)
        elif self.kind in (b"$", b"=", b"!", b"*"):
            if self.text is None:
                parts.append(self.kind + b"-1\r\n")
            else:
                parts.append(b"%b%d\r\n%b\r\n" % (self.kind, len(self.text), self.text))
        else:
            parts.append(self.kind + self.text + b"\r\n")

    def pairs(self):
        return list(zip(self.items[0::2], self.items[1::2]))

    def texts(self):
        return [item.text for item in self.items]

    def __repr__(self):
        raw = self.raw()
        return repr(raw if len(raw) <= 600 else raw[:600] + b"...")


def encode(arguments):
    """A request as an array of bulks."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        parts.append(b"$%d\r\n%b\r\n" % (len(argument), argument))
    return b"".join(parts)


def as_bytes(argument):
    if isinstance(argument, bytes):
        return argument
    return str(argument).encode("utf-8", "surrogateescape")


class Connection:
    def __init__(self, address, protocol=2, timeout=30):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(timeout)
            self.socket.connect(address)
            if family == socket.AF_INET:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            self.socket.close()
            raise
        self.reader = self.socket.makefile("rb", buffering=1 << 16)
        if protocol == 3:
            self.call(b"HELLO", b"3")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()

    def send(self, raw):
        self.socket.sendall(raw)

    def call(self, *arguments):
        self.send(encode([as_bytes(argument) for argument in arguments]))
        return self.read()

    def pipeline(self, requests):
        """Sends all requests (lists of bytes) at once, then reads their replies."""
        self.send(b"".join(map(encode, requests)))
        return [self.read() for _ in requests]

    def read(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise WireError(f"closed in the middle of a reply: {line!r}" if line else "closed")
        kind, head = line[:1], line[1:-2]
        if kind in (b"+", b"-", b":", b"_", b"#", b",", b"("):
            return Reply(kind, head)
        if kind in (b"$", b"=", b"!"):
            size = int(head)
            if size < 0:
                return Reply(kind)
            text = self.reader.read(size + 2)
            if len(text) != size + 2 or not text.endswith(b"\r\n"):
                raise WireError(f"a bulk of {size} bytes does not end with CR LF: {text[-20:]!r}")
            return Reply(kind, text[:-2])
        if kind in (b"*", b"~", b">", b"%", b"|"):
            count = int(head)
            if count < 0:
                return Reply(kind)
            if kind in (b"%", b"|"):
                count *= 2
            return Reply(kind, items=[self.read() for _ in range(count)])
        raise WireError(f"no reply starts like this: {line[:80]!r}")

    def read_to_end(self):
        """All bytes until the server closes the connection."""
        return self.reader.read()
