"""The clients' half of a restart, with a played daemon that dies at the moment that is wanted."""

import os
import pathlib
import shutil
import signal
import tempfile
import threading
import unittest

import numpy as np

import slab
from fake_daemon import DEATHS, FakeDaemon
from build_tree import SLAB
from started_command import EXIT_CANCELLED, EXIT_DONE, EXIT_INTERRUPTED, EXIT_USAGE, start_command
from waiting import wait_until

RESULT = np.full((2, 3), 7, np.uint8)
WAITING = "the daemon went away; waiting for it, up to 60 s (Ctrl-C to give up)\n"


class PlayedRestart(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="slab-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.input, self.output = self.directory / "in.npy", self.directory / "out.npy"
        np.save(self.input, RESULT)

    def play(self, **options):
        fake = FakeDaemon(self.directory, **options)
        self.addCleanup(fake.stop)
        return fake

    def start(self, fake, *arguments, reconnect="60s"):
        command = start_command([SLAB, *arguments], fake.path, {"SLABD_RECONNECT": reconnect})
        self.addCleanup(lambda: command.code is None and command.kill())
        return command

    def start_run(self, fake, *more, **options):
        return self.start(fake, "run", "zoom", self.input, "-o", self.output, *more, **options)

    def assert_done(self, command):
        self.assertEqual((command.code, command.err), (EXIT_DONE, WAITING))
        np.testing.assert_array_equal(np.load(self.output), RESULT)
        self.assertEqual(sorted(path.name for path in self.directory.glob("*.npy")), ["in.npy", "out.npy"])


class Run(PlayedRestart):
    def test_it_survives_the_daemons_death_at_every_moment(self):
        for death in DEATHS:
            for journal in (True, False):
                with self.subTest(death=death, journal=journal):
                    fake = self.play(journal=journal)
                    fake.die_at = death
                    command = self.start_run(fake)
                    wait_until(lambda: fake.die_at is None, "the daemon dies")

                    fake.start()
                    wait_until(lambda: fake._watchers.get(1), "the job is watched again")
                    fake.finish()
                    command.finish()

                    self.assert_done(command)
                    self.output.unlink()
                    fake.stop()

    def test_a_lost_answer_is_asked_for_again_under_the_same_submission(self):
        fake = self.play()
        fake.die_at = "before the answer to submit"
        command = self.start_run(fake)
        fake.wait_for("submit")

        fake.start()
        fake.wait_for("submit", 2)
        wait_until(lambda: fake._watchers.get(1), "the job is watched")
        fake.finish()
        command.finish()

        first, second = fake.named("submit")
        self.assertRegex(first["submission"], "^[0-9a-f]{32}$")
        self.assertEqual(first["submission"], second["submission"])
        self.assertEqual(len(fake._jobs), 1)

    def test_resume_brings_the_very_files_of_submit(self):
        fake = self.play()
        command = self.start_run(fake)
        fake.wait_for("submit")

        fake.start()
        resumed = fake.wait_for("resume")
        fake.finish()
        command.finish()

        self.assert_done(command)
        inodes = {name: files for name, _, files in fake.requests if files}
        self.assertEqual(inodes["submit"], inodes["resume"])
        self.assertEqual(inodes["submit"][0], os.stat(self.input).st_ino)
        self.assertEqual((resumed["job"], resumed["linked"], resumed["watch"]), (1, True, True))
        self.assertEqual(resumed["inputs"], [{"descriptor": 0}])
        self.assertEqual(resumed["output"], {"descriptor": 1})

    def test_a_durable_job_that_is_gone_is_reported_and_not_computed_twice(self):
        fake = self.play()
        command = self.start_run(fake)
        fake.wait_for("submit")

        fake.forget()
        fake.start()
        command.finish()

        self.assertEqual(command.code, EXIT_INTERRUPTED)
        self.assertIn("came back without job 1", command.err)
        self.assertEqual(len(fake.named("submit")), 1)
        self.assertFalse(self.output.exists())

    def test_it_gives_up_with_5_after_the_time_that_was_given(self):
        fake = self.play()
        command = self.start_run(fake, reconnect="300ms")
        fake.wait_for("submit")

        fake.kill()
        command.finish()

        self.assertEqual(command.code, EXIT_INTERRUPTED)
        self.assertIn("did not come back within 0.300 s", command.err)
        self.assertIn("slab resume", command.err)
        self.assertFalse(self.output.exists())

    def test_ctrl_c_ends_the_waiting_for_the_daemon(self):
        fake = self.play()
        command = self.start_run(fake)
        wait_until(lambda: fake._watchers.get(1), "the job runs")
        fake.kill()
        self.assertEqual(command._process.stderr.readline().decode(), WAITING)

        command.signal(signal.SIGINT)
        command.finish()

        self.assertEqual(command.code, EXIT_CANCELLED)
        self.assertIn("job 1 is interrupted", command.err)
        self.assertFalse(self.output.exists())

    def test_a_stream_is_not_begun_again(self):
        fake = self.play()
        command = self.start(fake, "run", "zoom", self.input, "-o", "-")
        fake.wait_for("submit")

        fake.start()
        command.finish()

        self.assertEqual(command.code, EXIT_INTERRUPTED)
        self.assertEqual(len(fake.named("submit")) + len(fake.named("resume")), 1)

    def test_an_impossible_patience_is_a_usage_error(self):
        self.assertEqual(self.start_run(self.play(), reconnect="soon").finish().code, EXIT_USAGE)


class Streams(PlayedRestart):
    def test_stdout_carries_the_array_and_nothing_else(self):
        fake = self.play()
        command = self.start(fake, "run", "zoom", self.input, "-o", "-", "--output-format", "raw")
        submit = fake.wait_for("submit")
        wait_until(lambda: fake._watchers.get(1), "the job runs")

        fake.finish()
        command.finish()

        self.assertEqual((command.code, command.out), (EXIT_DONE, 6 * "\7"))
        self.assertIn("done: job 1", command.err)
        self.assertEqual(submit["output"], {"offset": 0, "sequential": True, "descriptor": 1})

    def test_submit_refuses_a_stream(self):
        command = self.start(self.play(), "submit", "zoom", self.input, "-o", "-").finish()

        self.assertEqual(command.code, EXIT_USAGE)
        self.assertIn("slab run", command.err)


class Wait(PlayedRestart):
    def submit(self, fake):
        command = self.start(fake, "submit", "zoom", self.input, "-o", self.output).finish()
        self.assertEqual(command.code, EXIT_DONE, command.err)

    def test_it_goes_on_when_somebody_has_resumed_the_job(self):
        fake = self.play()
        self.submit(fake)
        waiting = self.start(fake, "wait", 1)
        fake.wait_for("watch")

        fake.start()
        fake.wait_for("watch", 2)
        resuming = self.start(fake, "resume", 1)
        fake.wait_for("resume")
        fake.finish()

        self.assertEqual(resuming.finish().code, EXIT_DONE, resuming.err)
        self.assertEqual(waiting.finish().code, EXIT_DONE, waiting.err)
        np.testing.assert_array_equal(np.load(self.output), RESULT)

    def test_another_job_of_the_same_id_is_not_waited_for(self):
        fake = self.play(journal=False)
        self.submit(fake)
        waiting = self.start(fake, "wait", 1)
        fake.wait_for("watch")

        fake.kill()
        self.output.unlink()
        fake.start()
        self.submit(fake)
        waiting.finish()

        self.assertEqual(waiting.code, EXIT_INTERRUPTED)

    def test_an_interrupted_job_is_an_error_that_names_resume(self):
        fake = self.play()
        self.submit(fake)
        fake.start()

        command = self.start(fake, "wait", 1).finish()

        self.assertEqual(command.code, EXIT_INTERRUPTED)
        self.assertIn("slab resume 1", command.err)


class Resume(PlayedRestart):
    def interrupt(self, *command):
        fake = self.play()
        first = self.start(fake, *command, reconnect="0")
        wait_until(lambda: fake._jobs, "the job runs")
        if command[0] == "submit":
            first.finish()
        fake.start()
        first.code is None and first.finish()
        return fake

    def resume(self, fake, *more):
        command = self.start(fake, "resume", 1, *more)
        fake.wait_for("resume")
        fake.finish()
        return command.finish()

    def test_the_file_of_a_submitted_job_is_written_on(self):
        fake = self.interrupt("submit", "zoom", self.input, "-o", self.output)
        inode = self.output.stat().st_ino

        command = self.resume(fake)

        self.assertEqual(command.code, EXIT_DONE, command.err)
        self.assertEqual(self.output.stat().st_ino, inode)
        np.testing.assert_array_equal(np.load(self.output), RESULT)

    def test_the_unnamed_file_of_a_run_is_made_anew_and_named_at_the_end(self):
        fake = self.interrupt("run", "zoom", self.input, "-o", self.output)
        command = self.start(fake, "resume", 1)
        fake.wait_for("resume")
        self.assertFalse(self.output.exists())

        fake.finish()

        self.assertEqual(command.finish().code, EXIT_DONE, command.err)
        np.testing.assert_array_equal(np.load(self.output), RESULT)

    def test_without_waiting_the_file_is_there_at_once_and_the_note_says_so(self):
        fake = self.interrupt("run", "zoom", self.input, "-o", self.output)

        command = self.start(fake, "resume", 1, "--no-wait").finish()

        self.assertEqual(command.code, EXIT_DONE, command.err)
        self.assertEqual(fake._jobs[1]["note"]["output_file"]["inode"], str(self.output.stat().st_ino))

    def test_a_file_that_came_in_its_place_is_not_touched(self):
        fake = self.interrupt("submit", "zoom", self.input, "-o", self.output)
        self.output.rename(self.directory / "moved")
        self.output.write_text("other")

        command = self.start(fake, "resume", 1).finish()

        self.assertEqual(command.code, EXIT_USAGE)
        self.assertIn("another file", command.err)
        self.assertEqual(self.output.read_text(), "other")

    def test_an_input_that_is_gone_is_named(self):
        fake = self.interrupt("submit", "zoom", self.input, "-o", self.output)
        self.input.unlink()

        command = self.start(fake, "resume", 1).finish()

        self.assertEqual(command.code, EXIT_USAGE)
        self.assertIn("in.npy", command.err)

    def test_a_job_that_has_ended_is_reported(self):
        fake = self.play()
        self.start(fake, "submit", "zoom", self.input, "-o", self.output).finish()
        fake.finish()

        command = self.start(fake, "resume", 1).finish()

        self.assertEqual((command.code, fake.named("resume")), (EXIT_DONE, []))


class Lists(PlayedRestart):
    def test_ps_shows_what_is_held_and_the_socket_may_stand_before_the_command(self):
        fake = self.play()
        self.start(fake, "submit", "zoom", self.input, "-o", self.output).finish()
        fake.start()

        for arguments in (("--socket", fake.path, "ps"), (f"--socket={fake.path}", "ps"), ("ps", "--socket", fake.path)):
            command = start_command([SLAB, *arguments]).finish()
            self.assertRegex(command.out, r"(?s)HELD.*interrupted.*4\.1 kB.*slab resume 1")

    def test_the_plan_tells_bands_and_least_memory(self):
        command = self.start(self.play(), "run", "zoom", self.input, "--plan").finish()

        self.assertRegex(command.out, r"2 bands of \(1, 3\) through a ring")
        self.assertRegex(command.out, r"2\.0 kB would do")


class Python(PlayedRestart):
    def connect(self, fake, reconnect_for=60):
        connection = slab.Connection(fake.path, reconnect_for=reconnect_for)
        self.addCleanup(connection.close)
        return connection

    def run_in_thread(self, function):
        results = []

        def body():
            try:
                results.append(function())
            except BaseException as error:
                results.append(error)
        thread = threading.Thread(target=body, daemon=True)
        thread.start()

        def result():
            thread.join(30)
            self.assertTrue(results, "it still waits")
            return results[0]
        return result

    def test_run_survives_the_daemons_death_at_every_moment(self):
        for death in DEATHS:
            for journal in (True, False):
                with self.subTest(death=death, journal=journal):
                    fake = self.play(journal=journal)
                    fake.die_at = death
                    connection = self.connect(fake)
                    result = self.run_in_thread(
                        lambda: connection.run("zoom", RESULT, out=self.output, overwrite=True))
                    wait_until(lambda: fake.die_at is None, "the daemon dies")

                    fake.start()
                    wait_until(lambda: fake._watchers.get(1), "the job is watched again")
                    fake.finish()

                    np.testing.assert_array_equal(result(), RESULT)
                    fake.stop()

    def test_several_threads_find_the_next_daemon_on_one_connection(self):
        fake = self.play()
        connection = self.connect(fake)
        jobs = [connection.submit("zoom", str(self.input), out=self.directory / f"{i}.npy") for i in range(4)]
        results = [self.run_in_thread(job.wait) for job in jobs]
        fake.wait_for("watch", 4)

        fake.start()
        fake.wait_for("resume", 4)
        for job in jobs:
            fake.finish(job.id)

        for result in results:
            self.assertEqual(result()["outcome"], "done")

    def test_resume_opens_the_files_of_the_note(self):
        fake = self.play()
        self.connect(fake).submit("zoom", str(self.input), out=self.output)
        fake.start()

        job = self.connect(fake).resume(1)
        fake.finish()

        np.testing.assert_array_equal(job.result(), RESULT)

    def test_a_job_of_an_array_in_memory_cannot_be_resumed_by_its_id(self):
        fake = self.play()
        self.connect(fake).submit("zoom", RESULT, out=self.output)
        fake.start()

        with self.assertRaises(slab.UsageError):
            self.connect(fake).resume(1)

    def test_it_gives_up_after_the_time_that_was_given(self):
        fake = self.play()
        job = self.connect(fake, 0.3).submit("zoom", RESULT, out=self.output)
        fake.kill()

        with self.assertRaisesRegex(slab.Interrupted, "did not come back within 0.3 s"):
            job.wait()


if __name__ == "__main__":
    unittest.main()
