"""What `cmake --install` puts into a prefix: programs build against it, by CMake and by pkg-config,
and it holds nothing that it should not."""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["LARDER_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["LARDER_BINARY_DIR"])
EXAMPLES = SOURCE / "examples" / "library"
STRICT = ["-std=c++23", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
HEADERS = sorted(path.name for path in (SOURCE / "include" / "larder").glob("*.h"))


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=250, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(str(word) for word in command)} ended with "
                             f"{done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="larder_install_")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.root = pathlib.Path(cls.directory.name)
        run("cmake", "--install", BUILD, "--prefix", cls.root / "first")
        # It may be moved: nothing inside names where it was put.
        cls.prefix = cls.root / "prefix"
        (cls.root / "first").rename(cls.prefix)
        cls.library = cls.prefix / "lib"

    def run_example(self, program, *arguments, **options):
        return run(program, *arguments,
                   env={**os.environ, "LD_LIBRARY_PATH": str(self.library)}, **options)

    def check_examples(self, programs):
        shop = SOURCE / "examples" / "shop.jsonl"
        with tempfile.TemporaryDirectory(dir=self.root) as work:
            work = pathlib.Path(work)
            told = self.run_example(programs / "dataset", shop, work / "shop", "flag/guest-orders")
            self.assertIn("owner = checkout\n", told)
            self.assertRegex(told, r"\n[1-9][0-9]* fields in all flags\n$")

            (work / "good.pairs").write_text("a=1\nb=2\n")
            self.assertEqual(self.run_example(programs / "importer", work / "good.pairs",
                                              work / "good.snap"), "compiled\n")
            found = run(self.prefix / "bin" / "larder", "get", work / "good.snap", "b")
            self.assertEqual(found, "2\n")
            (work / "bad.pairs").write_text("a=1\nb\n")
            bad = subprocess.run([programs / "importer", work / "bad.pairs", work / "bad.snap"],
                                 capture_output=True, text=True, check=False,
                                 env={**os.environ, "LD_LIBRARY_PATH": str(self.library)})
            self.assertEqual(bad.returncode, 1)
            self.assertIn("bad.pairs:2: there is no =", bad.stdout)

            put = ["put", "one", "two"]
            self.assertEqual(self.run_example(programs / "queue", work / "jobs", *put),
                             "up to number 2\n")
            self.assertEqual(self.run_example(programs / "queue", work / "jobs", "take"),
                             "one\ntwo\n")
            self.assertEqual(self.run_example(programs / "queue", work / "jobs", "take"), "")

            # The last version of the first example is on disk: it is served at once.
            told = self.run_example(programs / "server", shop, work / "shop", "127.0.0.1:0",
                                    input="currency/ch\nnobody\n")
            self.assertRegex(told, r"^listening on 127\.0\.0\.1:[1-9][0-9]*\n")
            self.assertIn("\ncurrency/ch: CHF\nnobody: not there\n", told)

    def test_examples_build_with_cmake_and_run(self):
        build = self.root / "cmake"
        run("cmake", "-S", EXAMPLES, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_FLAGS={' '.join(STRICT)}", "-DCMAKE_CXX_COMPILER=g++")
        run("cmake", "--build", build, "--parallel", "2")
        self.check_examples(build)

    def test_examples_build_with_pkg_config_and_run(self):
        found = {**os.environ, "PKG_CONFIG_PATH": str(self.library / "pkgconfig")}
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "larder", env=found))
        self.assertIn("-llarder", flags)
        self.assertEqual([flag for flag in flags if flag.startswith("-l")], ["-llarder"])
        programs = self.root / "pkg-config"
        programs.mkdir()
        for example in sorted(EXAMPLES.glob("*.cc")):
            run("g++", *STRICT, example, "-o", programs / example.stem, *flags)
        self.check_examples(programs)

    def test_examples_are_short(self):
        for example in sorted(EXAMPLES.glob("*.cc")):
            lines = [line for line in example.read_text().splitlines()
                     if line.strip() and not line.strip().startswith("//")]
            self.assertLess(len(lines), 30, example.name)

    def test_every_header_compiles_alone(self):
        installed = sorted(path.name for path in (self.prefix / "include" / "larder").iterdir())
        self.assertEqual(installed, HEADERS)
        for header in HEADERS:
            with self.subTest(header=header):
                run("g++", *STRICT, "-fsyntax-only", "-x", "c++", "-", "-I",
                    self.prefix / "include",
                    input=f'#include "larder/{header}"\n#include "larder/{header}"\n')

    def test_library_exports_the_public_interface_only(self):
        symbols = run("nm", "-DC", "--defined-only", self.library / "liblarder.so").splitlines()
        names = [line.split(maxsplit=2)[2] for line in symbols]
        self.assertGreater(len(names), 40)
        public = "\n".join((SOURCE / "include" / "larder" / name).read_text() for name in HEADERS)
        for name in names:
            if name.startswith("larder::library::") or not name.startswith("larder::"):
                self.fail(f"{name} is exported")
            function = re.match(r"(?:larder::)(?:\w+::)*(operator=|~?\w+)", name).group(1)
            declared = re.search(rf"LARDER_API[^;]*{re.escape(function)}\(", public)
            self.assertIsNotNone(declared, f"{name} is exported and in no public header")

    def test_library_has_a_name_by_version(self):
        dynamic = run("readelf", "-d", self.library / "liblarder.so")
        self.assertRegex(dynamic, r"SONAME.*\[liblarder\.so\.0\.1\]")
        self.assertNotRegex(dynamic, r"R(UN)?PATH")

    def test_nothing_names_the_build_tree(self):
        traces = [str(BUILD).encode(), str(self.root / "first").encode(),
                  str(SOURCE / "src").encode()]
        files = [path for path in self.prefix.rglob("*") if path.is_file()]
        self.assertGreater(len(files), 10)
        for path in files:
            content = path.read_bytes()
            for trace in traces:
                self.assertNotIn(trace, content, path)

    def test_what_belongs_to_the_program_is_there(self):
        self.assertTrue(run(self.prefix / "bin" / "larder", "--version"))
        self.assertTrue((self.prefix / "share" / "doc" / "larder" / "LICENSE").is_file())
        if (BUILD / "share").is_dir():
            made = {path.relative_to(BUILD / "share") for path in (BUILD / "share").rglob("*")}
            there = {path.relative_to(self.prefix / "share")
                     for path in (self.prefix / "share").rglob("*")}
            self.assertLessEqual(made, there)


if __name__ == "__main__":
    unittest.main(argv=sys.argv, verbosity=2)
