#!/usr/bin/env python3
"""Draws the plots of docs/plots/ from the figures of a run.

    ./dev bench --json bench/results/2-core.json && python3 bench/plot.py bench/results/2-core.json

SVG by hand: no library is needed, the files stay small, and they follow the reader's light or dark theme.
"""
import json
import math
import pathlib
import sys
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLOTS = ROOT / "docs" / "plots"

STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #424a53; }
.title { font-size: 15px; font-weight: 600; }
.small { font-size: 11.5px; fill: #656d76; }
.grid { stroke: #8c959f; stroke-opacity: .35; }
.span { stroke: #8c959f; stroke-opacity: .6; stroke-width: 2; }
.asked { stroke: #656d76; stroke-width: 2; }
.larder { fill: #2f81f7; } .redis { fill: #d1453b; } .memcached { fill: #b9850b; } .floor { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
text { fill: #d1d7e0; } .small { fill: #9198a1; } .asked { stroke: #d1d7e0; }
}
</style>"""

# Rows of the first two plots: workload and what to call it.
ROWS = [("get-p1", "GET, pipeline 1"), ("get-p16", "GET, pipeline 16"), ("get-p64", "GET, pipeline 64"),
        ("mget10-p1", "MGET 10 keys, pipeline 1"), ("mget10-p16", "MGET 10 keys, pipeline 16"),
        ("hgetall10-p1", "HGETALL 10 fields, pipeline 1"),
        ("hgetall10-p16", "HGETALL 10 fields, pipeline 16"),
        ("hgetall1000-p1", "HGETALL 1000 fields"), ("lrange1000-p1", "LRANGE 0 -1 of 1000"),
        ("smembers1000-p1", "SMEMBERS of 1000"), ("zrange-withscores1000-p1", "ZRANGE WITHSCORES of 1000"),
        ("hget-1m-p16", "HGET, a million fields, p. 16"), ("zrank-1m-p16", "ZRANK, a million members, p. 16"),
        ("hscan-1m-p1", "HSCAN, a million fields"), ("get-1k-p1", "GET 1 KB"), ("get-100k-p1", "GET 100 KB"),
        ("get-1m-p1", "GET 1 MB")]
PHASES = [("rest", "at rest"), ("switch", "while versions are switched"),
          ("compile", "while versions are compiled"), ("rest again", "at rest again")]


class Canvas:
    """Rows of a plot under each other, with a scale from `low` to `high` at the right of their names."""

    LEFT, RIGHT, TOP, ROW, WIDTH = 240, 50, 78, 24, 820

    def __init__(self, title, note, rows, low, high, logarithmic):
        self.low, self.high, self.logarithmic = low, high, logarithmic
        self.bottom = self.TOP + rows * self.ROW
        self.height = self.bottom + 34
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.WIDTH} {self.height}" '
                      f'width="{self.WIDTH}" height="{self.height}" role="img">',
                      f"<title>{escape(title)}</title>", STYLE]
        self.text(10, 22, title, "title")
        self.text(10, 42, note, "small")

    def x(self, value):
        place = math.log10 if self.logarithmic else float
        share = (place(value) - place(self.low)) / (place(self.high) - place(self.low))
        return self.LEFT + share * (self.WIDTH - self.LEFT - self.RIGHT)

    def y(self, row):
        return self.TOP + (row + 0.5) * self.ROW

    def text(self, x, y, text, style="", anchor="start"):
        style = f' class="{style}"' if style else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, style):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>')

    def scale(self, ticks, unit):
        for tick in ticks:
            self.line(self.x(tick), self.TOP - 4, self.x(tick), self.bottom, "grid")
            self.text(self.x(tick), self.bottom + 18, f"{tick:g}{unit}", "small", "middle")

    def name(self, row, name):
        self.text(self.LEFT - 12, self.y(row) + 4, name, "", "end")

    def dot(self, row, value, style, hint):
        self.parts.append(f'<circle cx="{self.x(value):.1f}" cy="{self.y(row):.1f}" r="5.5" class="{style}">'
                          f"<title>{escape(hint)}</title></circle>")

    def legend(self, names):
        x = self.LEFT
        for style, name in names:
            self.parts.append(f'<circle cx="{x}" cy="60" r="5.5" class="{style}"/>')
            self.text(x + 10, 64, name, "small")
            x += 30 + 6 * len(name)

    def svg(self):
        return "\n".join([*self.parts, "</svg>"]) + "\n"


def shown_rows(results):
    return [(results[name], shown) for name, shown in ROWS if name in results]


def conditions(run):
    return (f"{run['cores']} cores, the server on one of them; {run['records']:,} keys, 50 connections; "
            f"medians of {run['rounds']} rounds")


def draw_cpu(run):
    """A dot for each server, on a logarithmic scale."""
    rows = shown_rows(run["results"])
    values = [of["cpu_us"] for result, _ in rows for of in result["columns"].values()]
    low = 10 ** math.floor(math.log10(min(values)))
    canvas = Canvas("Server CPU time per request, µs (logarithmic; less is better)", conditions(run), len(rows),
                    low, max(values) * 1.15, True)
    canvas.legend([("floor", "a server that sends a fixed reply"), ("larder", "Larder"), ("redis", "Redis"),
                   ("memcached", "memcached, its cheaper protocol")])
    canvas.scale([tick for tick in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
                  if low <= tick <= max(values) * 1.15], "")
    for row, (result, shown) in enumerate(rows):
        columns = {name: of["cpu_us"] for name, of in result["columns"].items()}
        memcached = [value for name, value in columns.items() if name.startswith("memcached")]
        canvas.name(row, shown)
        canvas.line(canvas.x(columns["larder"]), canvas.y(row), canvas.x(columns["redis"]), canvas.y(row), "span")
        for style, value in (("floor", columns.get("floor")), ("memcached", min(memcached, default=None)),
                             ("redis", columns["redis"]), ("larder", columns["larder"])):
            if value:
                canvas.dot(row, value, style, f"{style}: {value:.3f} µs")
    return canvas.svg()


def draw_ratios(run):
    """A bar for each workload, a mark where the project asks for that much."""
    rows = shown_rows(run["results"])
    high = max(max(result["ratio"], result["aim"]) for result, _ in rows) + 1
    canvas = Canvas("Server CPU time per request, Redis's divided by Larder's (more is better)",
                    conditions(run) + ". Upright marks: asked at least", len(rows), 0, high, False)
    canvas.scale(range(0, math.floor(high) + 1, 2 if high > 8 else 1), "×")
    for row, (result, shown) in enumerate(rows):
        canvas.name(row, shown)
        end, y = canvas.x(result["ratio"]), canvas.y(row)
        canvas.parts.append(f'<rect x="{canvas.LEFT}" y="{y - 7:.1f}" width="{end - canvas.LEFT:.1f}" height="14" '
                            'rx="2" class="larder"/>')
        if result["least"]:
            canvas.line(canvas.x(result["least"]), y - 10, canvas.x(result["least"]), y + 10, "asked")
        canvas.text(end + 6, y + 4, f"{result['ratio']:.1f}×", "small")
    return canvas.svg()


def draw_latency(run):
    """Percentiles of a paced load, phase by phase."""
    latency = run["results"]["latency"]
    percentiles = [("floor", "p50", "p50_us"), ("memcached", "p99", "p99_us"), ("larder", "p99.9", "p999_us"),
                   ("redis", "longest", "max_us")]
    phases = [(latency["phases"][name], shown) for name, shown in PHASES]
    values = [phase[figure] / 1000 for phase, _ in phases for _, _, figure in percentiles]
    canvas = Canvas("Latency of a paced load, ms (logarithmic; less is better)",
                    f"{latency['rate']:,} GETs a second from when each was due; {run['records']:,} keys; server, "
                    f"compiler and load share {run['cores']} cores", len(phases),
                    min(values) * 0.8, max(values) * 1.3, True)
    canvas.legend([(style, shown) for style, shown, _ in percentiles])
    canvas.scale([tick for tick in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
                  if min(values) * 0.8 <= tick <= max(values) * 1.3], "")
    for row, (phase, shown) in enumerate(phases):
        canvas.name(row, shown)
        canvas.line(canvas.x(phase["p50_us"] / 1000), canvas.y(row), canvas.x(phase["max_us"] / 1000),
                    canvas.y(row), "span")
        for style, name, figure in percentiles:
            canvas.dot(row, phase[figure] / 1000, style, f"{name}: {phase[figure] / 1000:.3f} ms")
    return canvas.svg()


def draw_all(run):
    """{file name: SVG}"""
    drawn = {"cpu-per-request.svg": draw_cpu(run), "ratios.svg": draw_ratios(run)}
    if "latency" in run["results"]:
        drawn["latency.svg"] = draw_latency(run)
    return drawn


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} RESULTS.json")
    run = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    PLOTS.mkdir(exist_ok=True)
    for name, svg in draw_all(run).items():
        (PLOTS / name).write_text(svg, encoding="utf-8")
        print(f"{PLOTS.relative_to(ROOT) / name}: {len(svg)} bytes")


if __name__ == "__main__":
    main()
