"""The system's service, as people meet it: who gets in, what their jobs do, stop and reload."""

import shutil
import time
import unittest

import numpy as np

from installed_slabd import CONFIGURATION, MEMBER, NO_PATIENCE, SERVICE, STRANGER, InstalledTestCase
from plugin_building import build_plugin
from started_command import EXIT_DONE, EXIT_INTERRUPTED, EXIT_NO_DAEMON, EXIT_REFUSED
from waiting import wait_until

TIMEOUT_STOP_S = 15  # of the unit: after that systemd kills


class Activation(InstalledTestCase):
    def test_the_first_client_starts_the_service(self):
        self.assertEqual(self.property("ActiveState"), "inactive")

        status = self.status()

        self.assertEqual(status["instance"], "system")
        self.assertEqual(self.property("ActiveState"), "active")
        self.assertEqual(status["pid"], self.main_pid())

    def test_all_its_processes_run_as_slabd_without_any_right(self):
        self.start_service()
        wait_until(lambda: [worker["state"] for worker in self.status()["workers"]].count("idle") == 2,
                   "two workers are ready")

        pids = self.container.must_run("pgrep", "--uid", "slabd").split()

        self.assertGreaterEqual(len(pids), 5)  # supervisor, zygote, two workers, a mover
        self.assertIn(str(self.main_pid()), pids)
        for pid in pids:
            lines = self.container.live(f"/proc/{pid}/status").read_text().splitlines()
            fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            self.assertEqual(int(fields["CapEff"], 16) | int(fields["CapBnd"], 16), 0)
            self.assertEqual(fields["NoNewPrivs"], "1")
        self.assertEqual(
            self.container.must_run("stat", "--format=%U %a", "/dev/shm/slabd.system").strip(), "slabd 600")

    def test_systemctl_status_says_what_it_does(self):
        self.start_service()

        self.assertRegex(self.property("StatusText"), "0 jobs unfinished")


class Plugins(InstalledTestCase):
    def test_the_hardened_service_loads_a_plugin_and_its_workers_run_it(self):
        folder = self.container.live("/usr/local/lib/slabd")
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        library = build_plugin(folder / "sound.so")
        self.addCleanup(library.unlink)
        in_home = self.home / "sound.so"
        self.addCleanup(in_home.unlink)
        shutil.copy(library, in_home)
        self.configure(CONFIGURATION + '[kernels]\nplugins = ["/usr/local/lib/slabd", "/home/anna/sound.so"]\n')
        array = np.arange(12.0).reshape(3, 4)
        np.save(self.home / "in.npy", array)

        self.start_service()
        command = self.slab("run", "plug_flip", "in.npy", "-o", "out.npy")

        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.home / "out.npy"), array[::-1])
        whys = {entry["plugin"]: entry["refused"] for entry in self.status()["plugins"]}
        self.assertIsNone(whys["/usr/local/lib/slabd/sound.so"])
        self.assertEqual(whys["/home/anna/sound.so"]["because"], "Permission denied")  # ProtectHome=


class Users(InstalledTestCase):
    def setUp(self):
        super().setUp()
        self.start_service()

    def test_a_member_zooms_from_file_to_file_in_a_home_that_the_daemon_cannot_see(self):
        expected = self.save_input()
        self.home.chmod(0o700)

        command = self.slab("run", *self.zoom_arguments("-o", "out.npy", "--json"))

        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.home / "out.npy"), expected)
        self.assertEqual((self.home / "out.npy").stat().st_uid, self.home.stat().st_uid)
        self.assertEqual(command.json()["user"], MEMBER)

    def test_the_hardened_service_still_has_io_uring_and_o_direct(self):
        self.save_input()

        report = self.slab("run", *self.zoom_arguments("-o", "out.npy", "--json")).json()

        self.assertEqual((report["load_method"], report["flush_method"]), ("io_uring O_DIRECT",) * 2)

    def test_a_member_attaches_to_a_result_from_python(self):
        expected = self.save_input()
        job = self.slab("run", *self.zoom_arguments("--keep", "--json")).json()["id"]

        self.container.must_run(
            "/usr/bin/python3", "-c",
            "import sys, numpy, slab; view = slab.attach(int(sys.argv[1])); assert not view.flags.writeable; "
            "numpy.save('copy.npy', view)", job, user=MEMBER)

        np.testing.assert_array_equal(np.load(self.home / "copy.npy"), expected)

    def test_a_stranger_is_turned_away_with_a_reason(self):
        self.save_input(STRANGER)
        # Also `run`, which without a daemon would start one of its own.
        for words in (["status"], ["run", *self.zoom_arguments("-o", "out.npy")]):
            with self.subTest(command=words[0]):
                command = self.slab(*words, user=STRANGER)

                self.assert_exit(command, EXIT_NO_DAEMON)
                self.assertRegex(command.err, "(?s)error: .*does not let you in.*Permission denied.*group")


class StoppedDuringAJob(InstalledTestCase):
    def setUp(self):
        super().setUp()
        self.start_service()

    def assert_stopped_well(self, client, stop, began):
        stop.finish()
        client.finish()
        self.assertLess(time.monotonic() - began, TIMEOUT_STOP_S)
        self.assert_exit(stop, 0)
        self.assert_exit(client, EXIT_INTERRUPTED)
        self.assertRegex(client.err, "error: ")
        self.assertEqual(self.files(), ["in.npy"])
        self.assertEqual(self.property("Result"), "success")
        self.assertEqual(self.container.shared_memory(), [])

    def test_while_tiles_are_filled(self):
        self.arm("worker-before-tile")
        client = self.start_zoom(environment=NO_PATIENCE)
        worker = self.wait_stopped("worker-before-tile")  # so that the job cannot end before the stop
        began = time.monotonic()

        stop = self.container.start("systemctl", "stop", SERVICE)
        wait_until(lambda: self.property("ActiveState") == "deactivating", "systemd stops the service")
        self.signal("CONT", worker)

        self.assert_stopped_well(client, stop, began)

    def test_while_a_mover_hangs_on_its_file(self):
        self.arm("mover-before-flush")
        client = self.start_zoom(environment=NO_PATIENCE)
        self.wait_stopped("mover-before-flush")
        began = time.monotonic()

        stop = self.container.start("systemctl", "stop", SERVICE)

        self.assert_stopped_well(client, stop, began)


class Reload(InstalledTestCase):
    def setUp(self):
        super().setUp()
        self.start_service()
        self.pid = self.main_pid()

    def reload(self):
        self.container.must_run("systemctl", "reload", SERVICE)

    def attaching_is_refused(self, job):
        command = self.container.run("/usr/bin/python3", "-c", "import sys, slab\ntry: slab.attach(int(sys.argv[1]))\n"
                                     "except slab.Refused: sys.exit(3)", job, user=MEMBER)
        return command.code == EXIT_REFUSED

    def test_takes_over_a_changed_setting_in_the_running_process(self):
        self.save_input()
        job = self.slab("run", *self.zoom_arguments("--keep", "--json")).json()["id"]
        self.assertFalse(self.attaching_is_refused(job))
        self.configure(CONFIGURATION + '[attach]\nallow = "none"\n')

        self.reload()

        wait_until(lambda: self.attaching_is_refused(job), "attach.allow is taken over")
        self.assertEqual(self.main_pid(), self.pid)

    def test_keeps_running_on_the_old_settings_when_the_new_are_wrong(self):
        self.configure("[volume]\nsiez = 1\n")

        self.reload()

        wait_until(lambda: self.log_has("volume.siez"), "the log names the wrong key")
        self.assertEqual(self.status()["pid"], self.pid)


if __name__ == "__main__":
    unittest.main()
