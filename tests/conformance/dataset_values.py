"""Records for bits, HyperLogLogs, LCS, SORT_RO and OBJECT, beside those of dataset.py."""

import random

HLL_HEAD = b"HYLL"
DENSE, SPARSE = b"\x00\x00\x00\x00", b"\x01\x00\x00\x00"
STALE = b"\x00" * 7 + b"\x80"
REGISTERS = 16384


def run(value, length):
    """Some registers of a sparse HyperLogLog, as few bytes as they need."""
    out = b""
    while length:
        if value:
            part = min(length, 4)
            out += bytes([0x80 | (value - 1) << 2 | (part - 1)])
        elif length <= 64:
            part = length
            out += bytes([part - 1])
        else:
            part = min(length, REGISTERS)
            out += bytes([0x40 | (part - 1) >> 8, (part - 1) & 0xff])
        length -= part
    return out


def sparse(*runs):
    return HLL_HEAD + SPARSE + STALE + b"".join(run(*pair) for pair in runs)


def dense(registers):
    packed = sum(value << 6 * number for number, value in enumerate(registers))
    return HLL_HEAD + DENSE + STALE + packed.to_bytes(REGISTERS * 6 // 8, "little")


def geometric(chooser, mean):
    """A register as hashing `mean` times as many elements as registers would leave it."""
    value = 0
    while value < 51 and chooser.random() < mean / (mean + 2 ** value):
        value += 1
    return value


def hyperloglogs():
    chooser = random.Random(14)
    yield ("hll:empty", "string", sparse((0, REGISTERS)))
    yield ("hll:one", "string", sparse((0, 100), (3, 1), (0, REGISTERS - 101)))
    yield ("hll:some", "string", sparse((0, 7), (1, 9), (0, 70), (32, 2), (5, 1), (0, 5000), (2, 4),
                                        (0, REGISTERS - 5093)))
    yield ("hll:full", "string", sparse((1, REGISTERS)))
    for name, mean in (("small", 0.01), ("middle", 1), ("large", 100), ("huge", 1e9)):
        yield (f"hll:dense:{name}", "string",
               dense([geometric(chooser, mean) for _ in range(REGISTERS)]))
    yield ("hll:dense:zero", "string", dense([0] * REGISTERS))
    yield ("hll:dense:highest", "string", dense([51] * REGISTERS))
    yield ("hll:dense:above", "string", dense([63] * REGISTERS))
    yield ("hll:cached", "string", HLL_HEAD + SPARSE + b"\x39\x05" + b"\x00" * 6 +
           run(0, REGISTERS))
    yield ("hll:cached:corrupt", "string", HLL_HEAD + SPARSE + b"\x07" + b"\x00" * 7)
    yield ("hll:bad:short", "string", sparse((0, REGISTERS - 1)))
    yield ("hll:bad:long", "string", sparse((0, REGISTERS), (1, 1)))
    yield ("hll:bad:zeros", "string", sparse((0, REGISTERS), (0, 1)))
    yield ("hll:bad:cut", "string", sparse((0, REGISTERS - 1)) + b"\x40")
    yield ("hll:bad:none", "string", sparse())
    yield ("hll:no:magic", "string", b"HYLX" + SPARSE + STALE + run(0, REGISTERS))
    yield ("hll:no:encoding", "string", b"HYLL\x02\x00\x00\x00" + STALE + run(0, REGISTERS))
    yield ("hll:no:size", "string", dense([0] * REGISTERS) + b"\x00")
    yield ("hll:no:head", "string", b"HYLL\x01\x00\x00\x00" + STALE[:7])


def bits():
    yield ("bits", "string", bytes([0x00, 0xff, 0xf0, 0x0f, 0x80, 0x01]))
    yield ("zeros", "string", bytes(40))
    yield ("ones", "string", b"\xff" * 40)
    yield ("manybits", "string", random.Random(8).randbytes(5000))


def texts():
    yield ("lcs:a", "string", "ohmytext")
    yield ("lcs:b", "string", "mynewtext")
    yield ("lcs:long:a", "string", "".join(random.Random(1).choices("abcd", k=2000)))
    yield ("lcs:long:b", "string", "".join(random.Random(2).choices("abcd", k=1500)))
    yield ("lcs:half", "string", "x" * 12000)
    for size in (44, 45):
        yield (f"text{size}", "string", "t" * size)
    for number in ("9999", "10000", "-1", "9223372036854775807", "9223372036854775808", "007", "-0",
                   "0"):
        yield ("number:" + number, "string", number)


def sizes():
    """Collections on both sides of every limit that decides on an encoding."""
    for size in (128, 129, 512, 513):
        yield (f"hash:{size}", "hash", {f"f{i}": str(i) for i in range(size)})
        yield (f"intset:{size}", "set", [str(i) for i in range(size)])
        yield (f"zset:{size}", "zset", [(f"m{i}", i) for i in range(size)])
    for size in (64, 65):
        text = "t" * size
        yield (f"hash:value:{size}", "hash", {"f": text})
        yield (f"hash:field:{size}", "hash", {text: "v"})
        yield (f"zset:member:{size}", "zset", [(text, 1)])
        yield (f"list:element:{size}", "list", [text])
    yield ("mixedset", "set", ["1", "2", "three"])
    yield ("zeroset", "set", ["1", "02"])


def sorting():
    yield ("numbers", "list", ["3", "10", "1", "-5", "2.5", "10", "1e1"])
    yield ("names", "list", ["delta", "Alpha", "charlie", "bravo", "alpha", "", "été"])
    yield ("nulnames", "list", ["a\x00z", "b", "a\x00a", "a"])
    yield ("numberset", "set", ["30", "4", "100", "-2"])
    yield ("numberzset", "zset", [("9", 1), ("10", 2), ("1", 3), ("2", 4)])
    yield ("badnumbers", "list", ["1", "two", "3"])
    yield ("oddnumbers", "list", ["", " 4", "0x10", "+3", "inf", "-inf"])
    yield ("toolarge", "list", ["1", "1e999"])
    yield ("notanumber", "list", ["1", "nan"])
    yield ("ids", "list", ["1", "2", "3", "4", "5"])
    for number, weight in (("1", "30"), ("2", "10"), ("3", "20"), ("4", "10")):
        yield ("weight_" + number, "string", weight)
        yield (f"object_{number}_x", "hash", {"weight": weight, "name": "name" + number, "->": "a"})
    yield ("weight_bad_1", "string", "x")
    yield ("weight_list_1", "list", ["1"])
    yield ("arrow_1->", "string", "ends with an arrow")


def records():
    return [*hyperloglogs(), *bits(), *texts(), *sizes(), *sorting()]
