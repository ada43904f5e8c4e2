"""sources: the same records in every form that a publisher may have them in, until they are served.

Each form is given to a fresh server (nothing on disk); measured are the time from its start until
all records are served, and the CPU time that took, its own start included. Beside it: what a Redis
spends on loading the same records from its RDB file. Then `larder export` and `larder diff` of two
equal Snapshots.
"""
import json
import os
import resource
import shutil
import statistics
import subprocess
import time

from peers import Server, ask, free_port, start_redis


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def timed(command):
    """Wall and CPU seconds of one run."""
    cpu, start = cpu_of_children(), time.monotonic()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start, cpu_of_children() - cpu


def until_served(command, directory, records):
    """Wall and CPU seconds from the start of a server until it serves all records."""
    cpu, start = cpu_of_children(), time.monotonic()
    port = free_port()
    server = Server("taker", command(port), port, directory, core=None)
    try:
        server.wait_for_records(records)
        wall = time.monotonic() - start
    finally:
        server.stop()
    return wall, cpu_of_children() - cpu


def medians(rounds):
    return {"wall_seconds": statistics.median(wall for wall, _ in rounds),
            "cpu_seconds": statistics.median(cpu for _, cpu in rounds)}


def write_forms(larder, make_records, records, directory):
    """{name: path}: the same records, form by form."""
    forms = {name: directory / f"records.{ending}" for name, ending in (
        ("typed JSONL", "typed.jsonl"), ("short JSONL", "short.jsonl"), ("rows", "rows.jsonl"),
        ("JSON document", "json"), ("Snapshot", "snap"), ("Snapshot, zstd", "snap.zst"))}
    with open(forms["typed JSONL"], "wb") as out:
        subprocess.run([make_records, str(records)], stdout=out, check=True)
    for command in (["build", forms["typed JSONL"], "-o", forms["Snapshot"]],
                    ["export", forms["Snapshot"], "-o", forms["short JSONL"]]):
        subprocess.run([larder, *command], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["zstd", "-q", "-3", forms["Snapshot"], "-o", forms["Snapshot, zstd"]], check=True)
    with open(forms["short JSONL"], encoding="utf-8") as lines, \
            open(forms["rows"], "w", encoding="utf-8") as rows, \
            open(forms["JSON document"], "w", encoding="utf-8") as document:
        separator = "{\n"
        for line in lines:
            record = json.loads(line)
            value = record["value"]
            row = value if isinstance(value, dict) else {"value": value}
            rows.write(json.dumps({"id": record["key"], **row}) + "\n")
            document.write(f"{separator}{json.dumps(record['key'])}: {json.dumps(value)}")
            separator = ",\n"
        document.write("\n}\n")
    return forms


def run(options, directory):
    larder = options.build / "larder"
    make_records = options.build / "larder_make_records"
    forms = write_forms(larder, make_records, options.records, directory)
    result = {"forms": {}}

    def served(path):
        store = directory / "versions"
        shutil.rmtree(store, ignore_errors=True)
        key_field = ["--key-field", "id"] if "rows" in path.name else []
        return until_served(lambda port: [larder, "serve", "--resp", f"127.0.0.1:{port}", "--dir",
                                          store, *key_field, path], directory, options.records)
    rounds = {name: [] for name in forms}
    for _ in range(options.rounds):
        for name, path in forms.items():
            rounds[name].append(served(path))
    for name, path in forms.items():
        result["forms"][name] = {"bytes": path.stat().st_size, **medians(rounds[name])}
    result["redis"] = load_redis(options, directory, make_records)
    snap = forms["Snapshot"]
    copy = directory / "copy.snap"
    shutil.copyfile(snap, copy)
    for name, command in (("export", ["export", snap, "-o", directory / "exported.jsonl"]),
                          ("diff", ["diff", snap, copy])):
        result[name] = medians([timed([larder, *command]) for _ in range(options.rounds)])
    return result


def load_redis(options, directory, make_records):
    filled = start_redis(directory, make_records, options.records)
    filled.wait_for_records(options.records)
    assert ask(filled.port, "SAVE") == "+OK"
    filled.stop()
    return medians([until_served(
        lambda port: ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir",
                      directory], directory, options.records) for _ in range(options.rounds)])


def report(result):
    print(f"sources: until a fresh server serves them, {os.cpu_count()} cores")
    for name, form in result["forms"].items():
        print(f"  {name:16} {form['bytes'] / 1e6:6.0f} MB {form['wall_seconds']:6.2f} s, "
              f"{form['cpu_seconds']:6.2f} s of CPU")
    redis = result["redis"]
    print(f"  {'redis, its RDB':16} {'':9} {redis['wall_seconds']:6.2f} s, "
          f"{redis['cpu_seconds']:6.2f} s of CPU")
    for name in ("export", "diff"):
        print(f"  larder {name:9} {'':9} {result[name]['wall_seconds']:6.2f} s, "
              f"{result[name]['cpu_seconds']:6.2f} s of CPU")
