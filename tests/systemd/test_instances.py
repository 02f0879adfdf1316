"""Instances beside the system's: a lab's (slabd@LAB) and a user's own."""

import unittest

from installed_slabd import CONFIGURATION, MEMBER, STRANGER, InstalledTestCase
from slab_harness import EXIT_NO_DAEMON

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


if __name__ == "__main__":
    unittest.main()
