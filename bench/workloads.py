"""The workloads of requests: which records, which requests, who answers them, and what the project asks
of Larder (at least so many times less CPU a request than Redis).

A further server or protocol: a column in COLUMNS, how to start it in peers.py, and a `protocols` entry
of the workloads that it can answer.
"""
from dataclasses import dataclass, field

STRING = "item:000000000000"


@dataclass(frozen=True)
class Data:
    """Records; `arguments` are those of larder_make_records and larder_load."""
    name: str
    records: int | None = None  # None: as many as the run is told to have
    arguments: tuple = ()
    keys: tuple = (STRING,) * 5  # of a string, hash, list, set, zset

    def count(self, options):
        return self.records or options.records


COLLECTION_KEYS = (None, *(f"item:{number:012}" for number in range(4)))
MIXED = Data("mixed", keys=(STRING, "item:000000000003", None, None, None))
THOUSANDS = Data("thousands", 400, ("--shape", "collections", "--elements", "1000"), COLLECTION_KEYS)
MILLIONS = Data("millions", 4, ("--shape", "collections", "--elements", "1000000"), COLLECTION_KEYS)


def strings(size, records):
    return Data(f"strings-{size}", records, ("--shape", "strings", "--value-bytes", str(size)))


DATA = [MIXED, THOUSANDS, MILLIONS, strings(16, None), strings(1024, 200_000), strings(10_240, 20_000),
        strings(102_400, 1000), strings(1_048_576, 100)]
OF = {data.name: data for data in DATA}

# Columns of a result, and with which server and protocol each is measured.
COLUMNS = {"floor": ("floor", "resp2"), "larder": ("larder", "resp2"), "redis": ("redis", "resp2"),
           "memcached mg": ("memcached", "memcached-meta"), "memcached get": ("memcached", "memcached")}
BOTH = ("memcached mg", "memcached get")


@dataclass(frozen=True)
class Workload:
    name: str
    data: Data
    arguments: tuple  # of larder_load
    request: tuple = ()  # all requests have its length: what the floor counts; none: no floor
    least: float = 0  # times less CPU than Redis; 0: nothing is asked
    aim: float = 0
    memcached: tuple = ()  # the columns of memcached that can answer it
    protocol: str = "resp2"
    columns: list = field(init=False)

    def __post_init__(self):
        columns = ["larder", "redis", *self.memcached, *(["floor"] if self.request else [])]
        object.__setattr__(self, "columns", columns)

    def load_arguments(self, column):
        protocol = self.protocol if column in ("larder", "redis") else COLUMNS[column][1]
        return [*self.data.arguments, *self.arguments, "--protocol", protocol]


def asks(workload, pipeline, *more):
    return ("--workload", workload, "--pipeline", str(pipeline), *more)


def of_mixed():
    hash_key = MIXED.keys[1]
    get, mget, hgetall = ("GET", STRING), ("MGET", *[STRING] * 10), ("HGETALL", hash_key)
    for pipeline, least, aim in ((1, 1.25, 1.4), (16, 3, 4), (64, 4, 7)):
        yield Workload(f"get-p{pipeline}", MIXED, asks("get", pipeline), get, least, aim, BOTH)
    for pipeline, least, aim in ((1, 1.6, 1.8), (16, 4, 7), (64, 0, 0)):
        yield Workload(f"mget10-p{pipeline}", MIXED, asks("mget", pipeline), mget, least, aim,
                       ("memcached get",))
    for pipeline, least, aim in ((1, 0, 0), (16, 3.5, 5), (64, 0, 0)):
        yield Workload(f"hgetall10-p{pipeline}", MIXED, asks("hgetall", pipeline), hgetall, least, aim)
    yield Workload("mget100-p1", MIXED, asks("mget", 1, "--keys-per-request", "100"),
                   ("MGET", *[STRING] * 100))
    yield Workload("hvals10-p16", MIXED, asks("hvals", 16), ("HVALS", hash_key))
    yield Workload("hkeys10-p16", MIXED, asks("hkeys", 16), ("HKEYS", hash_key))
    yield Workload("get-zipf-p16", MIXED, asks("get", 16, "--zipf", "0.99"), get, 0, 0, BOTH[:1])
    yield Workload("get-half-p16", MIXED, asks("get", 16, "--hit-ratio", "0.5"), (), 0, 0, BOTH[:1])
    yield Workload("get-miss-p16", MIXED, asks("get", 16, "--hit-ratio", "0"),
                   ("GET", "item:000999999999"), 0, 0, BOTH[:1])
    yield Workload("get-resp3-p16", MIXED, asks("get", 16), get, protocol="resp3")
    yield Workload("hgetall10-resp3-p16", MIXED, asks("hgetall", 16), hgetall, protocol="resp3")


def of_collections():
    _, a_hash, a_list, a_set, a_zset = COLLECTION_KEYS
    for name, request, least in (
            ("hgetall", ("HGETALL", a_hash), 5), ("hvals", ("HVALS", a_hash), 0),
            ("hkeys", ("HKEYS", a_hash), 0), ("lrange", ("LRANGE", a_list, "0", "-1"), 5),
            ("smembers", ("SMEMBERS", a_set), 0), ("zrange", ("ZRANGE", a_zset, "0", "-1"), 0),
            ("zrange-withscores", ("ZRANGE", a_zset, "0", "-1", "WITHSCORES"), 0)):
        yield Workload(f"{name}1000-p1", THOUSANDS, asks(name, 1), request, least)
    member = "m00000:000000000"
    for name, request in (("hget", ("HGET", a_hash, "field000000")), ("sismember", ("SISMEMBER", a_set, member)),
                          ("zscore", ("ZSCORE", a_zset, member)), ("zrank", ("ZRANK", a_zset, member)),
                          ("lindex", ())):
        yield Workload(f"{name}-1m-p16", MILLIONS, asks(name, 16), request, 1)
    yield Workload("hscan-1m-p1", MILLIONS, asks("hscan", 1))


def of_sizes():
    for data, pipeline, name, least in (("strings-16", 16, "16b", 0), ("strings-1024", 1, "1k", 0),
                                        ("strings-1024", 16, "1k", 0), ("strings-10240", 1, "10k", 0),
                                        ("strings-102400", 1, "100k", 1.1), ("strings-1048576", 1, "1m", 0)):
        yield Workload(f"get-{name}-p{pipeline}", OF[data], asks("get", pipeline), ("GET", STRING), least,
                       0, BOTH[:1])


WORKLOADS = {workload.name: workload for workload in (*of_mixed(), *of_collections(), *of_sizes())}
