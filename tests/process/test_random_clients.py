"""Several clients at once do what comes to their minds with jobs and results, their own and others', while workers and
movers are killed: whatever anybody gets is right, and nothing is left. SLABD_SEEDS says how many seeds (10, of which
one in five is run; 200 in the long test)."""

import contextlib
import io
import os
import random
import signal
import subprocess
import threading
import time
import traceback
import unittest

import numpy as np

import slab
from build_tree import SLAB
from jobs_under_test import slow_input
from raw_client import RawClient, memfd_of, submit_request
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE

SEEDS = max(2, int(os.environ.get("SLABD_SEEDS", "10")) // 5)
CLIENTS = 4
SECONDS = 4  # for each seed
ROWS, COLUMNS = np.arange(600.0), np.arange(500.0)  # 2.4 MB of result: more than a pipe takes
MOST_HELD, MOST_KEPT = 2, 6  # with these all fits in the volume: nobody waits for room that only a waiting one can give


def result_of(number):
    return np.outer(ROWS + number, COLUMNS)


class Client(threading.Thread):
    """One of them. Every job's name tells its number, and so what its result must be, to whoever looks at it."""

    def __init__(self, daemon, directory, seed, until):
        super().__init__()
        self.rng = random.Random(seed)
        self.daemon, self.directory, self.until = daemon, directory, until
        self.slabd = slab.Connection(daemon.socket)
        self.views = []  # of the volume, with their numbers
        self.wrong = []
        self.done = {}

    def run(self):
        try:
            while time.monotonic() < self.until:
                self.do_something()
            self.check_views(0)
        except Exception:
            self.wrong.append(traceback.format_exc())
        finally:
            self.slabd.close()

    def do_something(self):
        deed = self.rng.choices(DEEDS, WEIGHTS)[0]
        # Refused for lack of room, dropped by another, cancelled, its mover killed three times: all are answers.
        with contextlib.suppress(slab.SlabError):
            deed(self)
            self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1

    def number(self):
        return self.rng.randrange(1_000_000)

    def check(self, array, number, what):
        if not np.array_equal(array, result_of(number)):
            self.wrong.append(f"{what} of number {number}: row 1 is {array[1, :3]}, ...")

    def hold(self, view, number):
        self.views.append((view, number))
        self.check_views(MOST_HELD)

    def check_views(self, most):
        """What was right stays so, as long as anybody looks at it."""
        while len(self.views) > most:
            view, number = self.views.pop(self.rng.randrange(len(self.views)))
            self.check(view, number, "a view")

    def somebodys_result(self):
        """The id and the number of a result that is in the volume now."""
        kept = [job for job in self.slabd.jobs() if job["kept"] and job["name"].isdigit()]
        if not kept:
            raise slab.UsageError("there is no result", "", "")
        job = self.rng.choice(kept)
        return job["id"], int(job["name"])

    # -- what they do

    def borrows(self):
        number = self.number()
        self.hold(self.slabd.run("outer", ROWS + number, COLUMNS, name=str(number)), number)

    def keeps(self):
        if len([job for job in self.slabd.jobs() if job["kept"]]) >= MOST_KEPT:
            return
        number = self.number()
        self.slabd.submit("outer", ROWS + number, COLUMNS, name=str(number)).wait()

    def attaches(self):
        job, number = self.somebodys_result()
        self.hold(self.slabd.attach(job), number)

    def drops(self):
        self.slabd.request("drop", job=self.somebodys_result()[0])

    def fetches(self):
        job, number = self.somebodys_result()
        path = self.directory / f"{threading.get_ident()}.npy"
        if self.daemon.slab("fetch", job, "-o", path, "--overwrite").code == EXIT_DONE:
            self.check(np.load(path), number, "a fetched file")

    def fetches_to_a_slow_pipe(self):
        job, number = self.somebodys_result()
        with subprocess.Popen([str(SLAB), "fetch", str(job), "-o", "-"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL,
                              env={**os.environ, "SLABD_SOCKET": self.daemon.socket}) as command:
            content = command.stdout.read(1)
            time.sleep(self.rng.uniform(0, 0.2))
            if self.rng.random() < 0.2:
                command.kill()
            content += command.stdout.read()
        if command.returncode == EXIT_DONE:
            self.check(np.load(io.BytesIO(content)), number, "a fetched stream")

    def streams(self):
        number = self.number()
        path = self.directory / f"{threading.get_ident()}-out.npy"
        self.check(self.slabd.run("outer", ROWS + number, COLUMNS, out=path, overwrite=True, max_memory="4MiB",
                                  name=str(number)), number, "a streamed file")

    def vanishes(self):
        number = self.number()
        memory = [memfd_of(array) for array in (ROWS + number, COLUMNS)]
        request = submit_request("outer", ROWS, linked=True, name=str(number))
        del request["keep"]
        request["inputs"] += submit_request("outer", COLUMNS, descriptor=1)["inputs"]
        with RawClient(self.daemon) as client:
            client.send(request, memory)
            time.sleep(self.rng.choice([0, 0.001, 0.01, 0.3]))
        for descriptor in memory:
            os.close(descriptor)

    def waits_for_something_slow(self):
        self.slabd.run("test_slow", SLOW, milliseconds=2, name="slow")

    def cancels(self):
        jobs = self.slabd.jobs()
        if jobs:
            self.slabd.request("cancel", job=self.rng.choice(jobs)["id"])

    def kills(self):
        children = list(self.daemon.processes(self.rng.choice(["worker", "mover"])).values())
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.rng.choice(children), signal.SIGKILL)

    def trims(self):
        self.slabd.request("trim")


SLOW = slow_input(tiles=16)
WEIGHTED = {Client.borrows: 6, Client.keeps: 4, Client.attaches: 6, Client.drops: 3, Client.fetches: 4,
            Client.fetches_to_a_slow_pipe: 4, Client.streams: 4, Client.vanishes: 5, Client.cancels: 1, Client.kills: 2,
            Client.trims: 1, Client.waits_for_something_slow: 2}
DEEDS, WEIGHTS = list(WEIGHTED), list(WEIGHTED.values())


class RandomClients(DaemonTestCase):
    def test_whatever_they_do_each_gets_what_is_right_and_nothing_is_left(self):
        done = {}
        for seed in range(SEEDS):
            with self.subTest(seed=seed), self.running_daemon(test_kernels=True, workers=2, volume="128MiB") as daemon:
                until = time.monotonic() + SECONDS
                clients = [Client(daemon, self.directory, f"{seed}.{number}", until) for number in range(CLIENTS)]
                for client in clients:
                    client.start()
                for client in clients:
                    client.join()

                self.assertEqual([wrong for client in clients for wrong in client.wrong], [])
                for client in clients:
                    for deed, times in client.done.items():
                        done[deed] = done.get(deed, 0) + times
                slabd = daemon.connect()
                for job in slabd.jobs():
                    if job["kept"]:
                        slabd.request("drop", job=job["id"])
                daemon.wait_until_nothing_is_held()
        self.assertEqual({deed.__name__ for deed in DEEDS} - set(done), set(), "deeds that never came to pass")


if __name__ == "__main__":
    unittest.main()
