"""compile: a JSONL file to a Snapshot, plain and compressed; and a restart beside a Redis restart.

The compile's rate is bytes of JSONL per second of CPU time, so per core. A restart is measured from
starting the process to its first right answer; Redis loads the RDB file of the same records.
"""
import gzip
import os
import resource
import shutil
import statistics
import subprocess
import time

from peers import Server, ask, free_port, start_redis, wait_until


def build(options, source, target):
    """Wall and CPU seconds of one `larder build`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run([options.build / "larder", "build", source, "-o", target], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def restart(make_server, rounds):
    """Median seconds from starting the server to its first answer."""
    seconds = []
    for _ in range(rounds):
        start = time.monotonic()
        server = make_server()
        try:
            wait_until("the first answer",
                       lambda: ask(server.port, "GET", "item:000000000000") == "$64", pause=0.001)
            seconds.append(time.monotonic() - start)
        finally:
            server.stop()
    return statistics.median(seconds)


def run(options, directory):
    make_records = options.build / "larder_make_records"
    source = directory / "records.jsonl"
    with open(source, "wb") as out:
        subprocess.run([make_records, str(options.records)], stdout=out, check=True)
    text_bytes = source.stat().st_size
    with open(source, "rb") as plain, gzip.open(f"{source}.gz", "wb", compresslevel=6) as out:
        shutil.copyfileobj(plain, out, 1 << 20)
    subprocess.run(["zstd", "-q", "-3", source, "-o", f"{source}.zst"], check=True)
    result = {"text_bytes": text_bytes, "forms": {}}
    target = directory / "records.snap"
    for form in ("", ".gz", ".zst"):
        rounds = [build(options, f"{source}{form}", target) for _ in range(options.rounds)]
        result["forms"][form or "plain"] = {
            "wall_seconds": statistics.median(wall for wall, _ in rounds),
            "cpu_seconds": statistics.median(cpu for _, cpu in rounds)}
    result["file_bytes"] = target.stat().st_size
    result["restart"] = restarts(options, directory, source, make_records)
    return result


def restarts(options, directory, source, make_records):
    def larder():
        port = free_port()
        return Server("larder", [options.build / "larder", "serve", "--resp", f"127.0.0.1:{port}",
                                 "--dir", directory / "versions", source], port, directory, core=None)

    def redis():
        port = free_port()
        return Server("redis", ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
                                "--dir", directory], port, directory, core=None)
    first = larder()
    first.wait_for_records(options.records)
    first.stop()
    loaded = start_redis(directory, make_records, options.records)
    loaded.wait_for_records(options.records)
    assert ask(loaded.port, "SAVE") == "+OK"
    loaded.stop()
    return {"larder_seconds": restart(larder, options.rounds),
            "redis_seconds": restart(redis, options.rounds)}


def report(result):
    megabytes = result["text_bytes"] / 1e6
    print(f"compile: {megabytes:.0f} MB of JSONL to {result['file_bytes'] / 1e6:.0f} MB, "
          f"{os.cpu_count()} cores")
    for form, seconds in result["forms"].items():
        print(f"  {form:6} {seconds['wall_seconds']:6.2f} s, {seconds['cpu_seconds']:6.2f} s of CPU: "
              f"{megabytes / seconds['cpu_seconds']:6.0f} MB/s per core")
    larder, redis = (result["restart"][f"{name}_seconds"] for name in ("larder", "redis"))
    print(f"  restart to the first answer: larder {larder * 1000:.0f} ms, "
          f"redis {redis * 1000:.0f} ms ({redis / larder:.0f}x)")
