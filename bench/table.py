"""Rounds to figures: medians, spreads, ratios, and the table that is printed."""
import os
import statistics

CPU, RATE = "server_cpu_us_per_request", "requests_per_second"


def median(rounds, figure):
    return statistics.median(entry[figure] for entry in rounds)


def spread(rounds, figure):
    """Half the distance between the outer rounds, as a share of the median."""
    values = [entry[figure] for entry in rounds]
    return (max(values) - min(values)) / 2 / statistics.median(values)


def summary(workload, rounds):
    """What is kept of a workload: for each column the medians, and every round's CPU time."""
    columns = {column: {"cpu_us": round(median(of, CPU), 4), "spread": round(spread(of, CPU), 3),
                        "requests_per_second": round(median(of, RATE)),
                        "p50_us": median(of, "p50_us"), "p99_us": median(of, "p99_us"),
                        "rounds_cpu_us": [entry[CPU] for entry in of]}
               for column, of in rounds.items()}
    result = {"columns": columns, "least": workload.least, "aim": workload.aim,
              "ratio": round(columns["redis"]["cpu_us"] / columns["larder"]["cpu_us"], 3)}
    if "floor" in columns:
        result["floor_ratio"] = round(columns["redis"]["cpu_us"] / columns["floor"]["cpu_us"], 3)
    return result


def verdict(result):
    if not result["least"]:
        return ""
    if result["aim"] and result["ratio"] >= result["aim"]:
        return f"aim {result['aim']:g}x reached"
    reached = "reached" if result["ratio"] >= result["least"] else "MISSED"
    return f"{result['least']:g}x {reached}"


SHOWN = ("floor", "larder", "redis", "memcached mg", "memcached get")


def header(options):
    print(f"{options.records} records where nothing else is said, 50 connections, {options.rounds} rounds of "
          f"{options.seconds:g} s, server on one of {os.cpu_count()} cores.\n"
          "Server CPU per request in µs, medians (± half the range); ratio: Redis's by Larder's.")
    print(f"{'':22}" + "".join(f"{name:>15}" for name in SHOWN) + f"{'ratio':>9}  asked")


def line(name, result):
    cells = []
    for column in SHOWN:
        of = result["columns"].get(column)
        cells.append(f"{of['cpu_us']:.3f} ±{of['spread']:3.0%}" if of else "")
    print(f"{name:22}" + "".join(f"{cell:>15}" for cell in cells)
          + f"{result['ratio']:8.2f}x  {verdict(result)}", flush=True)
