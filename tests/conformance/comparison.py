"""How two replies are compared. `exact` is the rule; the others are exceptions, each with its
reason.

A comparison takes Larder's reply, Redis's reply and the request, and returns None, or a sentence on
the difference.
"""

REASONS = {
    "members": "the order of a hash or a set is not part of the protocol",
    "pairs": "the order of fields and of settings is not part of the protocol",
    "shape": "identities and times differ from server to server",
    "kind": "the text is the server's own",
    "encoding": "SORT_RO of a small sorted set changes how that Redis holds it from then on",
    "fields": "versions, identities and the role are the server's own",
    "random": "a random key: any one that exists",
    "scores": "how ZSCAN writes an integral score of 1e17 and more depends on the encoding that "
              "Redis chose by the set's size",
    "commands": "Larder has some commands more: LARDER, those of RedisJSON, two of Redis 7.2",
    "docs": "the prose of COMMAND DOCS is Larder's own, and it has no arguments",
    "info": "Larder has a part of INFO's fields, and some of its own",
    "master": "the oracle is a replica, so that it refuses writes; Larder answers as a master does",
    "clientline": "addresses, identities, times and memory differ from connection to connection",
}


def differ(what, larder, redis):
    return f"{what}: larder {larder!r}, redis {redis!r}"


def exact(larder, redis, _request=None):
    return None if larder.raw() == redis.raw() else differ("bytes", larder, redis)


def members(larder, redis, _request=None):
    if larder.items is None or redis.items is None:
        return exact(larder, redis)
    if larder.kind != redis.kind or len(larder.items) != len(redis.items):
        return differ("kind or count", larder, redis)
    left = sorted(item.raw() for item in larder.items)
    right = sorted(item.raw() for item in redis.items)
    return None if left == right else differ("members", larder, redis)


def pairs(larder, redis, _request=None):
    if larder.items is None or redis.items is None:
        return exact(larder, redis)
    if larder.kind != redis.kind or len(larder.items) != len(redis.items):
        return differ("kind or count", larder, redis)
    left = sorted((key.raw(), value.raw()) for key, value in larder.pairs())
    right = sorted((key.raw(), value.raw()) for key, value in redis.pairs())
    return None if left == right else differ("pairs", larder, redis)


def shape(larder, redis, _request=None):
    if larder.kind != redis.kind or larder.is_null != redis.is_null:
        return differ("kind", larder, redis)
    if larder.items is None:
        return exact(larder, redis) if larder.is_error else None
    if len(larder.items) != len(redis.items):
        return differ("count", larder, redis)
    for left, right in zip(larder.items, redis.items):
        difference = shape(left, right)
        if difference:
            return difference
    return None


def kind(larder, redis, _request=None):
    if larder.is_error or redis.is_error:
        return exact(larder, redis)
    return None if larder.kind == redis.kind else differ("kind", larder, redis)


def encoding(larder, redis, _request=None):
    """OBJECT ENCODING."""
    sorted_before = larder.text == b"listpack" and redis.text == b"skiplist"
    return None if sorted_before else exact(larder, redis)


def fields(larder, redis, _request=None):
    """Maps (flat in RESP2) with the same fields in the same order, of values of the same kind."""
    if larder.items is None or redis.items is None:
        return exact(larder, redis)
    left = [(key.raw(), value.kind) for key, value in larder.pairs()]
    right = [(key.raw(), value.kind) for key, value in redis.pairs()]
    if larder.kind != redis.kind or left != right:
        return differ("fields", larder, redis)
    return None


def scores(larder, redis):
    """Groups (member, score) of a whole ZSCAN: the scores as numbers."""
    def as_numbers(groups):
        return sorted((member, float(score.split(b"\r\n")[1])) for member, score in groups)
    return as_numbers(larder) == as_numbers(redis)


def random(larder, redis, _request=None):
    return None if larder.kind == redis.kind == b"$" and larder.text else differ(
        "a key", larder, redis)


def by_name(reply):
    return {item.items[0].text: item for item in reply.items}


# Subcommands of Redis 7.2.
OF_7_2 = {b"client|setinfo", b"client|no-touch"}


def is_own(name):
    """A command that the Redis of the oracle does not have."""
    return name == b"larder" or name.startswith(b"json.") or name in OF_7_2


def same_entry(larder, redis):
    if larder.items is None or redis.items is None:
        return exact(larder, redis)
    name = larder.items[0].text
    if larder.kind != redis.kind or len(larder.items) != len(redis.items):
        return differ(f"entry {name!r}", larder, redis)
    parts = ("name", "arity", "flags", "first key", "last key", "step", "categories", "tips",
             "key specs")
    differences = []
    for position, part in enumerate(parts):
        left, right = larder.items[position], redis.items[position]
        compare = members if part in ("flags", "categories") else exact
        difference = compare(left, right)
        if difference:
            differences.append(f"{name!r}, {part}: {difference}")
    if differences:
        return "; ".join(differences)
    return same_entries(larder.items[9], redis.items[9])


def same_entries(larder, redis):
    left, right = by_name(larder), by_name(redis)
    for name in right:
        if name not in left:
            return f"Larder does not know {name!r}"
        difference = same_entry(left[name], right[name])
        if difference:
            return difference
    for name in left:
        if name not in right and not is_own(name):
            return f"Redis has no command {name!r}"
    return None


def commands(larder, redis, _request=None):
    """Entries of COMMAND and COMMAND INFO: Redis's, whole, and nothing else but Larder's own."""
    if larder.items is None or redis.items is None or larder.kind != redis.kind:
        return exact(larder, redis)
    if all(item.items is not None for item in (*larder.items, *redis.items)):
        return same_entries(larder, redis)
    # Names that there are not among those asked for.
    for left, right in zip(larder.items, redis.items):
        difference = same_entry(left, right)
        if difference:
            return difference
    return None


def docs(larder, redis, _request=None):
    """COMMAND DOCS: the same names; of each, the fields summary, since, group and complexity."""
    if larder.items is None or redis.items is None:
        return exact(larder, redis)
    if larder.kind != redis.kind:
        return differ("kind", larder, redis)
    known = {key.text: value for key, value in redis.pairs()}
    lacking = set(known) - {key.text for key, _ in larder.pairs()}
    if lacking:
        return f"Larder does not document {sorted(lacking)}"
    for key, value in larder.pairs():
        if is_own(key.text):
            continue
        if key.text not in known:
            return f"Redis does not document {key.text!r}"
        right = known[key.text]
        if value.kind != right.kind:
            return differ(f"the kind of {key.text!r}", value, right)
        left_fields = {name.text: field for name, field in value.pairs()}
        right_fields = {name.text: field for name, field in right.pairs()}
        for name in (b"summary", b"since", b"group"):
            if name not in left_fields or left_fields[name].kind != right_fields[name].kind:
                return differ(f"{name!r} of {key.text!r}", value, right)
        for name in (b"since", b"group"):
            difference = exact(left_fields[name], right_fields[name])
            if difference:
                return f"{name!r} of {key.text!r}: {difference}"
    return None


INFO_FIELDS = {
    "server": ["redis_version", "redis_mode", "os", "arch_bits", "process_id", "run_id", "tcp_port",
               "uptime_in_seconds", "uptime_in_days", "executable", "config_file"],
    "clients": ["connected_clients", "maxclients"],
    "memory": ["used_memory_rss"],
    "stats": ["total_connections_received", "total_commands_processed", "rejected_connections",
              "keyspace_hits", "keyspace_misses", "total_net_input_bytes",
              "total_net_output_bytes"],
    "replication": ["role"],
    "cpu": ["used_cpu_sys", "used_cpu_user"],
    "keyspace": ["db0"],
}


# Fields of 7.0.15 that would have no true value (docs/operations.md, "Observing" lists them).
INFO_LEFT_OUT = set("""
    redis_git_sha1 redis_git_dirty redis_build_id atomicvar_api hz configured_hz
    lru_clock clients_in_timeout_table allocator_rss_ratio allocator_rss_bytes
    rss_overhead_ratio rss_overhead_bytes total_reads_processed
    total_writes_processed io_threaded_reads_processed io_threaded_writes_processed
    reply_buffer_shrinks reply_buffer_expands used_cpu_sys_main_thread
    used_cpu_user_main_thread
""".split())
# Redis has them as a replica only, and of what it has been asked itself.
INFO_OF_ITS_OWN = ("master_", "slave_", "replica_", "cmdstat_", "errorstat_",
                   "latency_percentiles_", "db", "aof_current_", "aof_base_", "aof_pending_",
                   "aof_buffer_", "aof_delayed_", "module:", "repl_sync", "mem_overhead",
                   "errorstats_disabled")


def info_fields(text):
    return {line.split(":", 1)[0] for line in text.splitlines() if ":" in line}


def info_lacks(text, redis_text):
    """Fields of Redis's that are neither there nor left out for a reason."""
    wanted = {field for field in info_fields(redis_text.removeprefix("txt:"))
              if not field.startswith(INFO_OF_ITS_OWN)}
    return sorted(wanted - info_fields(text.removeprefix("txt:")) - INFO_LEFT_OUT)


def info(larder, redis, request):
    """INFO: sections and fields that Redis has too, in its form, those that clients read among
    them."""
    if larder.is_error or redis.is_error or larder.kind != redis.kind:
        return exact(larder, redis)
    text = larder.text.decode()
    redis_text = redis.text.decode()
    if larder.kind == b"=" and not text.startswith("txt:"):
        return "a verbatim text without its format"
    lacking = info_lacks(text, redis_text)
    if lacking:
        return f"INFO lacks {lacking}"
    sections = [argument.decode().lower() for argument in request[1:]] or list(INFO_FIELDS)
    if set(sections) & {"default", "all", "everything"}:
        sections = list(INFO_FIELDS)
    for section in sections:
        if section not in INFO_FIELDS:
            continue
        title = f"# {section.capitalize() if section != 'cpu' else 'CPU'}\r\n"
        if (title in text) != (title in redis_text):
            return f"{title!r} stands in one only: {text[:300]!r}"
        for field in INFO_FIELDS[section]:
            if f"\n{field}:" not in text:
                return f"no field {field!r} in section {section!r}: {text[:600]!r}"
    return None


# What a Redis 7.0.15 that is no replica answers, by the words after the command.
OF_A_MASTER = {
    (b"role",): b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n",
    (b"wait", b"0", b"0"): b":0\r\n",
    (b"wait", b"-1", b"100"): b":0\r\n",
    (b"wait", b"1", b"1"): b":0\r\n",
    (b"wait", b"x", b"0"): b"-ERR value is not an integer or out of range\r\n",
    (b"wait", b"0", b"x"): b"-ERR timeout is not an integer or out of range\r\n",
    (b"wait", b"0", b"-1"): b"-ERR timeout is negative\r\n",
}


def master(larder, _redis, request):
    """ROLE and WAIT: the reply that a master gave."""
    expected = OF_A_MASTER[tuple(word.lower() for word in request)]
    return None if larder.raw() == expected else differ("bytes", larder, expected)


def client_fields(text):
    return [word.split("=", 1)[0] for word in text.removeprefix("txt:").split("\n")[0].split()]


# Redis 7.2 has them at the end of its lines, with CLIENT SETINFO.
CLIENT_FIELDS_OF_7_2 = ["lib-name", "lib-ver"]


def clientline(larder, redis, _request=None):
    """CLIENT INFO and LIST: the fields of 7.0's line in its order, then those of 7.2."""
    if larder.is_error or redis.is_error or larder.kind != redis.kind:
        return exact(larder, redis)
    left = client_fields(larder.text.decode())
    right = client_fields(redis.text.decode())
    left = [field for field in left if field not in CLIENT_FIELDS_OF_7_2]
    return None if left == right else differ("fields", left, right)


COMPARISONS = {name: function for name, function in list(globals().items())
               if (name in REASONS and name != "scores") or name == "exact"}


# SORT_RO of Redis 7.0 takes any element for no number when an earlier request left ERANGE in errno
# (a bound of 5e-324 is enough). Reading an id that is no signed integer clears it.
CLEARS_ERRNO = [b"XRANGE", b"missing", b"18446744073709551615", b"+"]


def needs_preparation(request):
    return bool(request) and request[0].upper() == b"SORT_RO"


def with_preparation(requests):
    """`requests` are pairs of a request and how to compare its replies."""
    for request, compare in requests:
        if needs_preparation(request):
            yield CLEARS_ERRNO, exact
        yield request, compare
