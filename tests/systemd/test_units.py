"""What `cmake --install` puts in place."""

import re
import unittest

import container
from installed_slabd import CONFIGURATION, SERVICE, SOCKET, InstalledTestCase


class Units(InstalledTestCase):
    def assert_verified(self, *arguments):
        command = self.container.run("systemd-analyze", *arguments, environment=["XDG_RUNTIME_DIR=/run"])
        self.assert_exit(command, 0)
        self.assertEqual(command.out + command.err, "")

    def test_systemd_has_nothing_to_say_about_the_units(self):
        self.configure(CONFIGURATION, "mri")

        self.assert_verified("verify", SERVICE, SOCKET, "slabd@mri.service", "slabd@mri.socket")

    def test_systemd_has_nothing_to_say_about_the_user_units(self):
        units = "/usr/lib/systemd/user"

        self.assert_verified("--user", "verify", f"{units}/slabd.service", f"{units}/slabd.socket")

    def test_enabling_the_service_enables_the_socket(self):
        self.container.must_run("systemctl", "disable", SOCKET)

        self.container.must_run("systemctl", "enable", SERVICE)

        self.assertEqual(self.container.run("systemctl", "is-enabled", SOCKET).out.strip(), "enabled")
        self.container.must_run("systemctl", "disable", SERVICE)

    def test_installing_again_keeps_an_edited_configuration(self):
        edited = CONFIGURATION + "# edited\n"
        self.configure(edited)

        self.container.install()

        self.assertEqual(self.container.live("/etc/slabd/slabd.toml").read_text(), edited)
        self.assertIn("huge_pages", self.container.live("/usr/share/doc/slabd/slabd.toml").read_text())

    def test_the_paths_in_the_units_are_those_of_the_prefix(self):
        for unit in ("system/slabd.service", "system/slabd@.service", "user/slabd.service"):
            text = self.container.live(f"/usr/lib/systemd/{unit}").read_text()
            self.assertRegex(text, rf"(?m)^ExecStart={container.PREFIX}/bin/slabd\b")
            self.assertIsNone(re.search(r"@\w+@", text), f"{unit} has something not filled in")


if __name__ == "__main__":
    unittest.main()
