"""Reads the tables of cases (cases/*.txt).

    # a comment
    GET                         a heading: the command that the cases are of
    normal GET string           a kind, and the request
    normal~members HKEYS hash   compared by an exception (comparison.py) instead of byte for byte
    option SELECT 1 ; GET x     a conversation: on a connection of its own, in this order
    7.2 CLIENT SETINFO ... => +OK\\r\\n     what Redis 7.0.15 does not know: the reply is named here
    json JSON.TYPE doc => ...               the same for the commands of RedisJSON
    json3 JSON.TYPE doc => ...              its reply in RESP3, where it is another

Words are separated by blanks; "" is an empty word; escapes as in Python (\\x00, \\n, \\s a blank).
"""

import glob
import os
import re
from dataclasses import dataclass, field

KINDS = ("normal", "missing", "type", "arity", "syntax", "option", "edge", "number", "7.2",
         "json", "json3")
# A command, or a container with its subcommand: OBJECT|ENCODING.
HEADING = re.compile(r"[A-Z][A-Z0-9_.|-]*$")


@dataclass
class Case:
    command: str
    kind: str
    requests: list
    where: str
    comparison: str = "exact"
    expected: bytes = None
    conversation: bool = field(default=False)

    def __str__(self):
        text = " ; ".join(" ".join(repr(word)[2:-1] or '""' for word in request)
                          for request in self.requests)
        return f"{self.where}: {text}"


def word(text):
    if text == '""':
        return b""
    return text.replace("\\s", " ").encode("latin-1", "backslashreplace").decode(
        "unicode_escape").encode("latin-1")


def requests_of(text):
    requests = []
    for part in f" {text} ".split(" ; "):
        requests.append([word(token) for token in part.split()])
    return requests


def read_case(command, line, where):
    kind, _, text = line.partition(" ")
    kind, _, comparison = kind.partition("~")
    if kind not in KINDS:
        raise ValueError(f"{where}: no kind of case is called {kind!r}")
    text, _, expected = text.partition(" => ")
    requests = requests_of(text)
    return Case(command, kind, requests, where, comparison or "exact",
                word(expected.strip()) if expected else None, len(requests) > 1)


def read_file(path):
    command = None
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.strip()
            where = f"{os.path.basename(path)}:{number}"
            if not line or line.startswith("#"):
                continue
            if HEADING.match(line):
                command = line.lower()
                continue
            yield read_case(command, line, where)


def read_all():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")
    cases = []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        cases += read_file(path)
    return cases
