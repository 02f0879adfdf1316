"""A reader maps the very memory, read-only, and keeps it: through drop, through the daemon's death; and no longer
than it lives itself."""

import os
import signal
import unittest

import numpy as np

from daemon_status import lingering_bytes
from other_users import as_user, needs_root
from process_table import memory_kib
from slab_harness import DaemonTestCase
from started_command import start_python
from waiting import wait_until

MIB = 1 << 20
VOLUME = "64MiB"

ATTACH_AND_HOLD = """
import os, signal, sys, slab
view = slab.attach(int(sys.argv[1]), daemon=True)
open(sys.argv[2], "w").close()
while True:
    signal.pause()
"""

ATTACH_AND_MEASURE = """
import sys, numpy, slab
def anonymous_kib():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
connection = slab.Connection()
connection.status()
before = anonymous_kib()
view = connection.attach(int(sys.argv[1]))
total = 0
for row in view:
    total += int(row.max())
print(anonymous_kib() - before, view.nbytes // 1024, total)
"""

ATTACH_AND_REOPEN = """
import os, sys, slab
connection = slab.Connection()
answer, (volume,) = connection.request("attach", job=int(sys.argv[1]))
ordinary = os.open(sys.argv[2], os.O_RDONLY)
os.close(os.open(f"/proc/self/fd/{ordinary}", os.O_RDWR))     # the way itself is open
for flags in (os.O_RDWR, os.O_WRONLY):
    try:
        os.open(f"/proc/self/fd/{volume}", flags)
        print("opened writable")
    except PermissionError:
        print("refused")
import mmap
try:
    mmap.mmap(volume, 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    print("mapped writable")
except PermissionError:
    print("refused")
"""


def pattern(mib, first=0):
    """Rows of 64 KiB, each filled with its own number."""
    rows = mib * 16
    return np.repeat(np.arange(first, first + rows, dtype=np.int32)[:, None], 16384, 1)


class Readers(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume=VOLUME, socket_mode="0660")
        self.slabd = self.daemon.connect()

    def keep(self, array):
        """A kept job whose result equals the array."""
        job = self.slabd.submit("zoom", array, factor=1, convention="floor")
        job.wait()
        return job

    def overwrite_the_volume(self):
        """Kept results, until hardly an extent is left that the daemon can still give; then all are dropped."""
        jobs = []
        while self.slabd.status()["volume"]["largest_free_bytes"] >= 12 * MIB:
            array = pattern(4, first=1000 * (len(jobs) + 1))
            jobs.append(self.keep(array))
            np.testing.assert_array_equal(jobs[-1].result(), array)
        self.assertGreater(len(jobs), 5)
        for job in jobs:
            job.drop()

    def start_holding(self, job):
        """A process that has attached to the result and holds it."""
        ready = self.directory / "attached"
        reader = start_python(ATTACH_AND_HOLD, str(job.id), str(ready), socket=self.daemon.socket)
        self.addCleanup(reader.kill)
        wait_until(ready.exists, "the reader has attached")
        return reader

    def test_a_view_cannot_be_written(self):
        job = self.keep(pattern(2))

        view = job.result()

        with self.assertRaises(ValueError):
            view[0, 0] = 1
        with self.assertRaises(ValueError):
            view.flags.writeable = True
        job.drop()

    def test_two_views_are_the_same_memory_and_no_copy(self):
        job = self.keep(pattern(2))

        maps = []
        for _ in range(2):
            view = self.slabd.attach(job.id)
            address = view.__array_interface__["data"][0]
            maps.append(next(line.split() for line in open("/proc/self/maps")
                             if int(line.split("-")[0], 16) <= address < int(line.split()[0].split("-")[1], 16)))

        self.assertEqual(maps[0][1:3], maps[1][1:3])  # permissions, offset in the volume
        self.assertEqual(maps[0][1], "r--s")
        self.assertIn(f"slabd.{self.daemon.instance}", maps[0][5])
        job.drop()

    def test_an_attached_array_costs_the_reader_no_memory_of_its_own(self):
        array = pattern(24)
        job = self.keep(array)

        reader = start_python(ATTACH_AND_MEASURE, str(job.id), socket=self.daemon.socket).finish()

        self.assertEqual(reader.code, 0, reader.err)
        grown_kib, array_kib, total = map(int, reader.out.split())
        self.assertEqual(total, int(array[:, 0].sum()))  # it has read every row
        self.assertLess(grown_kib, array_kib // 20)
        job.drop()

    def test_a_view_outlives_drop_while_the_volume_is_used_again(self):
        array = pattern(12)
        job = self.keep(array)
        view = job.result()

        job.drop()
        self.overwrite_the_volume()

        np.testing.assert_array_equal(view, array)
        self.assertGreaterEqual(lingering_bytes(self.slabd.status()), array.nbytes)
        del view
        wait_until(lambda: lingering_bytes(self.slabd.status()) == 0, "the memory comes back with the last view")

    def test_a_part_of_a_view_keeps_the_memory_as_well(self):
        array = pattern(12)
        job = self.keep(array)
        part = job.result()[100:110, ::7]

        job.drop()
        self.overwrite_the_volume()

        np.testing.assert_array_equal(part, array[100:110, ::7])

    def test_a_view_outlives_the_daemons_sigkill_and_the_next_daemons_jobs(self):
        array = pattern(12)
        view = self.keep(array).result()

        self.daemon.kill()
        np.testing.assert_array_equal(view, array)
        self.daemon.start()
        self.slabd = self.daemon.connect()
        self.overwrite_the_volume()

        np.testing.assert_array_equal(view, array)
        del view
        wait_until(lambda: lingering_bytes(self.slabd.status()) == 0, "the memory comes back with the last view")

    def test_a_forked_child_keeps_the_memory_after_its_parent_let_go(self):
        array = pattern(12)
        job = self.keep(array)
        view = job.result()
        gate, gate_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(gate_end)
            os.read(gate, 1)  # until the parent closes its end
            os._exit(0 if np.array_equal(view, array) else 1)
        os.close(gate)

        del view
        job.drop()
        self.overwrite_the_volume()
        os.close(gate_end)

        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)

    def test_the_extents_of_a_killed_reader_are_free_again(self):
        job = self.keep(pattern(20))
        reader = self.start_holding(job)
        job.drop()
        waiting = self.slabd.submit("zoom", pattern(26), factor=1, convention="floor")  # 52 MiB: not beside the reader
        wait_until(lambda: waiting.show()["state"] == "queued" and waiting.show()["reason"],
                   "the job waits and says why")

        os.kill(reader.pid, signal.SIGKILL)

        self.assertEqual(waiting.wait()["outcome"], "done")
        waiting.drop()

    def test_the_volume_comes_back_though_its_reader_was_never_told(self):
        job = self.keep(pattern(20))
        reader = self.start_holding(job)
        job.drop()
        self.assertGreater(lingering_bytes(self.slabd.status()), 0)

        os.kill(reader.pid, signal.SIGKILL)

        wait_until(lambda: lingering_bytes(self.slabd.status()) == 0, "no reader, no lingering extents")
        self.assertEqual(self.daemon.held_bytes(), 0)

    def test_the_daemon_itself_grows_no_private_memory_by_readers(self):
        job = self.keep(pattern(8))
        views = [self.slabd.attach(job.id)]
        before = memory_kib(self.daemon.pid, "RssAnon")

        views += [self.slabd.attach(job.id) for _ in range(50)]

        self.assertLess(memory_kib(self.daemon.pid, "RssAnon") - before, 1024)
        job.drop()

    @needs_root
    def test_another_user_cannot_open_or_map_the_descriptor_for_writing(self):
        job = self.keep(pattern(1))
        ordinary = self.directory / "ordinary"
        ordinary.touch()
        ordinary.chmod(0o666)

        reader = start_python(ATTACH_AND_REOPEN, str(job.id), str(ordinary), prefix=as_user(12345),
                              socket=self.daemon.socket).finish()

        self.assertEqual(reader.code, 0, reader.err)
        self.assertEqual(reader.out.split(), ["refused"] * 3)
        job.drop()


class WhoMayAttach(DaemonTestCase):
    ATTACH = "import sys, slab; slab.attach(int(sys.argv[1]), daemon=True)"

    def attach_as(self, daemon, uid, gid):
        slabd = daemon.connect()
        job = slabd.submit("outer", np.arange(3), np.arange(4))
        job.wait()
        reader = start_python(self.ATTACH, str(job.id), prefix=as_user(uid, gid), socket=daemon.socket).finish()
        job.drop()
        return reader

    @needs_root
    def test_nobody_may_attach_where_it_is_switched_off(self):
        with self.running_daemon(attach_allow="none") as daemon:
            reader = self.attach_as(daemon, 0, 0)

            self.assertRegex(reader.err, "Refused")

    @needs_root
    def test_only_the_daemons_user_may_attach_where_it_says_owner(self):
        with self.running_daemon(attach_allow="owner") as daemon:
            self.assertRegex(self.attach_as(daemon, 12345, 0).err, "Refused")
            self.assertEqual(self.attach_as(daemon, 0, 0).err, "")

    @needs_root
    def test_a_user_outside_the_sockets_group_is_turned_away(self):
        with self.running_daemon(socket_mode="0660") as daemon:
            reader = self.attach_as(daemon, 12345, 12345)

            self.assertRegex(reader.err, "NoDaemon.*does not let you in")


class OnlyTheOwner(DaemonTestCase):
    ASK = """
import sys, slab
try:
    slab.Connection().request(sys.argv[1], job=int(sys.argv[2]))
    print("granted")
except slab.Refused:
    print("refused")
"""

    @needs_root
    def test_another_user_can_neither_cancel_nor_drop(self):
        daemon = self.start_daemon()
        job = daemon.connect().submit("outer", np.arange(3), np.arange(4))
        job.wait()

        for request in ("cancel", "drop"):
            asked = start_python(self.ASK, request, str(job.id), prefix=as_user(12345),
                                 socket=daemon.socket).finish()
            self.assertEqual(asked.out.strip(), "refused", asked.err)

        self.assertEqual(job.result().shape, (3, 4))
        job.drop()


if __name__ == "__main__":
    unittest.main()
