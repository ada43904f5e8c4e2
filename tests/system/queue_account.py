"""What the processes of queue_killer_test.py said (queue_worker.cc), held against each other."""

import collections

VISIBILITY_MS = 300  # as in queue_worker.cc, and so
MAX_DELIVERIES = 3

Delivery = collections.namedtuple("Delivery", "count begun ended record life")
# What was said of pending records; not `sure` when the process died in the call.
Settled = collections.namedtuple("Settled", "letter begun ended by sure life")
# A record in another queue: its number there, and where it came from.
Sunk = collections.namedtuple("Sunk", "which there origin record")


def lines_of(path):
    """A line that the kill has cut was not said."""
    with open(path, "rb") as file:
        return [line.split() for line in file.read().decode().split("\n")[:-1]]


class Account:
    """What all processes said, put together."""

    def __init__(self):
        self.number_of = {}  # of an acknowledged record: (name, sequence) -> number
        self.unsure = []     # appends that were not acknowledged: [(name, sequence), ...]
        self.deliveries = collections.defaultdict(list)
        self.settled = collections.defaultdict(list)
        self.may_be_unsaid = 0  # deliveries that killed processes may not have told of
        self.left = []
        self.moves = collections.defaultdict(list)  # of a number: (begun, ended, there) or None
        self.calls = []                             # acknowledgements: (numbers, pending, in time)
        self.sunk = collections.defaultdict(list)   # by the number that it had
        self.pops_unsaid = 0                        # of what was moved
        self.complaints = []

    def expect(self, holds, *what):
        if not holds and len(self.complaints) < 20:
            self.complaints.append(" ".join(map(str, what)))

    # ---- Reading

    def add_producer(self, name, path, killed):
        intended = None
        expected = 1
        highest = 0
        for line in lines_of(path):
            if line[0] == "+":
                intended = [(name, int(line[1]) + i) for i in range(int(line[2]))]
            elif line[0] == "A":
                last = int(line[3])
                first = last - len(intended) + 1
                self.expect(first > highest, name, "got number", first, "after", highest)
                self.expect(intended[0] == (name, expected), name, "skipped a record")
                self.number_of.update(zip(intended, range(first, last + 1)))
                highest = last
                expected += len(intended)
                intended = None
        if intended is not None:
            self.expect(killed, name, "ended within an append")
            self.unsure.append(intended)

    def add_consumer(self, name, path, killed):
        wanted = 0
        open_lines = {}
        deadlines = {}
        for line in lines_of(path):
            letter = line[0]
            if letter == "w":
                wanted = int(line[1])
            elif letter == "d":
                number, count, begun, ended = map(int, line[1:5])
                delivery = Delivery(count, begun, ended, (line[5], int(line[6])), name)
                self.deliveries[number].append(delivery)
                deadlines[number] = begun + VISIBILITY_MS
                wanted -= 1
            elif letter == "e":
                wanted = 0
            elif letter in "klx":
                open_lines = {letter: line}
            elif letter in "KLX":
                open_lines = {}
                self.add_settled(name, letter, line, deadlines)
            elif letter == "S":
                self.left.append([int(word) for word in line[1:]])
        self.expect(killed or (wanted == 0 and not open_lines), name, "ended within a call")
        self.may_be_unsaid += wanted
        for letter, line in open_lines.items():
            for number in map(int, line[2:]):
                self.settled[number].append(Settled(letter.upper(), 0, None, int(line[1]), False,
                                                    name))

    def add_settled(self, name, letter, line, deadlines):
        begun, ended, pending, by = map(int, line[1:5])
        numbers = [int(word) for word in line[5:]]
        in_time = ended < min(deadlines[number] for number in numbers)
        self.calls.append((name, letter, numbers, pending, in_time))
        for number in numbers:
            deadlines[number] = begun + by
            self.settled[number].append(Settled(letter, begun, ended, by, True, name))

    def add_mover(self, name, path, killed):
        moving = None
        for line in lines_of(path):
            if line[0] == "m":
                moving = int(line[1])
            elif line[0] == "M":
                begun, ended, number, there = map(int, line[1:])
                self.moves[number].append((begun, ended, there))
                moving = None
            elif line[0] == "-":
                moving = None
        if moving is not None:
            self.expect(killed, name, "ended within a move")
            self.moves[moving].append(None)

    def add_popper_of_moved(self, name, path, killed):
        wanted = 0
        records = {}
        for line in lines_of(path):
            if line[0] == "w":
                wanted = int(line[1])
            elif line[0] == "d":
                records[int(line[1])] = (line[5], int(line[6]))
                wanted -= 1
            elif line[0] == "o":
                there = int(line[1])
                self.add_sunk("moved", there, line[2:4], records.pop(there))
            elif line[0] == "e":
                wanted = 0
        self.expect(not records or killed, name, "popped records that nobody moved:", records)
        self.expect(killed or wanted == 0, name, "ended within a call")
        self.pops_unsaid += wanted + len(records)

    def add_list(self, path):
        for line in lines_of(path):
            self.add_sunk(line[1], int(line[2]), line[3:5], (line[5], int(line[6])))

    def add_sunk(self, which, there, origin, record):
        self.sunk[int(origin[0])].append(Sunk(which, there, origin[1], record))

    # ---- Checking

    def check_contents(self):
        """Each record has one number, and that is the one which its producer was told."""
        found = {}
        for number in set(self.deliveries) | set(self.sunk):
            records = {delivery.record for delivery in self.deliveries.get(number, ())}
            records.update(sunk.record for sunk in self.sunk.get(number, ()))
            self.expect(len(records) == 1, "number", number, "is", records)
            for record in records:
                self.expect(found.setdefault(record, number) == number, record, "is", number,
                            "and", found[record])
        known = set(self.number_of)
        for record in known & set(found):
            self.expect(self.number_of[record] == found[record], record, "was appended as",
                        self.number_of[record], "and received as", found[record])
        numbers = list(self.number_of.values())
        self.expect(len(numbers) == len(set(numbers)), "a number was given twice")
        missing = known - set(found)
        for batch in self.unsure:
            there = [record for record in batch if record in found]
            if there:
                missing.update(set(batch) - set(there))
                numbers = [found[record] for record in there]
                self.expect(all(b[1] - a[1] == y - x for a, b, x, y in
                                zip(there, there[1:], numbers, numbers[1:])),
                            batch[0], "and those behind it were torn apart:", numbers)
                known.update(batch)
        self.expect(found.keys() <= known, "received, and never appended:", found.keys() - known)
        highest = {}
        for record in sorted(found):
            name = record[0]
            self.expect(found[record] > highest.get(name, 0), record, "came before another")
            highest[name] = found[record]
        return missing

    def check_popped(self):
        missing = self.check_contents()
        self.expect(len(missing) <= self.may_be_unsaid, len(missing), "records are lost, as",
                    sorted(missing)[:3], "; killed processes account for", self.may_be_unsaid)
        for number, deliveries in self.deliveries.items():
            self.expect(len(deliveries) == 1, number, "was popped twice:", deliveries)

    def check_received(self):
        """Each record was acknowledged, or it is once in one of the other queues."""
        missing = self.check_contents()
        for name, letter, numbers, pending, in_time in self.calls:
            may_be_gone = sum(number in self.moves for number in numbers)
            self.expect(pending >= len(numbers) - may_be_gone or not in_time, name, letter, numbers,
                        "found only", pending, "pending, within the time")
            if letter == "K":
                sunk = sum(number in self.sunk for number in numbers)
                self.expect(pending + sunk <= len(numbers), name, "acknowledged", numbers, ",",
                            pending, "of them, and", sunk, "are in other queues")
        unsaid = 0
        for number in set(self.deliveries) | set(self.sunk) | set(self.moves):
            deliveries = self.deliveries.get(number, [])
            deliveries.sort()
            unsaid += self.check_deliveries(number, deliveries)
        missing.update(self.check_sunk())
        self.expect(unsaid <= self.may_be_unsaid, unsaid, "deliveries are missing; killed processes "
                    "account for", self.may_be_unsaid)
        self.expect(len(missing) <= self.pops_unsaid, len(missing), "records are lost, as",
                    sorted(missing)[:3], "; killed processes account for", self.pops_unsaid)

    def check_deliveries(self, number, deliveries):
        """Returns how many were made that nobody tells of."""
        settled = self.settled.get(number, ())
        gone = min([each.ended for each in settled if each.letter == "K" and each.sure] +
                   [move[1] for move in self.moves.get(number, ()) if move], default=None)
        before = None
        for delivery in deliveries:
            self.expect(gone is None or delivery.begun <= gone, number,
                        "was acknowledged or moved at", gone, "and came again:", delivery)
            if before is not None:
                self.expect(delivery.count > before.count, number, "came twice:", before, delivery)
                due = self.due_after(before, delivery, settled)
                self.expect(delivery.ended >= due, number, "was due at", due, ":", before,
                            delivery, settled)
            before = delivery
        count = deliveries[-1].count if deliveries else 0
        if any(sunk.which == "dead" for sunk in self.sunk.get(number, ())):
            self.expect(count <= MAX_DELIVERIES, number, "came too often:", deliveries[-1:])
            count = MAX_DELIVERIES
        return count - len(deliveries)

    def check_sunk(self):
        """Returns the records that are in no other queue, and were not acknowledged."""
        ids = {sunk.origin for all_of in self.sunk.values() for sunk in all_of}
        self.expect(len(ids) <= 1, "the other queues got records of", ids)
        places = [(sunk.which, sunk.there) for all_of in self.sunk.values() for sunk in all_of]
        self.expect(len(places) == len(set(places)), "two records have one number in another queue")
        for number, all_of in self.sunk.items():
            self.expect(len(all_of) == 1, number, "is in other queues twice:", all_of)
            moves = self.moves.get(number, [])
            self.expect(moves or all_of[0].which == "dead", number, "was moved by nobody:", all_of)
            for move in filter(None, moves):
                self.expect((all_of[0].which, all_of[0].there) == ("moved", move[2]), number,
                            "was moved:", move, ", and is", all_of)
        gone = set()
        for number, deliveries in self.deliveries.items():
            acknowledged = any(each.letter == "K" for each in self.settled.get(number, ()))
            if not acknowledged and number not in self.sunk:
                gone.add(deliveries[0].record)
        return gone

    @staticmethod
    def due_after(before, delivery, settled):
        """The earliest moment at which it may have come again."""
        between = [each for each in settled if each.letter != "K" and
                   (not each.sure or before.begun <= each.ended and each.begun <= delivery.ended)]
        if len(between) == 1 and between[0].sure and between[0].life == before.life and \
                before.ended <= between[0].begun and between[0].ended < delivery.begun:
            # Its consumer has surely changed the deadline meanwhile.
            return between[0].begun + between[0].by
        times = [max(each.begun, before.begun) + each.by for each in between]
        return min([before.begun + VISIBILITY_MS] + times)
