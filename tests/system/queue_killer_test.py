"""kill -9 of random processes that put into a queue and take out of it, over and over.

Two producers and two consumers, or two that pop, tell what they do (queue_worker.cc), each line
before and after the call. A killed process is started again at once. At the end everything is
taken out, and the lines are held against each other: whatever was acknowledged is received whole,
nothing else is, and nothing twice unless it was due again.
"""

import collections
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from harness.programs import QUEUE_WORKER
from harness.scale import scaled

SEED = 20261121
KILLS = 20
VISIBILITY_MS = 300  # as in queue_worker.cc
KILLS_IN_A_ROUND = 100
OPEN_SECONDS = 60
DRAIN_SECONDS = 120


class Worker:
    """One of the processes, in all its lives. Each has a name and a file of lines of its own."""

    def __init__(self, mode, name, arguments, directory, random_):
        self.mode = mode
        self.name = name
        self.arguments = arguments
        self.directory = directory
        self.random = random_
        self.lives = []  # (name, path of the lines, whether it was killed)
        self.process = None

    def start(self):
        name = f"{self.name}.{len(self.lives)}"
        path = os.path.join(self.directory, name)
        directory, segment_bytes, sync = self.arguments
        with open(path, "wb") as lines, open(path + ".errors", "wb") as errors:
            self.process = subprocess.Popen(
                [QUEUE_WORKER, self.mode, directory, str(segment_bytes), sync,
                 str(self.random.getrandbits(32)), name],
                stdin=subprocess.DEVNULL, stdout=lines, stderr=errors)
        self.lives.append([name, path, False])

    def kill(self):
        """Fails when the process has ended by itself."""
        self.expect_alive()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.lives[-1][2] = True

    def expect_alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.lives[-1][0]} ended with {self.process.returncode}: "
                                 f"{self.errors()}")

    def wait_until_open(self):
        opened = threading.Event()
        deadline = time.monotonic() + OPEN_SECONDS
        while lines_of(self.lives[-1][1])[:1] != [["O"]]:
            self.expect_alive()
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.lives[-1][0]} does not open the queue: "
                                     f"{self.errors()}")
            opened.wait(0.005)

    def end(self):
        """Asks it to end, and waits until it has."""
        self.wait_until_open()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.lives[-1][0]} does not end: {self.errors()}") from None
        if status != 0:
            raise AssertionError(f"{self.lives[-1][0]} ended with {status}: {self.errors()}")

    def errors(self):
        with open(self.lives[-1][1] + ".errors", "rb") as file:
            return file.read().decode(errors="replace")[-2000:]

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def lines_of(path):
    """A line that the kill has cut was not said."""
    with open(path, "rb") as file:
        return [line.split() for line in file.read().decode().split("\n")[:-1]]


Delivery = collections.namedtuple("Delivery", "count begun ended record life")
# What was said of pending records; not `sure` when the process died in the call.
Settled = collections.namedtuple("Settled", "letter begun ended by sure life")


class Account:
    """What all processes said, put together."""

    def __init__(self):
        self.number_of = {}  # of an acknowledged record: (name, sequence) -> number
        self.unsure = []     # appends that were not acknowledged: [(name, sequence), ...]
        self.deliveries = collections.defaultdict(list)
        self.settled = collections.defaultdict(list)
        self.may_be_unsaid = 0  # deliveries that killed processes may not have told of
        self.left = []
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
        self.expect(pending == len(numbers) or not in_time, name, letter, numbers, "found only",
                    pending, "pending, within the time")
        for number in numbers:
            deadlines[number] = begun + by
            self.settled[number].append(Settled(letter, begun, ended, by, True, name))

    # ---- Checking

    def check_contents(self):
        """Each record has one number, and that is the one which its producer was told."""
        found = {}
        for number, deliveries in self.deliveries.items():
            records = {delivery.record for delivery in deliveries}
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
        missing = self.check_contents()
        self.expect(not missing, len(missing), "records are lost, as", sorted(missing)[:3])
        unsaid = 0
        for number, deliveries in self.deliveries.items():
            deliveries.sort()
            unsaid += self.check_deliveries(number, deliveries)
        self.expect(unsaid <= self.may_be_unsaid, unsaid, "deliveries are missing; killed processes "
                    "account for", self.may_be_unsaid)

    def check_deliveries(self, number, deliveries):
        """Returns how many were made that nobody tells of."""
        settled = self.settled[number]
        acknowledged = [each for each in settled if each.letter == "K"]
        self.expect(acknowledged, number, "was never acknowledged, and is gone")
        gone = min((each.ended for each in acknowledged if each.sure), default=None)
        before = None
        for delivery in deliveries:
            self.expect(gone is None or delivery.begun <= gone, number, "was acknowledged at",
                        gone, "and came again:", delivery)
            if before is not None:
                self.expect(delivery.count > before.count, number, "came twice:", before, delivery)
                due = self.due_after(before, delivery, settled)
                self.expect(delivery.ended >= due, number, "was due at", due, ":", before,
                            delivery, settled)
            before = delivery
        return deliveries[-1].count - len(deliveries)

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


class QueueKillerTest(unittest.TestCase):
    def workers(self, taking, seed):
        random_ = random.Random(seed)
        arguments = (os.path.join(self.directory, "queue"),
                     random_.choice([1, 2, 4]) * 65536, random_.choice(["never", "interval"]))
        producers = [Worker("produce", f"p{i}", arguments, self.directory, random_)
                     for i in range(2)]
        takers = [Worker(taking, f"t{i}", arguments, self.directory, random_) for i in range(2)]
        return producers, takers, random_

    def kill_at_random(self, workers, kills, random_):
        """Mostly one; at times all, so that the next finds nobody who has the queue open."""
        moment = threading.Event()
        while kills > 0:
            moment.wait(random_.uniform(0.0, 0.15))
            victims = random_.sample(workers, min(kills, random_.choice([1, 1, 1, 1, 2, 4])))
            for victim in victims:
                victim.kill()
            for victim in victims:
                victim.start()
            kills -= len(victims)

    def run_workers(self, taking, kills, seed):
        producers, takers, random_ = self.workers(taking, seed)
        workers = producers + takers
        try:
            for worker in workers:
                worker.start()
            self.kill_at_random(workers, kills, random_)
            for worker in workers:  # the producers first
                worker.end()
        finally:
            for worker in workers:
                worker.close()
        account = Account()
        for producer in producers:
            for life in producer.lives:
                account.add_producer(*life)
        for taker in takers:
            for life in taker.lives:
                account.add_consumer(*life)
        account.expect(account.number_of, "nothing was appended")
        account.expect(account.left and account.left[-1][0] == 0, "left:", account.left)
        return account

    def rounds(self, taking, seed, check):
        left = scaled(KILLS, least=4)
        while left > 0:
            kills = min(left, KILLS_IN_A_ROUND)
            with self.subTest(seed=seed), \
                    tempfile.TemporaryDirectory(prefix="larder-queue-killer-") as self.directory:
                account = self.run_workers(taking, kills, seed)
                check(account)
                self.assertEqual(account.complaints, [])
            left -= kills
            seed += 2

    def test_consumers_get_every_record(self):
        self.rounds("consume", SEED, Account.check_received)

    def test_nothing_is_popped_twice(self):
        self.rounds("pop", SEED + 1, Account.check_popped)


if __name__ == "__main__":
    unittest.main()
