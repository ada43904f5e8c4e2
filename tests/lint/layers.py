"""Which folder may know which: the table of the design, for includes and for libraries."""
import re

from source import Violation, is_cpp, is_test, line_of

# Folder of src/: the folders it may include; it may also include itself, base, include/larder and
# what those may. The same table stands in docs/ARCHITECTURE.md.
TABLE = {
    "base": [],
    "io": [],
    "log": ["io"],
    "snapshot": ["io"],
    "rdb": [],
    "import": ["io", "rdb"],
    "export": ["snapshot", "rdb"],
    "dataset": ["import", "snapshot"],
    "map": ["log", "snapshot", "export"],
    "queue": ["log"],
    "store": ["dataset", "map", "queue"],
    "protocol": [],
    "json_path": [],
    "command": ["protocol", "json_path", "store"],
    "server": ["command", "io"],
    "library": ["server"],
    "remote": ["dataset", "map", "queue"],
    "admin": ["store", "server"],
    "cli": ["*"],
}

# For tests only: the rest of src/ neither includes nor links them.
TEST_HEADERS = {"io/faulty_file_system.h", "io/model_disk.h", "io/test_directory.h"}
TEST_LIBRARIES = {"io_faulty"}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
_TEST_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*<(gtest|gmock|benchmark)/', re.MULTILINE)
_TARGET = re.compile(r"\blarder_(library|test|fuzz|bench)\s*\(([^)]*)\)")
_KEYWORDS = {"SOURCES", "SOURCE", "DEPS", "LIBS", "CORPUS"}


def may_include(folder):
    """The folders that `folder` may include."""
    if "*" in TABLE[folder]:
        return set(TABLE)
    reached = {folder, "base"}
    waiting = list(TABLE[folder])
    while waiting:
        next_folder = waiting.pop()
        if next_folder not in reached:
            reached.add(next_folder)
            waiting += TABLE[next_folder]
    return reached


def folder_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


def check_includes(path, text):
    if not is_cpp(path):
        return []
    if path.startswith("include/larder/"):
        return [Violation(path, line_of(text, match.start()), "public-header",
                          f"the public API includes only larder/, not {match.group(1)}")
                for match in _INCLUDE.finditer(text) if not match.group(1).startswith("larder/")]
    folder = folder_of(path)
    if folder is None:
        return []
    if folder not in TABLE:
        return [Violation(path, 1, "layers", f"src/{folder} is not in the table of layers.py")]
    found = []
    for match in _INCLUDE.finditer(text):
        found += _check_include(path, line_of(text, match.start()), folder, match.group(1))
    if not is_test(path):
        found += [Violation(path, line_of(text, match.start()), "test-only",
                            f"<{match.group(1)}/...> outside of a test")
                  for match in _TEST_INCLUDE.finditer(text)]
    return found


def _check_include(path, line, folder, included):
    if included in TEST_HEADERS and not is_test(path) and folder != "io":
        return [Violation(path, line, "test-only", f"{included} is for tests")]
    target = included.split("/")[0]
    if target == "larder" or target in may_include(folder):
        return []
    if target in TABLE:
        return [Violation(path, line, "layers",
                          f"src/{folder} may not include {included} "
                          f"(it may: {', '.join(sorted(may_include(folder)))})")]
    return [Violation(path, line, "layers", f'"{included}" does not start at src/')]


def _arguments(body, keyword):
    """The words after a keyword of a CMake call, up to the next keyword."""
    taken, taking = [], False
    for word in re.sub(r"#[^\n]*", "", body).split():
        if word in _KEYWORDS:
            taking = word == keyword
        elif taking:
            taken.append(word)
    return taken


def check_libraries(files):
    """The DEPS of every target in src/ against the table."""
    targets = []
    folder_of_library = {}
    for path, content in sorted(files.items()):
        if not path.endswith("CMakeLists.txt") or folder_of(path) is None:
            continue
        text = content.decode("utf-8", errors="replace")
        for match in _TARGET.finditer(text):
            name = (match.group(2).split() or ["?"])[0]
            if match.group(1) == "library":
                folder_of_library[name] = folder_of(path)
            targets.append((path, line_of(text, match.start()), match.group(1), name,
                            _arguments(match.group(2), "DEPS")))
    found = []
    for path, line, kind, name, dependencies in targets:
        for dependency in dependencies:
            found += _check_dependency(path, line, kind, name, dependency, folder_of_library)
    return found


def _check_dependency(path, line, kind, name, dependency, folder_of_library):
    folder = folder_of(path)
    if folder not in TABLE:
        return [Violation(path, line, "layers", f"src/{folder} is not in the table of layers.py")]
    if dependency in TEST_LIBRARIES and kind == "library" and name not in TEST_LIBRARIES:
        return [Violation(path, line, "test-only", f"{name} links {dependency}, which is for tests")]
    target = folder_of_library.get(dependency)
    if target is None:
        return [Violation(path, line, "layers", f"{name} depends on {dependency}: no such library")]
    if target in may_include(folder):
        return []
    return [Violation(path, line, "layers", f"src/{folder} may not depend on src/{target}")]
