#!/usr/bin/env python3
"""Instructions per request of the hot workloads, compared with those of bench/instructions.json.

A guard against drift, not a goal: to prefetch costs instructions and saves time. Counted by
callgrind, which counts the same twice, in a process without sockets
(bench/instruction_workloads.cc). What libraries choose by the machine's instructions is pinned.

    ./dev instructions                      compares
    ./dev instructions --accept "REASON"    makes what is counted now the baseline
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASELINE = ROOT / "bench" / "instructions.json"
# glibc's copies and comparisons as on any x86-64, by SSE2.
PINNED = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,"
                            "-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-MOVBE,-BMI2",
          "SIMDJSON_FORCE_IMPLEMENTATION": "westmere"}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **PINNED})
    if done.returncode != 0:
        sys.exit(f"instructions: {' '.join(map(str, command))} failed: {done.stderr.strip()[-2000:]}")
    return done


def count(program, workload):
    """Instructions per request of one workload."""
    with tempfile.TemporaryDirectory(prefix="larder-instructions-") as directory:
        done = run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/counts",
                    "--toggle-collect=*Measured*", program, workload])
    requests, reply_bytes = map(int, done.stdout.split())
    total = int(re.search(r"Collected : (\d+)", done.stderr).group(1))
    if total == 0 or reply_bytes == 0:
        sys.exit(f"instructions: nothing was counted for {workload}")
    return round(total / requests, 1)


def count_all(program):
    """(compiler, {workload: instructions per request})"""
    compiler, *workloads = run([program]).stdout.split()
    with tempfile.TemporaryDirectory(prefix="larder-instructions-") as directory, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        # Debian 12's valgrind gives up on the debugging information of clang 19.
        stripped = pathlib.Path(directory) / "program"
        run(["objcopy", "--strip-debug", program, stripped])
        return compiler, dict(zip(workloads, threads.map(lambda name: count(stripped, name), workloads)))


def compare(counts, known, tolerance):
    """Prints a line for each; returns the names of those that are off."""
    off = []
    for name, found in counts.items():
        before = known.get(name)
        if before is None:
            off.append(name)
            print(f"  {name:16} {found:10.1f}   no baseline")
            continue
        change = (found / before - 1) * 100
        if abs(change) > tolerance:
            off.append(name)
        print(f"  {name:16} {found:10.1f}   {change:+5.1f} %{'   OFF' if abs(change) > tolerance else ''}")
    return off + [name for name in known if name not in counts]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="+", help="larder_instruction_workloads, one of each compiler")
    parser.add_argument("--accept", metavar="REASON", help="make what is counted now the baseline")
    options = parser.parse_args()
    baseline = json.loads(BASELINE.read_text(encoding="utf-8"))
    tolerance = baseline["tolerance_percent"]
    off = []
    for program in options.programs:
        compiler, counts = count_all(program)
        print(f"instructions per request, {compiler} (tolerance {tolerance} %)")
        off += [f"{name} ({compiler})" for name in
                compare(counts, baseline["compilers"].get(compiler, {}), tolerance)]
        if options.accept:
            baseline["compilers"][compiler] = counts
    if options.accept:
        baseline["accepted"].insert(0, {"when": datetime.date.today().isoformat(), "why": options.accept})
        BASELINE.write_text(json.dumps(baseline, indent=1) + "\n", encoding="utf-8")
    elif off:
        sys.exit(f"instructions: not as in {BASELINE.relative_to(ROOT)}: {', '.join(off)}.\n"
                 "Where that is meant: ./dev instructions --accept \"REASON\"")


if __name__ == "__main__":
    main()
