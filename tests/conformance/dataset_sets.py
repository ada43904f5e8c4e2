"""Records for the cases of cases/sets.txt, zsets.txt and geo.txt that combine several, and places."""

import random

INFINITY = float("inf")
STEPS = 26


def geohash(longitude, latitude):
    """The score under which Redis keeps a place."""
    east = int((longitude + 180) / 360 * 2**STEPS)
    north = int((latitude + 85.05112878) / (2 * 85.05112878) * 2**STEPS)
    bits = sum((north >> i & 1) << 2 * i | (east >> i & 1) << 2 * i + 1 for i in range(STEPS + 1))
    return float(bits)


def many_places():
    chooser = random.Random(1)
    for number in range(2000):
        yield (f"place{number}", geohash(chooser.uniform(-180, 180), chooser.uniform(-85, 85)))


def records():
    yield ("lettersset", "set", ["b", "c", "", "q", "z"])
    yield ("evenset", "set", [f"member{i}" for i in range(0, 2000, 2)])
    yield ("scoredzset", "zset", [("b", 10.5), ("e", -3), ("f", 0.25), ("zz", 5)])
    yield ("oppositezset", "zset", [("plus", -INFINITY), ("minus", INFINITY), ("zero", 7),
                                    ("two", 2)])
    yield ("places", "zset", [("Palermo", geohash(13.361389, 38.115556)),
                              ("Catania", geohash(15.087269, 37.502669)),
                              ("Agrigento", geohash(13.583333, 37.316667)),
                              ("edge", geohash(180, 85.05112878)), ("far", geohash(-100.5, -70))])
    yield ("oddplaces", "zset", [("negative", -1), ("huge", 1e300), ("infinite", INFINITY),
                                 ("fraction", 1.5), ("last", 2**52 - 1), ("zero", 0)])
    yield ("manyplaces", "zset", list(many_places()))
