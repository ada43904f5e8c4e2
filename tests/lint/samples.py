"""Samples for the rules: small trees, and which rules fire on them.

Marks that the rules look for are put together, so that this file is clean itself.
"""

ALL_RULES = {
    "layers", "test-only", "public-header", "function-length", "file-length", "file-calls",
    "filesystem", "publish", "throw", "print", "sleep", "dead-code", "debris", "whitespace",
    "machine-path", "large-file", "build-output",
}


def _cpp(*lines):
    return "\n".join(lines).encode() + b"\n"


def _function(lines, head="int F(int a) {"):
    return _cpp(head, *["  a += 1;"] * (lines - 2), "}")


_IO = b"larder_library(io\n  SOURCES a.cc\n  DEPS base)\n"
_BASE = b"larder_library(base\n  SOURCES a.cc\n  LIBS fmt::fmt)\n"
_STORE = b"larder_library(store SOURCES a.cc DEPS base)\n"
_FAULTY = b"larder_library(io_faulty SOURCES a.cc DEPS io base)\n"

# (what it shows, files, the rules that fire)
SAMPLES = [
    # ---- Layers.
    ("a folder may include itself, base and what stands below it",
     {"src/command/a.cc": _cpp('#include "command/a.h"', '#include "base/error.h"',
                               '#include "store/catalogue.h"', '#include "snapshot/value.h"',
                               '#include "larder/store.h"', "#include <vector>")}, set()),
    ("a pure codec knows no store",
     {"src/protocol/resp/a.cc": _cpp('#include "store/catalogue.h"')}, {"layers"}),
    ("an arrow upwards", {"src/snapshot/a.h": _cpp('#include "dataset/dataset.h"')}, {"layers"}),
    ("an include in a comment is none",
     {"src/base/a.h": _cpp('// for instance #include "cli/main.h"')}, set()),
    ("an include relative to the file", {"src/io/a.cc": _cpp('#include "a.h"')}, {"layers"}),
    ("a folder that the design does not have", {"src/util/a.h": _cpp("int a;")}, {"layers"}),
    ("cli wires everything together",
     {"src/cli/a.cc": _cpp('#include "server/server.h"', '#include "import/importer.h"')}, set()),
    ("a product file with the faulty twin",
     {"src/dataset/a.cc": _cpp('#include "io/faulty_file_system.h"')}, {"test-only"}),
    ("a test with the faulty twin",
     {"src/dataset/a_test.cc": _cpp('#include "io/faulty_file_system.h"')}, set()),
    ("a product file with gtest", {"src/io/a.cc": _cpp("#include <gtest/gtest.h>")},
     {"test-only"}),
    ("a public header that shows the inside",
     {"include/larder/a.h": _cpp('#include "base/error.h"')}, {"public-header"}),
    ("a library that depends downwards",
     {"src/base/CMakeLists.txt": _BASE, "src/io/CMakeLists.txt": _IO}, set()),
    ("a library that depends upwards",
     {"src/base/CMakeLists.txt": _BASE, "src/store/CMakeLists.txt": _STORE,
      "src/io/CMakeLists.txt": b"larder_library(io\n  SOURCES a.cc\n  DEPS store base)\n"},
     {"layers"}),
    ("a library that nobody makes", {"src/io/CMakeLists.txt": _IO}, {"layers"}),
    ("a test links the faulty twin, a library does not",
     {"src/base/CMakeLists.txt": _BASE, "src/io/CMakeLists.txt": _IO + _FAULTY,
      "src/snapshot/CMakeLists.txt":
          b"larder_test(snapshot SOURCES a_test.cc DEPS io_faulty base)\n"}, set()),
    ("a library links the faulty twin",
     {"src/base/CMakeLists.txt": _BASE, "src/io/CMakeLists.txt": _IO + _FAULTY,
      "src/snapshot/CMakeLists.txt":
          b"larder_library(snapshot SOURCES a.cc DEPS io_faulty base)\n"}, {"test-only"}),
    # ---- Lengths.
    ("a function of 70 lines", {"src/io/a.cc": _function(70)}, set()),
    ("a function of 71 lines", {"src/io/a.cc": _function(71)}, {"function-length"}),
    ("a long method", {"src/io/a.h": _cpp("class A {", " public:") +
                       _function(71, "  int F(std::vector<int> a) const override {") + b"};\n"},
     {"function-length"}),
    ("a long test", {"src/io/a_test.cc": _function(71, "TEST(A, B) {")}, {"function-length"}),
    ("a long constructor behind braces of its members",
     {"src/io/a.cc": _function(71, "A::A(int a) : b_{a}, c_(a) {")}, {"function-length"}),
    ("a long function that returns a struct of C",
     {"src/io/a.cc": _function(71, "int F(const struct stat& a) {")}, {"function-length"}),
    ("a long class and a long table of short things",
     {"src/io/a.h": _cpp("namespace larder {", "struct A {", *["  int F() { return 1; }"] * 80,
                         "};", "constexpr int kTable[] = {", *["  1,"] * 80, "};", "}")}, set()),
    ("a long table whose entries are made by calls",
     {"src/io/a.h": _cpp("constexpr A kTable[] = {", *["  {.b = {F(1)}, .c = 2},"] * 80, "};")},
     set()),
    ("braces in strings and comments count for nothing",
     {"src/io/a.cc": _cpp("void F() {", '  G("{{{", \'{\');  // {', "}", *["int a;"] * 80)},
     set()),
    ("a long Python function",
     {"tests/a.py": _cpp("def f():", *["    a = 1"] * 70)}, {"function-length"}),
    ("a file of 601 lines", {"src/io/a.h": _cpp(*["int a;"] * 601)}, {"file-length"}),
    ("a test file of 601 lines", {"src/io/a_test.cc": _cpp(*["int a;"] * 601)}, set()),
    ("a test file of 1001 lines", {"tests/a.py": _cpp(*["a = 1"] * 1001)}, {"file-length"}),
    # ---- Banned calls.
    ("a file opened behind the seam",
     {"src/dataset/a.cc": _cpp("int F() { return ::open(path, 0); }")}, {"file-calls"}),
    ("a file opened with the standard library",
     {"src/server/a.cc": _cpp("void F() { std::ifstream file(path); }")}, {"file-calls"}),
    ("files synced and removed behind the seam",
     {"src/snapshot/a.cc": _cpp("void F() {", "  fsync(fd);", "  std::rename(a, b);", "}")},
     {"file-calls"}),
    ("members and functions of the same names are others",
     {"src/store/a.cc": _cpp("bool open() const;", "Result<void> open(int a);",
                             "void F() { file.open(a); file->unlink(); Store::open(b); }")}, set()),
    ("the seam itself", {"src/io/a.cc": _cpp("int F() { return ::open(path, 0); }")}, set()),
    ("std::filesystem outside of the seam",
     {"src/dataset/a.cc": _cpp("#include <filesystem>")}, {"filesystem"}),
    ("std::filesystem in a test", {"src/dataset/a_test.cc": _cpp("#include <filesystem>")}, set()),
    ("a rename outside of PublishFile",
     {"src/io/a.cc": _cpp("void F() { files.Rename(a, b); }")}, {"publish"}),
    ("an exception thrown", {"src/cli/a.cc": _cpp("void F() { throw 1; }")}, {"throw"}),
    ("an exception in a comment", {"src/cli/a.cc": _cpp("// does not throw", "int a;")}, set()),
    ("a line printed by a library",
     {"src/dataset/a.cc": _cpp('void F() { std::printf("a"); }')}, {"print"}),
    ("a stream used by a library", {"src/dataset/a.cc": _cpp("void F() { std::cerr << 1; }")},
     {"print"}),
    ("a line printed by the program", {"src/cli/a.cc": _cpp('void F() { std::printf("a"); }')},
     set()),
    ("text formatted without printing",
     {"src/dataset/a.cc": _cpp('void F() { std::snprintf(a, 1, "a"); }')}, set()),
    ("a test that sleeps",
     {"src/io/a_test.cc": _cpp("void F() { std::this_thread::sleep_for(d); }")}, {"sleep"}),
    ("a Python test that sleeps", {"tests/a.py": _cpp("time.sl" "eep(1)")}, {"sleep"}),
    ("a sleep with its reason, beside it or above",
     {"tests/a.py": _cpp("time.sl" "eep(1)  # lint-allow(sleep): the pause is what is tested",
                         "# lint-allow(sleep): as above", "time.sl" "eep(1)")}, set()),
    ("a sleep without a reason",
     {"tests/a.py": _cpp("time.sl" "eep(1)  # lint-allow(sleep):")}, {"sleep"}),
    ("a sleep allowed for another rule",
     {"tests/a.py": _cpp("time.sl" "eep(1)  # lint-allow(print): no")}, {"sleep"}),
    ("code that is never compiled", {"src/io/a.cc": _cpp("#if 0", "int a;", "#endif")},
     {"dead-code"}),
    # ---- Debris.
    ("an open end", {"docs/a.md": _cpp("TO" "DO: more")}, {"debris"}),
    ("a mark inside of a longer word", {"src/io/a.cc": _cpp("int larder_XXXXXX;")}, set()),
    ("a conflict", {"src/io/a.cc": _cpp("<" * 7 + " HEAD", "int a;", ">" * 7 + " other")},
     {"debris"}),
    ("whitespace at the end", {"docs/a.md": b"a \nb\n"}, {"whitespace"}),
    ("no line end at the end", {"docs/a.md": b"a"}, {"whitespace"}),
    ("bytes of a fuzz corpus are as they are", {"src/io/corpus/a": b"a \r"}, set()),
    ("a path of one machine", {"docs/a.md": b"see /wo" b"rk/main\n"}, {"machine-path"}),
    ("somebody's home", {"bench/a.py": b"x = '/ho" b"me/me/data'\n"}, {"machine-path"}),
    ("a path inside of the tree", {"docs/a.md": b"see tests/wo" b"rk/a\n"}, set()),
    ("a large file", {"examples/a.jsonl": b"a\n" * (1 << 19) + b"a\n"}, {"large-file"}),
    ("an object file", {"src/io/a.o": b"\0"}, {"build-output"}),
    ("a cache of Python", {"tests/__pycache__/a.pyc": b"\0"}, {"build-output"}),
]
