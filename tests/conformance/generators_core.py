"""Random requests of the commands that every store of keys has.

A generator is a function of (data, name) that returns the words of a request: `data` is a
random_data.Data, `name` the command in some case. A module generators_*.py gives GENERATORS, a
dictionary of them by the command's name in capitals (a subcommand: "OBJECT|ENCODING"), and, for replies
that are not compared byte for byte, COMPARISONS by the same names (comparison.py).
"""

import comparison
from random_data import KINDS


def keyed(kind):
    def make(data, name):
        return [name, data.pick(kind)[0]]
    return make


def with_member(kind):
    def make(data, name):
        key, members = data.pick(kind)
        return [name, key, data.one_of(members)]
    return make


def several_keys(data, name):
    return [name, *(data.pick(data.chooser.choice(KINDS))[0]
                    for _ in range(data.chooser.randrange(1, 12)))]


def hmget(data, name):
    key, members = data.pick("hash")
    return [name, key, *(data.one_of(members) for _ in range(data.chooser.randrange(1, 8)))]


def with_range(kind):
    def make(data, name):
        key, members = data.pick(kind)
        size = len(members) or 50
        return [name, key, data.index(size), data.index(size)]
    return make


def lindex(data, name):
    key, members = data.pick("list")
    return [name, key, data.index(len(members) or 5)]


def zcount(data, name):
    return [name, data.pick("zset")[0], data.bound(), data.bound()]


def zrange(data, name):
    key, members = data.pick("zset")
    chooser = data.chooser
    forms = ["", "BYSCORE", "BYLEX"] if key in data.tied else ["", "BYSCORE"]
    form = chooser.choice(forms)
    if form == "BYSCORE":
        request = [name, key, data.bound(), data.bound()]
    elif form == "BYLEX":
        request = [name, key, data.lexical(members), data.lexical(members)]
    else:
        request = [name, key, data.index(len(members) or 5), data.index(len(members) or 5)]
    options = [[form]] if form else []
    if chooser.random() < 0.4:
        options.append(["REV"])
    if chooser.random() < (0.4 if form != "BYLEX" else 0.05):
        options.append(["WITHSCORES"])
    if chooser.random() < (0.4 if form else 0.03):
        options.append(["LIMIT", chooser.randrange(-1, 10), chooser.randrange(-2, 50)])
    if chooser.random() < 0.02:
        options.append([chooser.choice(["NOSUCH", "LIMIT", "BYSCORE"])])
    chooser.shuffle(options)
    return request + [data.mixed_case(word) if isinstance(word, str) else word
                      for option in options for word in option]


def keys(data, name):
    return [name, data.pattern()]


GENERATORS = {
    "GET": keyed("string"), "STRLEN": keyed("string"), "GETRANGE": with_range("string"),
    "MGET": several_keys, "EXISTS": several_keys, "TYPE": keyed("list"), "TTL": keyed("set"),
    "PTTL": keyed("hash"), "HGET": with_member("hash"), "HEXISTS": with_member("hash"),
    "HLEN": keyed("hash"), "HMGET": hmget, "LLEN": keyed("list"), "LINDEX": lindex,
    "LRANGE": with_range("list"), "SCARD": keyed("set"), "SISMEMBER": with_member("set"),
    "ZCARD": keyed("zset"), "ZSCORE": with_member("zset"), "ZRANK": with_member("zset"),
    "ZCOUNT": zcount, "ZRANGE": zrange,
    "PING": lambda data, name: [name, *[data.text()] * data.chooser.randrange(3)],
    "ECHO": lambda data, name: [name, data.text()], "DBSIZE": lambda _, name: [name],
    "HGETALL": keyed("hash"), "HKEYS": keyed("hash"), "HVALS": keyed("hash"),
    "SMEMBERS": keyed("set"), "KEYS": keys,
}
COMPARISONS = {"HGETALL": comparison.pairs, "HKEYS": comparison.members,
               "HVALS": comparison.members, "SMEMBERS": comparison.members,
               "KEYS": comparison.members}
