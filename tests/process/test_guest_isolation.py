"""What a guest of another user can reach: nothing but what it was given."""

import contextlib
import json
import os
import unittest

import numpy as np

from build_tree import slab
from other_users import as_user, needs_root
from slab_harness import DaemonTestCase
from started_command import start_python
from waiting import wait_until


BURGLAR = """
import json, mmap, os, socket, sys, slab
import numpy as np
secret_job, path, daemon = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
attached = slab.attach(secret_job)     # what this user may see: a read-only view of one result
found = []

def attempt(what, act):
    try:
        found.append([what, repr(act())[:80]])
    except (OSError, ValueError, slab.SlabError) as error:
        found.append([what, None])

def burgle(tile, out):
    out[:] = 1
    for name in sorted(os.listdir('/proc/self/fd'), key=int):
        number = int(name)
        try:
            target = os.readlink('/proc/self/fd/' + name)
        except OSError:
            continue
        if target.startswith(('/dev/shm', '/memfd')):
            attempt('a descriptor of ' + target, lambda: target)
        attempt('mapping ' + target, lambda: len(mmap.mmap(number, 4096, access=mmap.ACCESS_READ)))
        if '/dev/shm' in target or 'memfd' in target:
            attempt('writing ' + target, lambda: os.pwrite(number, b'x', 0))
    for name in os.listdir('/dev/shm'):
        for flags in (os.O_RDONLY, os.O_RDWR):
            if name.startswith('slabd.test'):
                attempt('/dev/shm/' + name, lambda: os.open('/dev/shm/' + name, flags))
    attempt('the descriptors of the daemon', lambda: os.listdir(f'/proc/{daemon}/fd'))
    attempt('the memory of the daemon', lambda: os.open(f'/proc/{daemon}/mem', os.O_RDONLY))
    for name in os.listdir('/proc/self/map_files') if os.access('/proc/self/map_files', os.R_OK) else []:
        target = os.readlink('/proc/self/map_files/' + name)
        if 'slabd' in target:
            attempt('/proc/self/map_files of ' + target, lambda: os.open('/proc/self/map_files/' + name, os.O_RDWR))
    def write_attached():
        attached.flags.writeable = True
    attempt('writing what is attached', write_attached)
    volume = sum(int(ends[1], 16) - int(ends[0], 16) for ends in
                 (line.split()[0].split('-') for line in open('/proc/self/maps') if '/dev/shm/slabd' in line))
    found.append(['bytes of the volume that are mapped', volume])
    with slab.Connection() as connection:
        for job in range(1, 20):
            attempt(f'guests of job {job}', lambda: job != int(os.environ['OWN']) and
                    connection.request('guests', job=job) or (_ for _ in ()).throw(OSError()))
    with open(path, 'w') as file:
        json.dump(found, file)

os.environ['OWN'] = str(len(slab.jobs(all=True)) + 1)
slab.map_tiles(burgle, shape=(10, 10), dtype=float, workers=1, tile=10)
print(attached.sum())
"""


@needs_root
class AnotherUser(DaemonTestCase):
    def test_a_guest_has_nothing_but_what_it_was_given(self):
        daemon = self.start_daemon(workers=2, socket_mode="0666")
        connection = daemon.connect()
        kept = connection.submit("zoom", np.ones(1000), factor=2, convention="floor")
        secret = connection.submit("zoom", np.full(100_000, 42.0), factor=2, convention="floor")
        kept.wait()
        secret.wait()
        with contextlib.ExitStack() as going:
            root = going.enter_context(slab.Connection(daemon.socket))
            of_root = root.request("submit", guests={"dtype": "<f8", "shape": [10]}, inputs=[], linked=True)[0]["job"]
            descriptors = root.request("guests", job=of_root["id"])[1]
            going.callback(lambda: [os.close(descriptor) for descriptor in descriptors])
            folder = self.directory / "theirs"
            folder.mkdir()
            os.chown(folder, 12345, 12345)

            program = start_python(BURGLAR, str(kept.id), str(folder / "found"), str(daemon.pid),
                                   prefix=as_user(12345), socket=daemon.socket).finish()

        self.assertEqual(program.code, 0, program.err)
        found = json.loads((folder / "found").read_text())
        tried = dict(found)
        self.assertLessEqual(tried.pop("bytes of the volume that are mapped"), 16384)  # the attached result's own pages
        got = {what: value for what, value in tried.items() if value is not None}
        self.assertEqual(got, {})
        for what in ("the memory of the daemon", "writing what is attached", f"guests of job {of_root['id']}"):
            self.assertIn(what, tried)
        self.assertTrue(any(what.startswith("/dev/shm/slabd.test") for what in tried))
        self.assertEqual(program.out.strip(), "2000.0")
        kept.drop()
        secret.drop()

    def test_memory_of_one_user_is_never_given_to_another(self):
        daemon = self.start_daemon(workers=2, socket_mode="0666", guest_memory="64MiB")
        connection = daemon.connect()
        connection.map_tiles(lambda tile, out: out.fill(42), shape=(1 << 20,), dtype=float)
        wait_until(lambda: connection.status()["guests"]["idle_bytes"] == 8 << 20, "it is kept warm for root")

        program = start_python(
            "import slab\n"
            "r = slab.map_tiles(lambda tile, out: None, shape=(1 << 20,), dtype=float)\n"  # leaves out as it is
            "print(r.any())\n", prefix=as_user(12345), socket=daemon.socket).finish()

        self.assertEqual((program.code, program.out.strip()), (0, "False"), program.err)
        self.assertEqual(connection.status()["guests"]["idle_bytes"], 16 << 20)


if __name__ == "__main__":
    unittest.main()
