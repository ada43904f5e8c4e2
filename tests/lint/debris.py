"""What was left behind by accident."""
import re

from source import Violation, allowed, line_of

MAX_FILE_BYTES = 1 << 20

# Put together so that this file does not hold the words it looks for.
_MARKS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
_CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)", re.MULTILINE)
_TRAILING = re.compile(r"[ \t\r]+$", re.MULTILINE)
_MACHINE_PATH = re.compile(r"(?<![\w.])/(?:wo" r"rk|ho" r"me/\w+|ro" r"ot|Use" r"rs)/")
_BUILD_OUTPUT = re.compile(
    r"(^|/)(CMakeCache\.txt|CMakeFiles|__pycache__|compile_commands\.json|core(\.\d+)?)(/|$)"
    r"|\.(o|a|so|pyc|gcda|gcno|profraw|orig|rej|swp|snap\.tmp)$|~$|^build/")

# Bytes that are meant to be odd: inputs of fuzz targets, golden files.
_DATA_FOLDERS = re.compile(r"(^|/)(corpus|golden|testdata)/")


def is_text(path, content):
    return b"\0" not in content and not _DATA_FOLDERS.search(path)


def check_bytes(path, content):
    found = []
    if len(content) > MAX_FILE_BYTES:
        found.append(Violation(path, 1, "large-file",
                               f"{len(content)} bytes (at most {MAX_FILE_BYTES})"))
    if _BUILD_OUTPUT.search(path):
        found.append(Violation(path, 1, "build-output", "made by a tool, not by hand"))
    return found


def check_text(path, text):
    found = []
    for rule, pattern, message in (
            ("debris", _MARKS, "an open end: finish it or write an issue"),
            ("debris", _CONFLICT, "a conflict marker"),
            ("whitespace", _TRAILING, "whitespace at the end of the line"),
            ("machine-path", _MACHINE_PATH, "a path of one machine")):
        for match in pattern.finditer(text):
            line = line_of(text, match.start())
            if not allowed(text, line, rule):
                found.append(Violation(path, line, rule, message))
    if text and not text.endswith("\n"):
        found.append(Violation(path, line_of(text, len(text)), "whitespace",
                               "no line end at the end of the file"))
    return found
