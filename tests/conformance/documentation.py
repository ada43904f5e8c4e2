"""What the real server's COMMAND DOCS and COMMAND say of its commands: names, options, keys."""

from dataclasses import dataclass, field


@dataclass
class Command:
    name: str                 # lower case; of a subcommand "container|sub"
    group: str
    arity: int
    is_write: bool
    has_keys: bool
    options: set = field(default_factory=set)       # tokens, upper case
    subcommands: list = field(default_factory=list)

    @property
    def words(self):
        return self.name.split("|")


def mapping(reply):
    return {key.text.decode(): value for key, value in reply.pairs()}


def tokens_of(arguments):
    """Every fixed word among the arguments, however deep."""
    found = set()
    for argument in arguments.items:
        fields = mapping(argument)
        if "token" in fields and fields["token"].text not in (b"", b'""'):
            found.add(fields["token"].text.decode().upper())
        if "arguments" in fields:
            found |= tokens_of(fields["arguments"])
    return found


def read_docs(reply, docs):
    for name, entry in reply.pairs():
        fields = mapping(entry)
        tokens = tokens_of(fields["arguments"]) if "arguments" in fields else set()
        docs[name.text.decode()] = (fields["group"].text.decode(), tokens)
        if "subcommands" in fields:
            read_docs(fields["subcommands"], docs)


def read_entry(entry, docs):
    name = entry.items[0].text.decode()
    flags = {flag.text for flag in entry.items[2].items}
    group, options = docs.get(name, ("", set()))
    return Command(name, group, int(entry.items[1].text), b"write" in flags,
                   bool(entry.items[8].items), options,
                   [read_entry(sub, docs) for sub in entry.items[9].items])


def commands_of(server):
    """All commands by name, subcommands below their containers."""
    docs = {}
    with server.connect() as connection:
        read_docs(connection.call("COMMAND", "DOCS"), docs)
        entries = [read_entry(entry, docs) for entry in connection.call("COMMAND").items]
    return {entry.name: entry for entry in entries}


def flat(commands):
    """Commands and subcommands; containers themselves too."""
    for command in commands.values():
        yield command
        yield from command.subcommands
