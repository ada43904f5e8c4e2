"""two-workers: CPU per request of Larder with two workers, the load generator beside them on the same
cores, against one worker alone on its core; GETs, 16 in a pipeline.
"""
from peers import start_larder
from table import CPU, RATE, median, spread
from turns import measure, quiet

LOAD = ["--workload", "get", "--pipeline", "16"]
LIMIT, AIM = 1.1, 1.02


def run(options, directory):
    servers = {}
    rounds = {"one": [], "two": []}
    try:
        for name, threads, core in (("one", 1, 0), ("two", 2, None)):
            place = directory / name
            place.mkdir()
            servers[name] = start_larder(place, options.build / "larder", options.build / "larder_make_records",
                                         options.records, threads=threads, core=core)
        for server in servers.values():
            server.wait_for_records(options.records)
        with quiet(options):
            for _ in range(options.rounds):
                for name, core in (("one", 1), ("two", None)):
                    rounds[name].append(measure(options, servers[name], options.records, LOAD, core))
    finally:
        for server in servers.values():
            server.stop()
    result = {name: {"cpu_us": median(of, CPU), "spread": spread(of, CPU), "requests_per_second": median(of, RATE),
                     "rounds_cpu_us": [entry[CPU] for entry in of]} for name, of in rounds.items()}
    result["ratio"] = result["two"]["cpu_us"] / result["one"]["cpu_us"]
    return result


def report(result):
    print("two-workers: GET, pipeline 16, server CPU per request")
    for name in ("one", "two"):
        of = result[name]
        print(f"  {name} {of['cpu_us']:7.3f} µs ±{of['spread']:3.0%}  {of['requests_per_second']:10.0f} requests/s")
    print(f"  two workers cost {result['ratio']:.2f} times one (asked: at most {LIMIT}, aim {AIM})")
