"""Random requests about keys, strings, bits, hashes, lists, streams, and of SORT_RO (see
generators_core.py)."""

import comparison
from generators_core import several_keys, with_member, with_range
from random_data import KINDS

BAD_INTEGERS = ["x", "", "1.5", "9223372036854775808", "+1", "01", "-0"]
LARGE_INTEGERS = [2**63 - 1, -2**63, -2**63 + 1, 2**31, -2**31, 2**32]
STREAM_IDS = ["-", "+", "0", "5-1", "$", ">", "(5", "(-", "x", "", "1-x", "7-*",
              "18446744073709551615-18446744073709551615", "(0-0", "18446744073709551616"]


def integer(data, low, high):
    choice = data.chooser.random()
    if choice < 0.03:
        return data.chooser.choice(BAD_INTEGERS)
    if choice < 0.06:
        return data.chooser.choice(LARGE_INTEGERS)
    return data.chooser.randrange(low, high)


def shuffled(data, request, options):
    """The request and its options in any order, their words in any case."""
    data.chooser.shuffle(options)
    return request + [data.mixed_case(word) if place == 0 else word
                      for option in options for place, word in enumerate(option)]


def chance(data, probability):
    return data.chooser.random() < probability


def any_key(data):
    return data.pick(data.chooser.choice(KINDS))[0]


def for_any_key(data, name):
    return [name, any_key(data)]


def getbit(data, name):
    return [name, data.pick("string")[0], integer(data, 0, 20000)]


def bitcount(data, name):
    request = [name, data.pick("string")[0]]
    if chance(data, 0.8):
        request += [integer(data, -3000, 3000), integer(data, -3000, 3000)]
        if chance(data, 0.6):
            request.append(data.mixed_case(data.chooser.choice(["BIT", "BYTE", "BIT", "NOSUCH"])))
    return request


def bitpos(data, name):
    request = [name, data.pick("string")[0], data.chooser.choice([0, 1, 0, 1, 0, 1, 2, "x"])]
    if chance(data, 0.8):
        request.append(integer(data, -3000, 3000))
        if chance(data, 0.8):
            request.append(integer(data, -3000, 3000))
            if chance(data, 0.6):
                request.append(data.mixed_case(data.chooser.choice(["BIT", "BYTE", "NOSUCH"])))
    return request


def bitfield(data, name):
    chooser = data.chooser
    request = [name, data.pick("string")[0]]
    for _ in range(chooser.randrange(6)):
        field = chooser.choice("iu") + str(integer(data, 1, 66))
        offset = chooser.choice(["", "", "#"]) + str(integer(data, 0, 3000))
        request += [data.mixed_case("GET"), field, offset]
        if chance(data, 0.1):
            request += [data.mixed_case("OVERFLOW"),
                        data.mixed_case(chooser.choice(["WRAP", "SAT", "FAIL", "NOSUCH"]))]
        if chance(data, 0.02):
            request += ["SET", "u8", 0, 1]
    return request


def small_string(data):
    """LCS is quadratic."""
    record = data.chooser.choice(data.records)
    while record[1] == "string" and len(record[2]) > 3000:
        record = data.chooser.choice(data.records)
    if record[1] != "string" and chance(data, 0.95):
        return small_string(data)
    return record[0] if chance(data, 0.97) else "missing"


def lcs(data, name):
    options = []
    if chance(data, 0.5):
        options.append(["IDX"])
    if chance(data, 0.2):
        options.append(["LEN"])
    if chance(data, 0.4):
        options.append(["MINMATCHLEN", integer(data, -1, 8)])
    if chance(data, 0.4):
        options.append(["WITHMATCHLEN"])
    if chance(data, 0.02):
        options.append(["NOSUCH"])
    return shuffled(data, [name, small_string(data), small_string(data)], options)


def hrandfield(data, name):
    request = [name, data.pick("hash")[0]]
    if chance(data, 0.8):
        count = integer(data, -300, 300)
        # A Redis that is asked for thousands of millions collects them.
        request.append(1000 if isinstance(count, int) and abs(count) > 1000 else count)
        if chance(data, 0.5):
            request.append(data.mixed_case(data.chooser.choice(["WITHVALUES"] * 9 + ["NOSUCH"])))
    return request


def pfcount(data, name):
    """Mostly HyperLogLogs, some of them damaged."""
    return [name, *(data.chooser.choice(data.sketches)[0] if chance(data, 0.95) else any_key(data)
                    for _ in range(data.chooser.choice([1, 1, 2, 3, 8])))]


def lpos(data, name):
    key, members = data.pick("list")
    options = []
    if chance(data, 0.5):
        options.append(["RANK", integer(data, -6, 6)])
    if chance(data, 0.5):
        options.append(["COUNT", integer(data, -1, 10)])
    if chance(data, 0.4):
        options.append(["MAXLEN", integer(data, -1, len(members) + 10)])
    if chance(data, 0.02):
        options.append(["NOSUCH"])
    return shuffled(data, [name, key, data.one_of(members)], options)


def key_pattern(data, members):
    """A pattern for BY or GET, often one that leads from some member to some key."""
    chooser = data.chooser
    if chance(data, 0.2):
        return chooser.choice(["#", "*", "constant", "nosuch_*", "*->", "->*"])
    key, kind, value = chooser.choice(data.records)
    member = chooser.choice(members) if members else "x"
    found = key.find(member) if isinstance(member, str) and member else -1
    pattern = key[:found] + "*" + key[found + len(member):] if found >= 0 else key + "*"
    if kind == "hash" and chance(data, 0.8):
        pattern += "->" + str(chooser.choice(list(value)))
    return pattern


def sort_ro(data, name):
    chooser = data.chooser
    key, members = data.pick(chooser.choice(["list", "set", "zset"]))
    options = []
    if chance(data, 0.75):
        options.append(["ALPHA"])
    if chance(data, 0.4):
        options.append([chooser.choice(["ASC", "DESC"])])
    if chance(data, 0.4):
        options.append(["BY", key_pattern(data, members)])
    if chance(data, 0.4):
        options.append(["LIMIT", integer(data, -1, len(members) + 5), integer(data, -2, 50)])
    for _ in range(chooser.choice([0, 0, 1, 2])):
        options.append(["GET", key_pattern(data, members)])
    if chance(data, 0.02):
        options.append([chooser.choice(["NOSUCH", "STORE", "BY", "LIMIT"])])
    return shuffled(data, [name, key], options)


def stream_id(data):
    return data.chooser.choice(STREAM_IDS)


def stream_key(data):
    return any_key(data) if chance(data, 0.2) else "missing" + data.text()


def xlen(data, name):
    return [name, stream_key(data)]


def xrange(data, name):
    options = [["COUNT", integer(data, -1, 10)]] if chance(data, 0.5) else []
    if chance(data, 0.05):
        options.append(["NOSUCH"])
    return shuffled(data, [name, stream_key(data), stream_id(data), stream_id(data)], options)


def xread(data, name):
    request = [name]
    if chance(data, 0.5):
        request += [data.mixed_case("COUNT"), integer(data, -1, 10)]
    if chance(data, 0.1):
        request += [data.chooser.choice(["NOACK", "NOSUCH", "GROUP"])]
    keys = data.chooser.randrange(1, 4)
    ids = keys if chance(data, 0.95) else keys + 1
    return [*request, data.mixed_case("STREAMS"), *(stream_key(data) for _ in range(keys)),
            *(stream_id(data) for _ in range(ids))]


def xpending(data, name):
    request = [name, stream_key(data), data.text()]
    if chance(data, 0.7):
        if chance(data, 0.5):
            request += [data.mixed_case("IDLE"), integer(data, 0, 100)]
        request += [stream_id(data), stream_id(data), integer(data, -1, 10)]
        request += [data.text() for _ in range(data.chooser.choice([0, 0, 1, 2]))]
    return request


def xinfo_stream(data, name):
    request = [name, stream_key(data)]
    if chance(data, 0.5):
        request.append(data.mixed_case("FULL"))
        if chance(data, 0.5):
            request += [data.mixed_case("COUNT"), integer(data, 0, 10)]
    return request


def xinfo_consumers(data, name):
    return [name, stream_key(data), data.text()]


def same_order_where_there_is_one(larder, redis, request):
    """SORT_RO leaves members of a set, and those of a sorted set that ALPHA finds equal, in an order
    that is Redis's chance; so do lists of which ALPHA BY with LIMIT sorts a part."""
    difference = comparison.exact(larder, redis, request)
    words = {word.upper() for word in request[2:]}
    if difference is None or larder.is_error or redis.is_error:
        return difference
    if request[1].startswith(b"list/") and not (b"ALPHA" in words and b"LIMIT" in words):
        return difference
    if b"LIMIT" in words or b"GET" in words:
        return comparison.shape(larder, redis, request) if not larder.items else (
            None if len(larder.items) == len(redis.items) else difference)
    if b"ALPHA" in words or b"BY" in words:
        return comparison.members(larder, redis, request)
    return difference


GENERATORS = {
    "EXPIRETIME": for_any_key, "PEXPIRETIME": for_any_key, "TOUCH": several_keys,
    "OBJECT|ENCODING": for_any_key, "OBJECT|REFCOUNT": for_any_key, "OBJECT|FREQ": for_any_key,
    "OBJECT|IDLETIME": for_any_key, "DUMP": for_any_key, "SORT_RO": sort_ro,
    "SUBSTR": with_range("string"), "LCS": lcs,
    "GETBIT": getbit, "BITCOUNT": bitcount, "BITPOS": bitpos, "BITFIELD_RO": bitfield,
    "PFCOUNT": pfcount,
    "HSTRLEN": with_member("hash"), "HRANDFIELD": hrandfield, "LPOS": lpos,
    "XLEN": xlen, "XRANGE": xrange, "XREVRANGE": xrange, "XREAD": xread, "XPENDING": xpending,
    "XINFO|STREAM": xinfo_stream, "XINFO|GROUPS": xlen, "XINFO|CONSUMERS": xinfo_consumers,
}
COMPARISONS = {
    "OBJECT|ENCODING": comparison.encoding, "OBJECT|IDLETIME": comparison.kind,
    "DUMP": comparison.kind, "HRANDFIELD": comparison.shape,
    "SORT_RO": same_order_where_there_is_one,
}
