#!/usr/bin/env python3
"""Turns lines of separated fields into JSONL, a row a line, for `larder serve --key-field`.

    python3 examples/csv_to_jsonl.py people.csv > people.jsonl
    larder serve people.jsonl --key-field id

    python3 examples/csv_to_jsonl.py --delimiter ';' --columns code,name,category \\
        /usr/share/unicode/UnicodeData.txt > unicode.jsonl
    larder serve unicode.jsonl --key-field code
"""

import argparse
import csv
import json
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the CSV file, UTF-8")
    parser.add_argument("--delimiter", default=",", help="between two fields (default: a comma)")
    parser.add_argument("--columns", help="names, separated by commas (default: the first line); "
                                          "fields behind the last name are left out")
    arguments = parser.parse_args()
    columns = arguments.columns.split(",") if arguments.columns else None
    with open(arguments.file, encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines, fieldnames=columns, delimiter=arguments.delimiter)
        for row in rows:
            row.pop(None, None)
            json.dump(row, sys.stdout, ensure_ascii=False)
            sys.stdout.write("\n")


if __name__ == "__main__":
    main()
