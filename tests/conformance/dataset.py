"""The fixed records that the tables of cases (cases/*.txt) speak of."""

import dataset_json
import dataset_sets
import dataset_values

INFINITY = float("inf")


def strings():
    yield ("string", "string", "hello")
    yield ("empty", "string", "")
    yield ("number", "string", "42")
    yield ("unicode", "string", "naïve ☃ 𝄞")
    yield ("control", "string", "a\x00b\r\nc\x7f\t\"\\")
    yield ("long", "string", "".join(chr(ord("a") + i % 26) for i in range(70000)))
    for key in ("key with spaces", "k\x00null", "été", "glob*", "glob[1]", "glob?x", "glob\\x",
                "["):
        yield (key, "string", "value of " + key)
    for member in ("1", "2", "3", "4", "", "1/deep", "two words"):
        yield ("collection/" + member, "string", "member " + member)
    for member in ("1", "x"):
        yield ("other/" + member, "string", "other " + member)
    yield ("collection", "string", "no member")


def collections():
    yield ("hash", "hash", {"a": "1", "b": "two", "c": "3.5", "empty": "", "": "empty field",
                            "unicode": "☃", "nul": "x\x00y"})
    yield ("hash1", "hash", {"only": "one"})
    yield ("bighash", "hash", {f"field{i}": f"value {i}" for i in range(1000)})
    yield ("list", "list", ["a", "b", "", "d", "☃"])
    yield ("list1", "list", ["only"])
    yield ("duplist", "list", ["x", "y", "x", "x"])
    yield ("biglist", "list", [f"element {i}" for i in range(5000)])
    yield ("set", "set", ["a", "b", "c", "", "☃"])
    yield ("set1", "set", ["only"])
    yield ("intset", "set", [str(i) for i in range(1, 20)])
    yield ("bigset", "set", [f"member{i}" for i in range(1000)])


def sorted_sets():
    yield ("zset", "zset", [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)])
    yield ("zset1", "zset", [("only", 1.5)])
    yield ("tiezset", "zset", [("b", 1), ("a", 1), ("c", 1), ("z", 0), ("aa", 1), ("", 1)])
    members = ("a", "b", "bb", "c", "d", "e", "f", "☃")
    yield ("lexzset", "zset", [(member, 0) for member in members])
    yield ("infzset", "zset", [("plus", INFINITY), ("minus", -INFINITY), ("zero", 0),
                               ("one", 1)])
    yield ("floatzset", "zset", [
        ("third", 1 / 3), ("tenth", 0.1), ("big", 1e17), ("huge", 1e300), ("tiny", 5e-324),
        ("small", 1e-5), ("minus", -17.5), ("zero", 0.0),
        ("long", 123456789012345678), ("max", 1.7976931348623157e308)])
    yield ("bigzset", "zset", [(f"member{i}", (i * 7919) % 1000 / 2) for i in range(3000)])


def databases():
    """Database 0, 1 and 2."""
    return [[*strings(), *collections(), *sorted_sets(), *dataset_sets.records(),
             *dataset_values.records()],
            [("other", "string", "of database 1")],
            [*dataset_json.records()]]
