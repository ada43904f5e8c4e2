"""Calls that belong to one folder, and things that belong nowhere."""
import collections
import re

from source import Violation, allowed, is_cpp, is_test, line_of, without_comments_and_strings

Rule = collections.namedtuple("Rule", "name pattern applies message")

_FILE_CALLS = (
    "open openat open64 creat fopen freopen opendir readdir scandir rename renameat renameat2 "
    "unlink unlinkat rmdir mkdir mkdirat fsync fdatasync sync_file_range mmap munmap msync mremap "
    "madvise mincore flock lockf ftruncate truncate fallocate posix_fallocate pread pwrite preadv "
    "pwritev stat lstat fstatat link symlink mkstemp mkdtemp copy_file_range").split()

_FILE_CALL = re.compile(r"\b(" + "|".join(_FILE_CALLS) + r")\s*\(")

# Words before a name that leave it a call; after any other word it is being declared.
_BEFORE_A_CALL = {"return", "else", "case", "co_return", "do", "and", "or", "not"}


def _in_src(path):
    return path.startswith("src/") and is_cpp(path)


def _product(path):
    return _in_src(path) and not is_test(path)


def _folder(path):
    return path.split("/")[1] if path.count("/") > 1 else ""


def _printing(path):
    return _product(path) and _folder(path) != "cli"


def _cpp_tests(path):
    return is_cpp(path) and is_test(path) and not path.startswith(("bench/", "cmake/")) \
        and not path.endswith("_bench.cc")


def _python_tests(path):
    return path.startswith("tests/") and path.endswith(".py")


RULES = [
    Rule("file-calls", re.compile(r"\bstd::(basic_)?[io]?fstream\b"),
         lambda path: _product(path) and _folder(path) != "io",
         "files are opened through io/file_system.h"),
    Rule("filesystem", re.compile(r"\bstd::filesystem\b|#\s*include\s*<filesystem>"),
         lambda path: _product(path) and _folder(path) not in ("io", "cli"),
         "std::filesystem belongs to src/io, src/cli and tests"),
    Rule("publish", re.compile(r"(?:\.|->)\s*Rename\s*\("),
         lambda path: _product(path) and path != "src/io/publish_file.cc",
         "only PublishFile renames"),
    Rule("throw", re.compile(r"\bthrow\b"), _in_src, "errors are values"),
    Rule("print", re.compile(r"\b(?:printf|fprintf|vprintf|puts|fputs|putchar)\s*\("
                             r"|\bstd::(?:cout|cerr|clog)\b|\bfmt::print\b"),
         _printing, "lines go to base/log.h, replies to the client"),
    Rule("sleep", re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\("),
         _cpp_tests, "a test waits for an event, not for time"),
    Rule("sleep", re.compile(r"\btime\.sleep\b|\bfrom time import\b.*\bsleep\b"),
         _python_tests, "a test waits for an event, not for time"),
    Rule("dead-code", re.compile(r"^[ \t]*#[ \t]*if[ \t]+0\b", re.MULTILINE), is_cpp,
         "code that is never compiled"),
]


def check(path, text):
    applicable = [rule for rule in RULES if rule.applies(path)]
    watches_files = _product(path) and _folder(path) != "io"
    if not applicable and not watches_files:
        return []
    code = without_comments_and_strings(text) if is_cpp(path) else _without_python_comments(text)
    found = []
    for rule in applicable:
        for match in rule.pattern.finditer(code):
            _add(found, path, text, line_of(code, match.start()), rule.name, rule.message)
    if watches_files:
        for match in _FILE_CALL.finditer(code):
            if _is_free_call(code[:match.start()]):
                _add(found, path, text, line_of(code, match.start()), "file-calls",
                     f"{match.group(1)}() outside src/io")
    return found


def _is_free_call(before):
    """Whether a name followed by a parenthesis, after this code, calls the function of libc."""
    before = before[-200:]
    if before.endswith("::"):
        scope = re.search(r"\w+$", before[:-2])
        return scope is None or scope.group(0) in ("std", *_BEFORE_A_CALL)
    before = before.rstrip()
    if before.endswith((".", "->", ">")):  # a member, or a name after its type
        return False
    word = re.search(r"\w+$", before)
    return word is None or word.group(0) in _BEFORE_A_CALL


def _without_python_comments(text):
    return re.sub(r"#[^\n]*", "", text)


def _add(found, path, text, line, rule, message):
    if not allowed(text, line, rule):
        found.append(Violation(path, line, rule, message))
