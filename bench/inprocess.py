"""Random look-ups in the program's own process: Larder beside cdb, LMDB, RocksDB and hash maps.

10 million records of 17 and 64 bytes: hits, misses and batches of 16, one thread on one core, all in memory
and by turns; and the sizes of the files, of a million records too. `cold`: the first look-ups of a file that
is not in memory, in each mode of residency.
"""
import json
import statistics
import subprocess

from peers import pinned

RECORDS = 10_000_000
SMALL = 1_000_000
# Larder with its pages read in, and in huge pages; RocksDB's look-ups go through its block cache.
ENGINES = ["larder", "larder-huge", "cdb", "lmdb", "rocksdb", "absl", "std"]
FIGURES = ["hit", "miss", "batch", "batch_miss"]


def ask(program, command, directory, *arguments, core=None):
    done = subprocess.run(pinned(core, [program, command, directory, *arguments]), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {command}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def run(options, directory):
    program = options.build / "larder_inprocess"
    if not program.exists():
        raise SystemExit("bench: larder_inprocess is not built; ./dev bench inprocess installs what it needs")
    sizes = {}
    for records in (SMALL, RECORDS):
        place = directory / str(records)
        place.mkdir()
        ask(program, "make", place, "--records", records)
        sizes[records] = ask(program, "sizes", place, "--records", records)[0]
    engines = [word for name in ENGINES for word in ("--engine", name)]
    rounds = ask(program, "measure", place, "--records", RECORDS, "--rounds", options.rounds, *engines, core=1)
    results = {name: {figure: [entry[figure] for entry in rounds if entry["engine"] == name] for figure in FIGURES}
               for name in ENGINES}
    cold = [ask(program, "cold", place, "--records", RECORDS, core=1) for _ in range(3)]
    return {"records": RECORDS, "sizes": sizes, "nanoseconds": results, "cold": cold}


def report(result):
    print(f"in process: {result['records']} records, one thread; nanoseconds a look-up, medians of "
          f"{len(result['nanoseconds']['larder']['hit'])} rounds (in brackets: cdb's by it, one by one)")
    median = {name: {figure: statistics.median(rounds) for figure, rounds in figures.items()}
              for name, figures in result["nanoseconds"].items()}
    print(f"  {'':12} {'hit':>14} {'miss':>14} {'16 hits':>14} {'16 misses':>14}")
    for name, figures in median.items():
        row = []
        for figure in FIGURES:
            peer = median["cdb"]["miss" if "miss" in figure else "hit"]
            row.append(f"{figures[figure]:6.0f} ({peer / figures[figure]:4.2f}x)")
        print(f"  {name:12} " + " ".join(f"{cell:>14}" for cell in row))
    for records, sizes in result["sizes"].items():
        print(f"  {records} records: {sizes['larder']} bytes, {sizes['larder'] / sizes['cdb']:.3f} of cdb's, "
              f"{sizes['index_bytes_per_key']} bytes of index a key")
    print(f"  cold {'':8} {'open, ms':>10} {'us/look-up':>10} {'minor':>8} {'major':>8} faults a look-up")
    for mode in zip(*result["cold"]):
        middle = {figure: statistics.median(entry[figure] for entry in mode)
                  for figure in ("open_ms", "us", "minor", "major")}
        print(f"  {mode[0]['wanted']:12} {middle['open_ms']:10.0f} {middle['us']:10.2f} {middle['minor']:8.2f} "
              f"{middle['major']:8.2f}   reached: {mode[0]['reached']}")
