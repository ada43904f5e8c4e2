"""switch: the file is replaced under a pipelined load; how long does any reply take, at rest and then?

Two connections a core send MGETs of 10 keys, 16 at a time, on the same cores as the server. The gap
of a connection is the time from sending a batch to its last reply. Every value is checked.
"""
import json
import os
import subprocess

from peers import ask, start_larder


def publish(make_records, source, records, version):
    with open(f"{source}.new", "wb") as out:
        subprocess.run([make_records, str(records), "--version", str(version)], stdout=out, check=True)
    os.replace(f"{source}.new", source)


def start_load(options, port, seconds):
    connections = str(2 * os.cpu_count())
    return subprocess.Popen(
        [options.build / "larder_load", "--port", str(port), "--connections", connections,
         "--pipeline", "16", "--workload", "mget", "--records", str(options.records),
         "--seconds", str(seconds), "--until-stdin-ends"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(load, end):
    """The load's report, once it has ended or (`end`) been told to."""
    if end:
        out = load.communicate(timeout=60)[0]
    else:
        out = load.stdout.read()
        load.communicate()
    if load.returncode != 0:
        raise SystemExit(f"bench: the load failed: {out}")
    return json.loads(out)


def run(options, directory, times=50, rest_seconds=20):
    """Returns the load's report at rest and during `times` replacements."""
    make_records = options.build / "larder_make_records"
    server = start_larder(directory, options.build / "larder", make_records, options.records,
                          threads=os.cpu_count(), core=None)
    source = directory / "records.jsonl"
    try:
        server.wait_for_records(options.records)
        load = start_load(options, server.port, rest_seconds)
        rest = finish(load, end=False)
        load = start_load(options, server.port, 3600)
        for version in range(1, times + 1):
            publish(make_records, source, options.records, version)
            reply = ask(server.port, "LARDER", "RELOAD", "records")
            if reply.startswith("-"):
                raise SystemExit(f"bench: reload {version}: {reply}")
        switching = finish(load, end=True)
    finally:
        server.stop()
    return {"times": times, "rest": rest, "switching": switching}


def report(result):
    rest, switching = result["rest"], result["switching"]
    print(f"switch: {result['times']} replacements under load, "
          f"{switching['requests']} MGETs checked: {switching['errors']} errors, "
          f"{switching['mixtures']} mixtures, {switching['backwards']} steps back")
    for name, load in (("at rest", rest), ("switching", switching)):
        print(f"  {name:10} p50 {load['p50_us'] / 1000:7.2f} ms   p99 {load['p99_us'] / 1000:7.2f} ms   "
              f"p99.9 {load['p999_us'] / 1000:7.2f} ms   longest gap {load['max_us'] / 1000:7.2f} ms   "
              f"{load['requests_per_second']:8.0f} requests/s")
    print(f"  longest gap: {(switching['max_us'] - rest['max_us']) / 1000:+.2f} ms against rest")
