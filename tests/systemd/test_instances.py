"""Instances beside the system's: a lab's (slabd@LAB) and a user's own."""

import unittest

import numpy as np

from installed_slabd import (CONFIGURATION, MEMBER, PAUSE_DIRECTORY, STATE_DIRECTORY, STRANGER, InstalledTestCase)
from started_command import EXIT_DONE, EXIT_NO_DAEMON
from waiting import wait_until

LAB_SOCKET = "/run/slabd-mri/slabd.sock"


class Lab(InstalledTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.container.must_run("groupadd", "--system", "mri")
        cls.container.must_run("usermod", "--append", "--groups", "mri", STRANGER)

    def start_lab(self):
        self.configure(CONFIGURATION, "mri")
        self.container.must_run("systemctl", "start", "slabd@mri.socket")
        self.addCleanup(self.container.must_run, "systemctl", "stop", "slabd@mri.socket", "slabd@mri.service")

    def test_serves_the_group_of_its_name_and_nobody_else(self):
        self.start_lab()

        self.assertEqual(self.status(STRANGER, environment=[f"SLABD_SOCKET={LAB_SOCKET}"])["instance"], "mri")
        other_lab = self.slab("status", user=MEMBER, environment=[f"SLABD_SOCKET={LAB_SOCKET}"])
        self.assert_exit(other_lab, EXIT_NO_DAEMON)

    def test_runs_beside_the_systems_instance_with_a_volume_of_its_own(self):
        self.start_lab()

        self.status(STRANGER, environment=[f"SLABD_SOCKET={LAB_SOCKET}"])
        self.status(MEMBER)

        names = self.container.shared_memory()
        self.assertIn("slabd.mri", names)
        self.assertIn("slabd.system", names)

    def test_keeps_its_jobs_in_a_folder_of_its_name(self):
        self.start_lab()

        self.status(STRANGER, environment=[f"SLABD_SOCKET={LAB_SOCKET}"])

        self.assertTrue(self.container.live(f"{STATE_DIRECTORY}/mri/journal").exists())
        self.assertEqual(self.property("FileDescriptorStoreMax", "slabd@mri.service"), "1024")

    def test_is_not_started_without_a_configuration_of_its_own(self):
        command = self.container.run("systemctl", "start", "slabd@physics.socket")

        self.assertNotEqual(command.code, 0)
        self.assertRegex(command.err, "(?i)assert")


class OwnInstance(InstalledTestCase):
    """The unit of systemd --user, of somebody who is not in the group slabd."""

    def setUp(self):
        super().setUp()
        uid = self.container.must_run("id", "--user", STRANGER).strip()
        self.environment = [f"XDG_RUNTIME_DIR=/run/user/{uid}"]
        self.container.must_run("systemctl", "start", f"user@{uid}.service")
        self.addCleanup(self.container.must_run, "systemctl", "stop", f"user@{uid}.service")
        self.instance = f"user-{uid}"

    def systemctl(self, *words):
        return self.container.must_run("systemctl", "--user", *words, user=STRANGER, environment=self.environment)

    def test_is_found_before_the_systems_and_stops_without_a_trace(self):
        self.systemctl("start", "slabd.socket")

        status = self.status(STRANGER, environment=self.environment)

        self.assertEqual(status["instance"], self.instance)
        self.assertEqual(self.container.must_run("ps", "-o", "user=", "-p", status["pid"]).strip(), STRANGER)
        self.systemctl("stop", "slabd.service")
        self.assertEqual(self.systemctl("show", "--value", "--property=Result", "slabd.service").strip(), "success")
        self.assertEqual(self.container.shared_memory(), [])

    def test_a_job_goes_on_by_itself_after_its_daemon_was_killed(self):
        drop_in = self.container.live("/run/systemd/user/slabd.service.d/pause.conf")
        drop_in.parent.mkdir(parents=True, exist_ok=True)
        drop_in.write_text(f'[Service]\nEnvironment="SLABD_PAUSE_DIR={PAUSE_DIRECTORY}"\n')
        self.systemctl("daemon-reload")
        self.systemctl("start", "slabd.socket")
        expected = self.save_input(STRANGER)
        self.arm("mover-in-flush")
        submit = self.slab("submit", *self.zoom_arguments("-o", "out.npy", "--max-memory", "8MiB", "--json"),
                           user=STRANGER, environment=self.environment)
        self.assert_exit(submit, EXIT_DONE)
        self.wait_stopped("mover-in-flush")

        self.signal("KILL", self.systemctl("show", "--value", "--property=MainPID", "slabd.service").strip())

        job = submit.json()["id"]
        wait_until(lambda: self.show(job, STRANGER, environment=self.environment)["state"] == "ended",
                   "the job ends by itself")
        np.testing.assert_array_equal(np.load(self.homes / STRANGER / "out.npy"), expected)
        stores = [self.homes / STRANGER / place for place in (".config/slabd", ".local/state/slabd")]
        journal = next(store for store in stores if store.exists()) / self.instance / "journal"
        self.assertEqual(journal.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
