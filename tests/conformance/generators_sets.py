"""Random requests of the commands about sets, sorted sets and places (generators_core.py).

Some of the sorted sets of random_data are places all over the earth, the scores of the others are
small, so that all stand in one corner of the map. Searches go there as well as elsewhere.
"""

import comparison


def maybe(data, chance, words):
    """`words` in some case, at times."""
    if data.chooser.random() >= chance:
        return []
    return [data.mixed_case(word) if isinstance(word, str) else word for word in words]


def wrong_word(data):
    return maybe(data, 0.02, [data.chooser.choice(["NOSUCH", "LIMIT", "WEIGHTS", "COUNT", ""])])


def shuffled(data, options):
    data.chooser.shuffle(options)
    return [word for option in options for word in option]


def several_members(kind):
    def make(data, name):
        key, members = data.pick(kind)
        return [name, key, *(data.one_of(members) for _ in range(data.chooser.randrange(1, 8)))]
    return make


def random_count(data, size):
    choice = data.chooser.random()
    if choice < 0.03:
        return data.chooser.choice(["x", "", "1.5", "9223372036854775808", -2**63])
    return data.chooser.choice([0, 1, 2, size - 1, size, size + 1, 2**62, -1, -2, -size - 1])


def srandmember(data, name):
    key, members = data.pick("set")
    if data.chooser.random() < 0.3:
        return [name, key]
    return [name, key, random_count(data, len(members)), *wrong_word(data)]


def zrandmember(data, name):
    key, members = data.pick("zset")
    if data.chooser.random() < 0.2:
        return [name, key]
    return [name, key, random_count(data, len(members)), *maybe(data, 0.5, ["WITHSCORES"]),
            *wrong_word(data)]


def some_keys(data, kinds):
    """Sometimes one of them twice."""
    keys = [data.pick(data.chooser.choice(kinds))[0] for _ in range(data.chooser.randrange(1, 5))]
    if data.chooser.random() < 0.1:
        keys.append(keys[0])
    return keys


def set_keys(data, name):
    return [name, *some_keys(data, ["set"])]


def key_count(data, keys):
    if data.chooser.random() < 0.04:
        return data.chooser.choice([0, -1, "x", "", len(keys) + 1, len(keys) - 1, 2**31, 2**64])
    return len(keys)


def limit(data):
    return data.chooser.choice([0, 0, 1, 2, 10, 1000, 2**63 - 1, -1, "x"])


def card(kinds):
    def make(data, name):
        keys = some_keys(data, kinds)
        return [name, key_count(data, keys), *keys, *maybe(data, 0.5, ["LIMIT", limit(data)]),
                *wrong_word(data)]
    return make


def weight(data):
    choice = data.chooser.random()
    if choice < 0.02:
        return data.chooser.choice(["x", "", "nan", "1e400", " 1", "1 "])
    if choice < 0.2:
        return data.chooser.choice(["inf", "-inf", "0", "-0", "1e308", "1e-300", "0x10", "+1"])
    return repr(data.score())


def combined(scored):
    def make(data, name):
        keys = some_keys(data, ["zset", "zset", "set"])
        options = [maybe(data, 0.5, ["WITHSCORES"]), wrong_word(data)]
        if scored or data.chooser.random() < 0.03:
            options.append(maybe(data, 0.5, ["WEIGHTS", *(weight(data) for _ in keys)]))
            how = data.chooser.choice(["SUM", "MIN", "MAX", "MIN", "MAX", "AVG"])
            options.append(maybe(data, 0.5, ["AGGREGATE", how]))
        return [name, key_count(data, keys), *keys, *shuffled(data, options)]
    return make


def zlexcount(data, name):
    key, members = lexical_zset(data)
    return [name, key, data.lexical(members), data.lexical(members)]


def lexical_zset(data):
    """A sorted set of one score: of others the order of bytes means nothing."""
    tied = [record for record in data.records if record[0] in data.tied]
    if not tied or data.chooser.random() < 0.1:
        return data.pick("set")
    key, _, value = data.chooser.choice(tied)
    return key, [member for member, _ in value]


def limits(data, chance):
    chooser = data.chooser
    return maybe(data, chance, ["LIMIT", chooser.randrange(-1, 10), chooser.randrange(-2, 50)])


def by_lex(data, name):
    key, members = lexical_zset(data)
    return [name, key, data.lexical(members), data.lexical(members),
            *shuffled(data, [limits(data, 0.4), maybe(data, 0.03, ["WITHSCORES"]),
                             wrong_word(data)])]


def by_score(data, name):
    return [name, data.pick("zset")[0], data.bound(), data.bound(),
            *shuffled(data, [limits(data, 0.4), maybe(data, 0.4, ["WITHSCORES"]),
                             wrong_word(data)])]


def zrevrange(data, name):
    key, members = data.pick("zset")
    size = len(members) or 5
    return [name, key, data.index(size), data.index(size),
            *shuffled(data, [limits(data, 0.03), maybe(data, 0.4, ["WITHSCORES"]),
                             wrong_word(data)])]


def unit(data):
    if data.chooser.random() < 0.02:
        return data.chooser.choice(["", "x", "kmh"])
    return data.mixed_case(data.chooser.choice(["m", "km", "ft", "mi"]))


def pick_places(data):
    """Mostly a sorted set of places."""
    if not data.places or data.chooser.random() < 0.3:
        return data.pick("zset")
    key = data.chooser.choice(data.places)
    value = next(record[2] for record in data.all_records() if record[0] == key)
    return key, [member for member, _ in value]


def several_places(data, name):
    key, members = pick_places(data)
    return [name, key, *(data.one_of(members) for _ in range(data.chooser.randrange(1, 8)))]


def geodist(data, name):
    key, members = pick_places(data)
    words = [name, key, data.one_of(members), data.one_of(members)]
    return words + ([unit(data)] if data.chooser.random() < 0.6 else []) + wrong_word(data)


def length(data):
    if data.chooser.random() < 0.03:
        return data.chooser.choice(["x", "", "nan", "-1", "inf", "0", "1e300", "-0"])
    return repr(10 ** data.chooser.uniform(-2, 8))


def place(data):
    chooser = data.chooser
    if chooser.random() < 0.03:
        return [chooser.choice(["x", "181", "nan", "-180.1", "1"]),
                chooser.choice(["y", "86", "-90", "inf", "1"])]
    if chooser.random() < 0.5:  # where small scores are
        return [repr(chooser.uniform(-180, -179.9)), repr(chooser.uniform(-85.05, -84.9))]
    return [repr(chooser.uniform(-180, 180)), repr(chooser.uniform(-85.05, 85.05))]


def search_options(data):
    """Without what Redis leaves open: which of several at one distance COUNT takes."""
    options = [maybe(data, 0.3, [word]) for word in ("WITHDIST", "WITHCOORD", "WITHHASH")]
    options.append(maybe(data, 0.5, [data.chooser.choice(["ASC", "DESC"])]))
    count = data.chooser.choice([1000000, 2**40, 2**63 - 1, 0, -1, "x"])
    options.append(maybe(data, 0.3, ["COUNT", count] if data.chooser.random() < 0.5 else
                         ["COUNT", data.chooser.randrange(1, 20), "ANY"]))
    options += [maybe(data, 0.02, ["ANY"]), wrong_word(data)]
    return options


def georadius(data, name):
    return [name, pick_places(data)[0], *place(data), length(data), unit(data),
            *shuffled(data, search_options(data))]


def georadiusbymember(data, name):
    key, members = pick_places(data)
    return [name, key, data.one_of(members), length(data), unit(data),
            *shuffled(data, search_options(data))]


def geosearch(data, name):
    key, members = pick_places(data)
    options = search_options(data)
    by_member = ["FROMMEMBER", data.one_of(members)]
    options.append([data.mixed_case(word) if word == "FROMMEMBER" else word for word in by_member]
                   if data.chooser.random() < 0.5 else maybe(data, 1, ["FROMLONLAT", *place(data)]))
    options.append(maybe(data, 1, ["BYRADIUS", length(data), unit(data)])
                   if data.chooser.random() < 0.5 else
                   maybe(data, 1, ["BYBOX", length(data), length(data), unit(data)]))
    if data.chooser.random() < 0.03:
        options.pop(data.chooser.randrange(len(options)))
    return [name, key, *shuffled(data, options)]


def sample(larder, redis, request):
    """Members by chance: as many, in the same form, and none twice where none may be."""
    if larder.items is None or redis.items is None or larder.is_error or redis.is_error:
        return comparison.shape(larder, redis)
    difference = comparison.shape(larder, redis)
    if difference or int(request[2]) < 0:
        return difference
    flat = len(request) > 3 and larder.items and larder.items[0].items is None
    members = [item.raw() for item in larder.items[::2 if flat else 1]]
    return None if len(members) == len(set(members)) else "a member is answered twice"


GENERATORS = {
    "SMISMEMBER": several_members("set"), "SRANDMEMBER": srandmember, "SINTER": set_keys,
    "SUNION": set_keys, "SDIFF": set_keys, "SINTERCARD": card(["set"]),
    "ZMSCORE": several_members("zset"), "ZRANDMEMBER": zrandmember,
    "ZREVRANK": lambda data, name: several_members("zset")(data, name)[:3],
    "ZLEXCOUNT": zlexcount, "ZREVRANGE": zrevrange, "ZRANGEBYSCORE": by_score,
    "ZREVRANGEBYSCORE": by_score, "ZRANGEBYLEX": by_lex, "ZREVRANGEBYLEX": by_lex,
    "ZINTER": combined(True), "ZUNION": combined(True), "ZDIFF": combined(False),
    "ZINTERCARD": card(["zset", "zset", "set"]), "GEOPOS": several_places,
    "GEOHASH": several_places, "GEODIST": geodist, "GEOSEARCH": geosearch,
    "GEORADIUS_RO": georadius, "GEORADIUSBYMEMBER_RO": georadiusbymember,
}
COMPARISONS = {"SINTER": comparison.members, "SUNION": comparison.members,
               "SDIFF": comparison.members, "SRANDMEMBER": sample,
               "ZRANDMEMBER": sample}
