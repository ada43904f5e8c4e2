"""Export, diff, watch, accept, manual pages and completion from outside."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness.programs import LARDER
from harness.servers import start_larder

OK, USAGE, NOT_FOUND, BAD_DATA, DIFFERENT, PIPE_CLOSED = 0, 2, 3, 4, 6, 141


def lines(**values):
    return "".join(json.dumps({"key": key, "value": value}) + "\n"
                   for key, value in values.items())


def many(count):
    return "".join(json.dumps({"key": f"key/{i}", "value": "v" * 50}) + "\n"
                   for i in range(count))


class DatasetsTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.program = os.path.abspath(LARDER)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        data = text if isinstance(text, bytes) else text.encode()
        with open(self.path(name) + ".new", "wb") as out:
            out.write(data)
        os.replace(self.path(name) + ".new", self.path(name))
        return self.path(name)

    def larder(self, *arguments, expect=OK):
        done = subprocess.run([self.program, *arguments], cwd=self.directory, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, expect, f"{arguments}: {done.stdout}{done.stderr}")
        if expect not in (OK, DIFFERENT):
            self.assertTrue(done.stderr.startswith("larder: "), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
        return done.stdout if expect in (OK, DIFFERENT) else done.stderr

    def serve(self, text, arguments=()):
        source = self.write("features.jsonl", text)
        server = start_larder(self.program, files=[source], directory=self.directory,
                              arguments=arguments)
        return self.enterContext(server)

    def take(self, server, text):
        self.write("features.jsonl", text)
        with server.connect() as connection:
            return connection.call(b"LARDER", b"RELOAD", b"features")

    # ---- Export

    def test_export_is_the_source_again(self):
        text = '{"key":"b","value":"1"}\n{"key":"a","value":{"f":"v"}}\n'
        self.write("f.jsonl", text)
        self.larder("build", "f.jsonl", "-o", "f.snap")
        self.assertEqual(self.larder("export", "f.snap"), text)
        self.assertEqual(self.larder("export", "f.jsonl"), text)
        self.assertIn("2 records", self.larder("export", "f.snap", "-o", "out.jsonl.gz"))
        with gzip.open(self.path("out.jsonl.gz"), "rt") as out:
            self.assertEqual(out.read(), text)
        self.assertEqual(sorted(os.listdir(self.directory)), ["f.jsonl", "f.snap", "out.jsonl.gz"])

    def test_export_takes_the_place_of_files_only(self):
        self.write("f.jsonl", lines(a="1"))
        self.assertIn("is the source itself",
                      self.larder("export", "f.jsonl", "-o", "f.jsonl", expect=USAGE))
        self.larder("export", "f.jsonl", "-o", "/dev/null", expect=USAGE)
        self.assertTrue(os.path.exists("/dev/null"))
        os.symlink("/dev/null", self.path("link"))
        for command in ("export", "build"):
            self.assertIn("is a symbolic link",
                          self.larder(command, "f.jsonl", "-o", "link", expect=USAGE))
        self.assertTrue(os.path.islink(self.path("link")))
        self.larder("export", "f.jsonl", "-o", "missing/f.jsonl", expect=NOT_FOUND)
        self.larder("export", "nothing", expect=NOT_FOUND)

    def test_a_reader_that_goes_away_ends_export_quietly(self):
        self.write("f.jsonl", many(50000))
        export = subprocess.Popen([self.program, "export", "f.jsonl"], cwd=self.directory,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(export.stdout.readline()[:7], b'{"key":')
        export.stdout.close()
        self.assertEqual(export.wait(timeout=120), PIPE_CLOSED)
        self.assertEqual(export.stderr.read(), b"")
        export.stderr.close()

    def test_a_full_disk_is_an_error(self):
        self.write("f.jsonl", lines(a="1"))
        with open("/dev/full", "wb") as full:
            done = subprocess.run([self.program, "export", "f.jsonl"], cwd=self.directory,
                                  stdout=full, stderr=subprocess.PIPE, timeout=120, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)

    # ---- Diff

    def test_diff_tells_what_changed(self):
        self.write("a.jsonl", lines(same="1", gone="1", other={"f": "1", "g": "2"}))
        self.write("b.jsonl", lines(new="1", other={"g": "2", "f": "x"}, same="1"))
        text = self.larder("diff", "a.jsonl", "b.jsonl", expect=DIFFERENT)
        self.assertEqual(text.splitlines(), [
            "a.jsonl -> b.jsonl: 1 added, 1 removed, 1 changed, 1 equal",
            '+ "new" (string)', '- "gone" (string)', '~ "other" (hash)',
            '    field "f": "1" -> "x"'])
        report = json.loads(self.larder("diff", "a.jsonl", "b.jsonl", "--json", "--samples", "0",
                                        expect=DIFFERENT))
        self.assertEqual((report["added"], report["removed"], report["changed"], report["equal"]),
                         (1, 1, 1, 1))
        self.assertEqual(report["samples"], {"added": [], "removed": [], "changed": []})
        self.assertIn("3 equal", self.larder("diff", "a.jsonl", "a.jsonl"))

    def test_diff_of_what_is_not_utf8(self):
        self.write("a.jsonl", '{"key":"/w==","key_encoding":"base64","value":"v"}\n')
        self.write("b.jsonl", "")
        text = self.larder("diff", "a.jsonl", "b.jsonl", expect=DIFFERENT)
        self.assertIn(r'- "\xff" (string)', text)
        report = json.loads(self.larder("diff", "a.jsonl", "b.jsonl", "--json", expect=DIFFERENT))
        self.assertEqual(report["samples"]["removed"],
                         [{"key": "/w==", "key_encoding": "base64", "type": "string"}])

    def test_versions_of_a_store_are_compared(self):
        server = self.serve(lines(a="1", b="1"))
        address = ("--server", f"127.0.0.1:{server.port}")
        self.larder("diff", "features", *address, expect=NOT_FOUND)  # there is one only
        self.take(server, lines(a="1", b="2"))
        place = ("--dir", "store")
        for where in (address, place):
            text = self.larder("diff", "features", *where, expect=DIFFERENT)
            self.assertIn("features@1 -> features@2: 0 added, 0 removed, 1 changed", text)
            self.larder("diff", "features@previous", "features@1", *where)
            self.larder("diff", "features", "features.jsonl", *where)
            self.larder("diff", "features@7", "features", *where, expect=NOT_FOUND)
            self.larder("diff", "features@x", "features", *where, expect=USAGE)
            self.assertIn('"value":"2"', self.larder("export", "features", *where))
            self.assertNotIn('"value":"2"', self.larder("export", "features@1", *where))

    # ---- Refused versions

    def test_a_refused_version_is_shown_compared_and_accepted(self):
        server = self.serve(many(1000))
        address = ("--server", f"127.0.0.1:{server.port}")
        self.larder("accept", "features", *address, expect=NOT_FOUND)
        self.assertTrue(self.take(server, many(100)).is_error)
        for where in (address, ("--dir", "store")):
            text = self.larder("diff", "features", *where, expect=DIFFERENT)
            self.assertIn("0 added, 900 removed, 0 changed, 100 equal", text)
            self.larder("diff", "features@refused", "features.jsonl", *where)
        self.assertIn("REFUSED: ", self.larder("versions", "features", *address))
        listed = json.loads(self.larder("versions", "features", "--json", *address))
        self.assertEqual([version["refused"] for version in listed], [False, True])
        self.assertIn("version 2 is served", self.larder("accept", "features", *address))
        self.larder("diff", "features", "features.jsonl", *address)

    def test_accept_on_a_directory(self):
        server = self.serve(many(1000))
        self.take(server, many(100))
        server.stop()
        self.assertIn("REFUSED: ", self.larder("versions", "features", "--dir", "store"))
        self.assertIn("version 2 is served", self.larder("accept", "features", "--dir", "store"))
        self.larder("accept", "features", "--dir", "store", expect=NOT_FOUND)

    # ---- Watch

    def test_watch_tells_what_happens(self):
        server = self.serve(many(1000))
        address = ("--server", f"127.0.0.1:{server.port}")
        once = self.larder("watch", "--once", *address)
        self.assertRegex(once, r"^\S+Z features serves 1 \(1000 records, \d+ bytes\)\n$")
        self.larder("watch", "nothing", "--once", *address, expect=NOT_FOUND)
        watch = subprocess.Popen([self.program, "watch", "features", "--json", "--interval",
                                  "0.05", *address], stdout=subprocess.PIPE, text=True,
                                 cwd=self.directory)
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.kill)

        def next_event(kind):
            for line in watch.stdout:
                event = json.loads(line)
                if event["event"] == kind:
                    return event
            self.fail(f"watch ended before {kind}")

        self.assertEqual(next_event("state")["current"], 1)
        self.take(server, many(1100))
        event = next_event("switched")
        self.assertEqual((event["previous"], event["version"], event["records"]), (1, 2, 1100))
        self.take(server, many(5))
        event = next_event("refused")
        self.assertEqual(event["version"], 3)
        self.assertIn("5", event["reason"])
        self.larder("rollback", "features", *address)
        self.assertEqual(next_event("rolled_back")["version"], 1)
        self.assertTrue(next_event("pinned")["pinned"])
        server.kill()
        next_event("lost")
        watch.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait(timeout=60), OK)

    # ---- Build and get

    def test_build_shows_skipped_lines(self):
        self.write("f.jsonl", lines(a="1") + "nonsense\n" * 12)
        message = self.larder("build", "f.jsonl", "-o", "f.snap", expect=BAD_DATA)
        self.assertIn("f.jsonl:2:1: ", message)
        text = self.larder("build", "f.jsonl", "-o", "f.snap", "--bad-lines", "skip")
        self.assertIn("1 records", text)
        self.assertIn("from jsonl", text)
        self.assertIn("12 bad lines were skipped:\n  ", text)
        self.assertIn("and 2 more", text)
        report = json.loads(self.larder("build", "f.jsonl", "-o", "f.snap", "--bad-lines", "12",
                                        "--json"))
        self.assertEqual((report["format"], report["skipped_lines"], len(report["bad_lines"])),
                         ("jsonl", 12, 10))

    def test_get_as_json_keeps_every_byte(self):
        self.write("f.jsonl",
                   '{"key":"b","encoding":"base64","value":"/wA="}\n'
                   '{"key":"z","type":"zset","value":{"m":1.5,"n":"inf"}}\n'
                   '{"key":"h","field_encoding":"base64","value":{"/w==":"v"}}\n')
        self.larder("build", "f.jsonl", "-o", "f.snap")
        self.assertEqual(json.loads(self.larder("get", "f.snap", "b", "--json")),
                         {"key": "b", "type": "string", "encoding": "base64", "value": "/wA="})
        self.assertEqual(json.loads(self.larder("get", "f.snap", "z", "--json"))["value"],
                         [{"value": "m", "score": 1.5}, {"value": "n", "score": "inf"}])
        self.assertEqual(json.loads(self.larder("get", "f.snap", "h", "--json"))["value"],
                         {"/w==": "v"})

    # ---- Manual pages and completion

    def subcommands(self):
        page = self.larder("man")
        return [line.split("\\-", 1)[1].split(" ")[0].replace("\\-", "-")
                for line in page.splitlines() if line.startswith(".BR larder\\-")]

    def test_manual_pages_are_clean(self):
        self.assertIn("check-config", self.subcommands())
        self.write("larder.1", self.larder("man"))
        self.write("larder.toml.5", self.larder("man", "larder.toml"))
        for command in self.subcommands():
            self.write(f"larder-{command}.1", self.larder("man", command))
        self.larder("man", "dance", expect=NOT_FOUND)
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                               *sorted(os.listdir(self.directory))],
                              cwd=self.directory, capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.returncode), ("", 0))

    def test_completion_is_well_formed(self):
        for shell, check in (("bash", "-n"), ("zsh", "-n"), ("fish", "-n")):
            self.assertIsNotNone(shutil.which(shell), f"{shell} is not installed")
            script = self.write(f"completion.{shell}", self.larder("completion", shell))
            done = subprocess.run([shell, check, script], capture_output=True, text=True,
                                  check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), shell)
        self.larder("completion", "tcsh", expect=USAGE)

    def complete(self, *words):
        script = self.write("completion.bash", self.larder("completion", "bash"))
        quoted = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(
            ["bash", "-c", f"source {script}; COMP_WORDS=({quoted}); "
             f"COMP_CWORD={len(words) - 1}; _larder; echo \"${{COMPREPLY[@]}}\""],
            capture_output=True, text=True, check=True)
        return done.stdout.split()

    def test_bash_completes_commands_options_and_choices(self):
        self.assertEqual(self.complete("larder", "ver"), ["verify", "versions"])
        typed_first = [name for name in self.subcommands() if not name.startswith("log-")]
        self.assertEqual(sorted(self.complete("larder", "")), sorted(
            [*typed_first, "-h", "--help", "--version"]))
        self.assertEqual(self.complete("larder", "build", "--dup"), ["--duplicates"])
        self.assertEqual(self.complete("larder", "build", "--duplicates", ""),
                         ["last", "first", "error"])
        self.assertEqual(self.complete("larder", "export", "f.json", "--format", "js"),
                         ["jsonl", "json"])
        self.assertEqual(self.complete("larder", "diff", "a.snap", "--sa"), ["--samples"])
        self.assertEqual(self.complete("larder", "log", ""),
                         ["inspect", "verify", "cat", "repair", "-h", "--help"])
        self.assertEqual(self.complete("larder", "log", "repair", "d", "--re"), ["--records"])
        self.assertEqual(self.complete("larder", "inspect", "--p"), [])
        self.assertEqual(self.complete("larder", "diff", "a"), [])  # the shell's: files

    def test_every_command_has_help_with_an_example(self):
        for page in self.subcommands():
            # The pages of commands inside of another are named with a dash.
            words = page.split("-") if page.startswith("log-") else [page]
            self.assertIn(" ".join(["larder", *words]),
                          self.larder(*words, "--help").split("xample")[-1])


if __name__ == "__main__":
    unittest.main()
