"""kill -9 of random processes that put into a queue and take out of it, over and over.

Two producers and two consumers, or two that pop, tell what they do (queue_worker.cc), each line
before and after the call. A killed process is started again at once. At the end everything is
taken out, and the lines are held against each other (queue_account.py): whatever was acknowledged
is received whole, nothing else is, and nothing twice unless it was due again.

In some rounds records fail until they are dead letters, and others are moved to another queue:
each is acknowledged, or in one of these, once.

With --seconds it goes on with new seeds for so long (`./dev fuzz queue-killer`). What fails is
named, with the seed that does the same again (--kind, --seed), as far as the machine does.
"""

import argparse
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness.programs import QUEUE_WORKER
from harness.scale import scaled
from system.queue_account import Account, lines_of

SEED = 20261121
KINDS = ("consume", "pop", "work")
KILLS = 20
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
        self.wait()

    def wait(self):
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


class Round:
    """One queue, with everything that is done to it, and what comes of that."""

    def __init__(self, kind, seed, directory):
        self.kind = kind
        self.random = random.Random(seed)
        self.directory = directory
        self.arguments = (os.path.join(directory, "queue"), self.random.choice([1, 2, 4]) * 65536,
                          self.random.choice(["never", "interval"]))
        self.producers = self.workers("produce", "p", 2)
        self.takers = self.workers(kind, "t", 2)
        # In half of these rounds what is moved goes on, so that segments go there, too.
        goes_on = kind == "work" and self.random.randrange(2)
        self.movers = self.workers("move", "m", 1 + self.random.randrange(2)
                                   if kind == "work" else 0)
        self.poppers = self.workers("popmoved", "n", 1 if goes_on else 0)
        self.all = self.producers + self.movers + self.takers + self.poppers

    def workers(self, mode, name, count):
        return [Worker(mode, f"{name}{i}", self.arguments, self.directory, self.random)
                for i in range(count)]

    def run(self, kills):
        try:
            for worker in self.all:
                worker.start()
            self.kill_at_random(kills)
            for worker in self.all:  # in this order, so that each leaves nothing to do
                worker.end()
            lister = self.workers("list", "list", 1 if self.kind == "work" else 0)
            self.all += lister
            for worker in lister:
                worker.start()
                worker.wait()
        finally:
            for worker in self.all:
                worker.close()
        return self.account(lister)

    def kill_at_random(self, kills):
        """Mostly one; at times all, so that the next finds nobody who has the queue open."""
        moment = threading.Event()
        while kills > 0:
            moment.wait(self.random.uniform(0.0, 0.15))
            some = min(kills, self.random.choice([1, 1, 1, 1, 2, len(self.all)]))
            victims = self.random.sample(self.all, some)
            for victim in victims:
                victim.kill()
            for victim in victims:
                victim.start()
            kills -= len(victims)

    def account(self, lister):
        account = Account()
        for workers, add in ((self.producers, account.add_producer),
                             (self.takers, account.add_consumer),
                             (self.movers, account.add_mover),
                             (self.poppers, account.add_popper_of_moved)):
            for worker in workers:
                for life in worker.lives:
                    add(*life)
        for worker in lister:
            account.add_list(worker.lives[-1][1])
        account.expect(account.number_of, "nothing was appended")
        account.expect(account.left and account.left[-1][0] == 0, "left:", account.left)
        if self.kind == "pop":
            account.check_popped()
        else:
            account.check_received()
        if self.kind == "work":
            account.expect(account.sunk, "nothing moved, and nothing failed too often")
        return account


class QueueKillerTest(unittest.TestCase):
    def rounds(self, kind, seed):
        left = scaled(KILLS, least=4)
        while left > 0:
            kills = min(left, KILLS_IN_A_ROUND)
            with self.subTest(seed=seed), \
                    tempfile.TemporaryDirectory(prefix="larder-queue-killer-") as directory:
                self.assertEqual(Round(kind, seed, directory).run(kills).complaints, [])
            left -= kills
            seed += len(KINDS)

    def test_consumers_get_every_record(self):
        self.rounds("consume", SEED)

    def test_nothing_is_popped_twice(self):
        self.rounds("pop", SEED + 1)

    def test_what_fails_or_moves_is_in_one_place(self):
        self.rounds("work", SEED + 2)


# ---- For hours.

def run_one(kind, seed, kills):
    """Whether it went well. Otherwise what the processes said stays, and is named."""
    directory = tempfile.mkdtemp(prefix="larder-queue-killer-")
    began = time.monotonic()
    try:
        account = Round(kind, seed, directory).run(kills)
        complaints = account.complaints
        what = f"{len(account.number_of)} records"
    except AssertionError as error:
        complaints = [str(error)]
        what = "no end"
    print(f"kind {kind}, seed {seed}: {kills} kills, {what}, {time.monotonic() - began:.1f} s",
          flush=True)
    if not complaints:
        shutil.rmtree(directory)
        return True
    print("\n".join(complaints))
    print(f"{directory} has all of it; this does it again, perhaps:\n"
          f"  {sys.argv[0]} --kind {kind} --seed {seed}", flush=True)
    return False


def run_for_long(arguments):
    if arguments.seed:
        return all([run_one(kind, seed, arguments.kills)
                    for seed in arguments.seed for kind in arguments.kind or KINDS])
    end = time.monotonic() + arguments.seconds
    for kind in itertools.cycle(arguments.kind or KINDS):
        if time.monotonic() >= end:
            return True
        if not run_one(kind, random.SystemRandom().randrange(2**32), arguments.kills):
            return False


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=0, help="go on with new seeds")
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--kills", type=int, default=KILLS_IN_A_ROUND, help="in each round")
    arguments, others = parser.parse_known_args()
    if arguments.seconds or arguments.seed:
        sys.exit(0 if run_for_long(arguments) else 1)
    unittest.main(argv=sys.argv[:1] + others)


if __name__ == "__main__":
    main()
