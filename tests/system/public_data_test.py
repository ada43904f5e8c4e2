"""Data that everybody has, served with one command each: Debian's iso-codes (JSON documents) and
the Unicode character database (lines of fields, turned to JSONL)."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from harness.programs import LARDER
from harness.servers import start_larder

ISO_CODES = "/usr/share/iso-codes/json"
UNICODE_DATA = "/usr/share/unicode/UnicodeData.txt"
CSV_TO_JSONL = os.path.join(os.environ.get("LARDER_SOURCE_DIR", "."), "examples",
                            "csv_to_jsonl.py")
UNICODE_COLUMNS = "code,name,category,combining,bidi,decomposition,decimal,digit,numeric," \
                  "mirrored,old_name,comment,upper,lower,title"


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


class PublicData(unittest.TestCase):
    def setUp(self):
        for path, package in ((ISO_CODES, "iso-codes"), (UNICODE_DATA, "unicode-data")):
            self.assertTrue(os.path.exists(path), f"{package} is not installed; ./dev deps does it")
        directory = tempfile.TemporaryDirectory(prefix="larder-public-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def serve(self, path, key_field):
        server = self.enterContext(start_larder(LARDER, files=[path],
                                                arguments=["--key-field", key_field]))
        return self.enterContext(server.connect())

    def assert_rows_are_served(self, connection, rows, key_field):
        """Every row is the hash of its other fields."""
        self.assertGreater(len(rows), 0)
        self.assertEqual(connection.call("DBSIZE").text, b"%d" % len(rows))
        replies = connection.pipeline([[b"HGETALL", row[key_field].encode()] for row in rows])
        for row, reply in zip(rows, replies):
            served = {name.text.decode(): value.text.decode() for name, value in
                      zip(reply.items[0::2], reply.items[1::2])}
            expected = {name: text(value) for name, value in row.items() if name != key_field}
            self.assertEqual(served, expected, row[key_field])

    def test_countries_languages_and_currencies(self):
        for name, member, key_field in (
                ("iso_3166-1", "3166-1", "alpha_2"), ("iso_3166-2", "3166-2", "code"),
                ("iso_639-3", "639-3", "alpha_3"), ("iso_4217", "4217", "alpha_3"),
                ("iso_15924", "15924", "alpha_4")):
            with self.subTest(name):
                path = os.path.join(ISO_CODES, f"{name}.json")
                with open(path, encoding="utf-8") as document:
                    rows = json.load(document)[member]
                self.assert_rows_are_served(self.serve(path, key_field), rows, key_field)

    def test_the_characters_of_unicode(self):
        path = os.path.join(self.directory, "unicode.jsonl")
        with open(path, "w", encoding="utf-8") as out:
            subprocess.run([sys.executable, CSV_TO_JSONL, "--delimiter", ";",
                            "--columns", UNICODE_COLUMNS, UNICODE_DATA], stdout=out, check=True)
        with open(UNICODE_DATA, encoding="utf-8") as lines:
            rows = [dict(zip(UNICODE_COLUMNS.split(","), line.rstrip("\n").split(";")))
                    for line in lines]
        connection = self.serve(path, "code")
        self.assert_rows_are_served(connection, rows, "code")
        self.assertEqual(connection.call("HGET", "0041", "name").text, b"LATIN CAPITAL LETTER A")


if __name__ == "__main__":
    unittest.main()
