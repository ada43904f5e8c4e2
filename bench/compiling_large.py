"""compile-50m: 50 million records to a Snapshot: how much memory it takes, and how long.

Not among the default workloads: it needs 25 GB of disk (TMPDIR says where) and minutes. Memory is the peak
of RssAnon, what the process has for itself; pages of the source and of the new file, which the kernel may
take back, are not in it. Peers have no such figure: Redis holds all records in memory.
"""
import json
import re
import resource
import subprocess
import time

RECORDS = 50_000_000


def anonymous_bytes(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            found = re.search(r"^RssAnon:\s+(\d+) kB", status.read(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) * 1024 if found else 0


def watched(command):
    """Runs it; its wall and CPU seconds, and the peak of its anonymous memory, looked at every 10 ms."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, anonymous_bytes(process.pid))
            time.sleep(0.01)
        output = process.stdout.read()
    if process.returncode != 0:
        raise RuntimeError(f"{command[:2]} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall_seconds": time.monotonic() - start, "peak_anonymous_bytes": peak,
            "cpu_seconds": after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
            "report": json.loads(output)}


def run(options, directory, records=RECORDS):
    larder = options.build / "larder"
    source = directory / "records.jsonl"
    with open(source, "wb") as out:
        subprocess.run([options.build / "larder_make_records", str(records)], stdout=out, check=True)
    result = {"records": records, "text_bytes": source.stat().st_size}
    target = directory / "records.snap"
    result["build"] = watched([larder, "build", source, "-o", target, "--json"])
    source.unlink()
    result["verify"] = watched([larder, "verify", target, "--json"])
    return result


def report(result):
    build, verify = result["build"], result["verify"]
    print(f"compile-50m: {result['records']} records, {result['text_bytes'] / 1e9:.1f} GB of JSONL to "
          f"{build['report']['file_bytes'] / 1e9:.1f} GB, {build['report']['spilled_runs']} runs on disk")
    print(f"  build  {build['wall_seconds']:6.1f} s, {build['cpu_seconds']:6.1f} s of CPU "
          f"({result['text_bytes'] / build['cpu_seconds'] / 1e6:.0f} MB/s per core), "
          f"peak of anonymous memory {build['peak_anonymous_bytes'] / 1e6:.0f} MB")
    print(f"  verify {verify['wall_seconds']:6.1f} s, {verify['cpu_seconds']:6.1f} s of CPU "
          f"({verify['report']['bytes'] / verify['wall_seconds'] / 1e9:.2f} GB/s), "
          f"peak of anonymous memory {verify['peak_anonymous_bytes'] / 1e6:.0f} MB")
