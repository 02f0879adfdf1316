"""A volume that this slabd cannot adopt: another layout is left as it is, another size is replaced."""

import hashlib
import unittest

import numpy as np

from process_table import processes_of_session
from slab_harness import DaemonTestCase
from volume_file import VolumeFile
from waiting import wait_until

ARRAY = np.arange(1000.0)


class VolumeOfAnotherVersion(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon()
        self.volume = VolumeFile(self.daemon)

    def keep_a_result(self):
        job = self.daemon.connect().submit("outer", ARRAY, ARRAY)
        job.wait()
        return job.id

    def digest(self):
        return hashlib.sha256(self.volume.path.read_bytes()).digest()

    def assert_does_not_start(self):
        with self.assertRaises(AssertionError) as caught:
            self.daemon.start()
        wait_until(lambda: not processes_of_session(self.daemon.pid), "nothing of it runs")
        return str(caught.exception)

    def test_it_is_not_touched_and_the_error_says_how_to_remove_it(self):
        kept = self.keep_a_result()
        self.daemon.kill()
        for version in (1, 2, 3, 5, 0, 2**32 - 1):
            with self.subTest(version=version):
                self.volume.set_layout(version)
                before = self.digest()

                told = self.assert_does_not_start()

                self.assertIn(f"its layout is version {version}, this slabd uses version 4", told)
                self.assertIn(f"rm {self.volume.path}", told)
                self.assertEqual(self.digest(), before)
        self.volume.set_layout(4)
        self.daemon.start()
        np.testing.assert_array_equal(self.daemon.connect().attach(kept), np.outer(ARRAY, ARRAY))
        self.daemon.slab("drop", kept)

    def test_when_it_was_removed_as_it_said_the_daemon_starts(self):
        self.keep_a_result()
        self.daemon.kill()
        self.volume.set_layout(1)
        self.assert_does_not_start()

        self.volume.path.unlink()
        self.daemon.start()

        self.assertEqual(self.daemon.held_bytes(), 0)
        self.assertEqual(self.daemon.connect().jobs(all=True), [])

    def test_a_file_that_is_no_volume_is_not_touched(self):
        self.daemon.stop()
        self.volume.path.write_bytes(b"somebody's notes" * 1000)
        before = self.digest()

        told = self.assert_does_not_start()

        self.assertIn("it is not a volume of slabd", told)
        self.assertEqual(self.digest(), before)

    def test_one_of_another_size_is_replaced_and_who_reads_it_keeps_it(self):
        kept = self.keep_a_result()
        reader = self.daemon.connect().attach(kept)
        self.daemon.kill()
        configuration = self.daemon._configuration
        configuration.write_text(configuration.read_text().replace("256MiB", "128MiB"))

        self.daemon.start()

        self.assertRegex(self.daemon.log_text(), "found with another size: replaced")
        np.testing.assert_array_equal(reader, np.outer(ARRAY, ARRAY))
        connection = self.daemon.connect()
        self.assertLess(connection.status()["volume"]["bytes"], 130 << 20)
        self.assertEqual(self.daemon.held_bytes(), 0)
        np.testing.assert_array_equal(connection.run("outer", ARRAY, ARRAY), np.outer(ARRAY, ARRAY))
        self.assertGreater(max(job["id"] for job in connection.jobs(all=True)), kept)

    def test_one_cut_short_is_replaced(self):
        self.keep_a_result()
        self.daemon.kill()
        with self.volume.path.open("r+b") as file:
            file.truncate(1 << 20)

        self.daemon.start()

        self.assertEqual(self.daemon.held_bytes(), 0)


if __name__ == "__main__":
    unittest.main()
