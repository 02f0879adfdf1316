"""The system's service, when something in it dies, hangs, or never starts."""

import unittest

import numpy as np

from installed_slabd import CONFIGURATION, NO_PATIENCE, SERVICE, SOCKET, InstalledTestCase
from started_command import EXIT_DONE, EXIT_INTERRUPTED, EXIT_NO_DAEMON
from waiting import wait_until


class Killed(InstalledTestCase):
    def setUp(self):
        super().setUp()
        self.start_service()
        self.pid = self.main_pid()

    def assert_back(self):
        """Another process answers, in the same volume, and does jobs."""
        status = self.status()  # a client that comes too early waits in the socket
        self.assertNotEqual(status["pid"], self.pid)
        self.assertTrue(status["volume"]["adopted"])
        self.assertEqual(self.property("NRestarts"), "1")
        expected = self.save_input()
        self.assert_exit(self.slab("run", *self.zoom_arguments("-o", "again.npy")), EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.home / "again.npy"), expected)

    def test_a_worker_during_a_job_costs_a_lease_and_no_job(self):
        expected = self.save_input()
        self.arm("worker-before-tile")
        client = self.start_zoom()
        worker = self.wait_stopped("worker-before-tile")

        self.signal("KILL", worker)
        client.finish()

        self.assert_exit(client, EXIT_DONE)
        self.assertEqual(client.json()["workers_lost"], 1)
        self.assertGreater(client.json()["tiles_repeated"], 0)
        np.testing.assert_array_equal(np.load(self.home / "out.npy"), expected)
        self.assertEqual(self.main_pid(), self.pid)

    def test_the_supervisor_during_a_job_comes_back_and_a_client_without_patience_is_told(self):
        self.arm("worker-before-tile")
        client = self.start_zoom(environment=NO_PATIENCE)
        self.wait_stopped("worker-before-tile")

        self.signal("KILL", self.pid)
        client.finish()

        self.assert_exit(client, EXIT_INTERRUPTED)
        self.assertEqual(self.files(), ["in.npy"])
        self.assert_back()

    def test_a_supervisor_that_hangs_is_replaced(self):
        self.assertNotIn(self.property("WatchdogUSec"), ("0", "infinity"), "the unit itself asks for a watchdog")
        self.set_drop_in("watchdog", "[Service]\nWatchdogSec=2s\n")
        self.addCleanup(self.set_drop_in, "watchdog", None)
        self.container.must_run("systemctl", "restart", SERVICE)
        self.pid = self.main_pid()

        self.signal("STOP", self.pid)

        self.assert_back()
        self.assertTrue(self.log_has("Watchdog timeout"))

    def test_a_supervisor_that_does_not_hang_is_left_alone(self):
        self.set_drop_in("watchdog", "[Service]\nWatchdogSec=2s\n")
        self.addCleanup(self.set_drop_in, "watchdog", None)
        self.container.must_run("systemctl", "restart", SERVICE)
        self.pid = self.main_pid()
        fed = self.property("WatchdogTimestampMonotonic")

        wait_until(lambda: int(self.property("WatchdogTimestampMonotonic")) > int(fed) + 4_000_000,
                   "the watchdog is fed for two of its periods")

        self.assertEqual(self.main_pid(), self.pid)


class NeverStarts(InstalledTestCase):
    def test_a_wrong_configuration_turns_clients_away_until_it_is_mended(self):
        self.configure('[volume]\nsize = "999TiB"\n')

        first = self.slab("status", deadline_s=25)  # less than a client waits for a daemon that says nothing
        second = self.slab("status")

        self.assertIn(first.code, (EXIT_NO_DAEMON, EXIT_INTERRUPTED))
        self.assertRegex(first.err, "error: ")
        self.assert_exit(second, EXIT_NO_DAEMON)
        self.assertTrue(self.log_has("volume.size"))
        self.assertEqual(self.property("Result", SOCKET), "trigger-limit-hit")

        self.configure(CONFIGURATION)
        self.start_service()

        self.assertEqual(self.status()["pid"], self.main_pid())


if __name__ == "__main__":
    unittest.main()
