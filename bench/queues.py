"""queues: the Queue library beside the plain system calls, in one process, on this disk.

Every workload is a program of its own (bench/queue_load.cc), run in turns; figures are medians.
"""
import json
import os
import shutil
import statistics
import subprocess

# Records of 256 bytes, a million unless it says otherwise.
WORKLOADS = {"append": None, "append-100": None, "always": None, "read": None, "wake": None,
             "drain": 10_000_000, "open": 20_000_000}
# A figure, and what it is compared with in the same run.
BESIDE = {"append-100": [("append_per_s", "plain_write_per_s"),
                         ("append_one_segment_per_s", "plain_write_per_s")],
          "always": [("one_writer_per_s", "fdatasync_per_s"),
                     ("writers_32_per_s", "one_writer_per_s")],
          "drain": [("last_tenth_per_s", "first_tenth_per_s")],
          "read": [("random_ns", "bare_array_ns")],
          "wake": [("sleeping_reader_ns", "bare_futex_ns")]}


def once(options, directory, workload, records):
    place = directory / "queues"
    place.mkdir()
    try:
        done = subprocess.run(
            [options.build / "larder_queue_load", workload, "--directory", place,
             "--records", str(records)], stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)
    finally:
        shutil.rmtree(place)


def run(options, directory):
    rounds = {name: [] for name in WORKLOADS}
    for _ in range(options.rounds):
        for name, records in WORKLOADS.items():
            # The large ones are slow: once is enough to see a slope.
            if records and rounds[name]:
                continue
            rounds[name].append(once(options, directory, name, records or 1_000_000))
    return {name: {figure: statistics.median(one[figure] for one in done) for figure in done[0]}
            for name, done in rounds.items()}


def shown(figure, value):
    if figure.endswith("_per_s"):
        return f"{value:14,.0f} /s"
    return f"{value:14,.0f} {figure.rsplit('_', 1)[1]}"


def report(result):
    print(f"queues: records of 256 bytes, {os.cpu_count()} cores")
    for name, figures in result.items():
        for figure, value in figures.items():
            print(f"  {name:11} {figure:26} {shown(figure, value)}")
        for figure, beside in BESIDE.get(name, []):
            print(f"  {name:11} {figure} is {figures[figure] / figures[beside]:.2f} of {beside}")
