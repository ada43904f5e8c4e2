"""What the rules share: a violation, kinds of files, C++ text without comments and strings."""
import collections
import re

Violation = collections.namedtuple("Violation", "path line rule message")

CPP_ENDINGS = (".h", ".cc")


def is_cpp(path):
    return path.endswith(CPP_ENDINGS)


def is_test(path):
    """Tests, fuzz targets and benchmarks, wherever they stand."""
    stem = path.rsplit(".", 1)[0]
    return (path.startswith(("tests/", "bench/", "cmake/"))
            or stem.endswith(("_test", "_bench", "_fuzz"))
            or stem.rsplit("/", 1)[-1].startswith("test_"))


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def allowed(text, line, rule):
    """Whether the line, or the one above it, allows the rule to be broken and gives a reason."""
    lines = text.split("\n")
    pattern = re.compile(r"lint-allow\(" + re.escape(rule) + r"\): *\S")
    return any(pattern.search(lines[number]) for number in (line - 1, line - 2)
               if 0 <= number < len(lines))


# In the order in which they are tried: raw strings hold quotes, strings hold comment marks.
_PARTS = re.compile(
    r'R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"'
    r'|//[^\n]*|/\*.*?\*/'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def without_comments_and_strings(text):
    """The same text with the same lines; comments are blanks, strings are empty."""
    def blank(match):
        part = match.group(0)
        kept = "" if part.startswith("/") else '""'
        return kept + "\n" * part.count("\n")
    return _PARTS.sub(blank, text)
