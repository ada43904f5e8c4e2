"""Guards: a command cannot be served without cases of its own, nor an option without one that uses
it."""

# A command of no key has no missing key, one that asks for any type has no wrong one.
ANY_TYPE = {"exists", "type", "ttl", "pttl", "expiretime", "pexpiretime", "touch", "keys", "scan",
            "randomkey", "dump", "watch", "object|encoding", "object|refcount", "object|idletime",
            "object|freq", "memory|usage", "mget"}
NO_MISSING_KEY = {"randomkey"}
KEYSPACE_WITHOUT_KEYS = {"keys", "scan"}
# No reply, or one that ends the connection; compared by scripts (pubsub_cases.py, tests/system).
BY_SCRIPT = {"monitor", "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe",
             "sunsubscribe", "publish", "spublish", "quit"}
# What Redis does and Larder refuses in words, with the reason that docs/commands.md gives.
REFUSED = {
    "acl|deluser", "acl|load", "acl|save", "acl|setuser",  # users stand in larder.toml
    "bgrewriteaof", "bgsave", "save",  # a Dataset is on disk before it is served
    "config|rewrite",  # larder.toml is the operator's
    "debug", "pfselftest", "shutdown",  # not for clients
    "eval", "eval_ro", "script|debug", "script|load",  # no scripts
    "failover", "psync", "replconf", "replicaof", "slaveof", "sync",  # no replication
    "module|load", "module|loadex", "module|unload",  # no modules
}


def must_have_cases(command):
    return not (command.is_write or command.subcommands or command.name in REFUSED or
                command.name in BY_SCRIPT)


def commands_in(case, known):
    """Names of the commands and subcommands that the case's requests call."""
    for request in case.requests:
        words = [word.lower().decode("latin-1") for word in request[:2]]
        if words:
            yield words[0], request
        if len(words) == 2 and "|".join(words) in known:
            yield "|".join(words), request


def kinds_needed(command):
    needed = {"normal"}
    if abs(command.arity) > len(command.words) or command.arity > 0:
        needed.add("arity")
    asks_for_key = command.has_keys or command.name in KEYSPACE_WITHOUT_KEYS
    if asks_for_key and command.name not in NO_MISSING_KEY:
        needed.add("missing")
    if command.has_keys and command.name not in ANY_TYPE:
        needed.add("type")
    if command.options and command.arity < 0:
        needed.add("syntax")
    return needed


def run(commands, cases, failures):
    """`commands`: flat, of the real server."""
    known = {command.name for command in commands}
    kinds, words = {}, {}
    for case in cases:
        for name, request in commands_in(case, known):
            words.setdefault(name, set()).update(
                word.upper().decode("latin-1") for word in request)
            if name.split("|")[0] == case.command.split("|")[0]:
                kinds.setdefault(name, set()).add(case.kind)
    for command in commands:
        if not must_have_cases(command):
            continue
        lacking = kinds_needed(command) - kinds.get(command.name, set())
        failures.check(f"cases of {command.name}",
                       f"none of kind {sorted(lacking)}" if lacking else None)
        unused = command.options - words.get(command.name, set())
        failures.check(f"cases of {command.name}",
                       f"none with {sorted(unused)}" if unused else None)
