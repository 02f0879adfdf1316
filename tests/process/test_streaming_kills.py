"""A streaming job whose supervisor, mover, workers or journal are killed, at named points and at random times.

SLABD_SEEDS says how many random cases (10; 200 in the long test).
"""

import contextlib
import os
import random
import signal
import time
import unittest

import slab
from journal_reading import jobs_of
from process_table import process_state
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_INTERRUPTED, EXIT_NO_DAEMON
from streaming_jobs import KINDS, TILE_BYTES, phases, plain_zoom, slow_copy
from waiting import wait_until

SEEDS = int(os.environ.get("SLABD_SEEDS", "10"))
SURVIVING = {"SLABD_RECONNECT": "60s"}
WORKERS = 2
NEVER_GREETED = (EXIT_NO_DAEMON, EXIT_INTERRUPTED)  # how a command ends that was connected to no daemon

MOVER_POINTS = ("mover-before-check", "mover-before-load", "mover-in-load", "mover-before-flush", "mover-in-flush",
                "mover-before-header", "mover-before-report")
WORKER_POINTS = ("worker-before-tile", "worker-after-tile", "worker-before-report")
SUPERVISOR_POINTS = ("supervisor-after-admission", "supervisor-after-band")
PHASE_POINTS = ("supervisor-after-phase", "supervisor-after-band", *WORKER_POINTS)
JOURNAL_POINTS = ("journal-before-write", "journal-before-sync", "journal-before-report")
# Nothing is filled when these are met first.
BEFORE_THE_FIRST_TILE = ("mover-before-check", "mover-before-load", "mover-in-load", "supervisor-after-admission")


class StreamingKills(DaemonTestCase):
    def daemon_for(self):
        return self.running_daemon(test_kernels=True, workers=WORKERS, tile_bytes=TILE_BYTES, populate="on_demand")

    def job_of(self, daemon):
        """The only job as the daemon tells it, or None: also when the daemon is stopped or gone."""
        try:
            with slab.Connection(daemon.socket, reconnect_for=0) as connection:
                jobs = connection.jobs(all=True)
        except (slab.SlabError, OSError):
            return None
        self.assertLessEqual(len(jobs), 1, "the job was submitted twice")
        return jobs[0] if jobs else None

    def kill_and_restart(self, daemon, done_before):
        """`done_before`: tiles that were filled, as the daemon has told before. A job that is not in the journal yet
        (nobody has been told that it was submitted) is begun again by its client."""
        daemon.kill()
        is_journaled = 1 in jobs_of((daemon.journal / "journal").read_bytes())
        daemon.start()
        job = self.job_of(daemon)
        if is_journaled:
            self.assertIsNotNone(job)
            if job["state"] != "ended":
                self.assertGreaterEqual(job["tiles_adopted"], done_before,
                                        f"filled tiles are computed again\n{daemon.log_text()[-6000:]}")
        return job

    def finish(self, daemon, command, job):
        """Waits for the job's end, however its command ends, and looks at everything it leaves."""
        if command.code is None:
            command.finish()
        if not ("resume" in map(str, command.arguments) and command.code in NEVER_GREETED):  # see go_on
            self.assert_exit(command, EXIT_DONE)
        record = wait_until(lambda: self.job_of(daemon), "the job is known")
        if record["state"] == "interrupted":
            self.assert_exit(daemon.slab("resume", record["id"], environment=SURVIVING), EXIT_DONE)
        elif record["state"] != "ended":
            self.assert_exit(daemon.slab("wait", record["id"], environment=SURVIVING), EXIT_DONE)
        record = self.job_of(daemon)
        self.assertEqual((record["state"], record["outcome"]), ("ended", "done"))
        self.assertEqual(record["tiles_done"], record["tiles"])
        self.assertGreaterEqual(record["bands"], 4)
        job.assert_written(self)
        daemon.wait_until_nothing_is_held()
        return record


class AtPausePoints(StreamingKills):
    def run_to(self, daemon, point, job, mode, after_tiles):
        """The command, and how many tiles are filled for certain when the process stands at the point."""
        if after_tiles == 0:
            daemon.arm(point)
        command = daemon.start_slab(mode, *job.arguments(), environment=SURVIVING)
        if after_tiles > 0:
            wait_until(lambda: (self.job_of(daemon) or {"tiles_done": 0})["tiles_done"] >= after_tiles,
                       "tiles are filled")
            daemon.arm(point)
        pid = daemon.wait_stopped(point)
        if pid == daemon.pid:
            return command, pid, after_tiles
        record = self.job_of(daemon)
        return command, pid, record["tiles_done"] if record else 0

    def test_a_supervisor_killed_at_every_first_point(self):
        for mode in ("run", "submit"):
            for point in MOVER_POINTS + WORKER_POINTS + SUPERVISOR_POINTS + JOURNAL_POINTS:
                with self.subTest(point=point, mode=mode), self.daemon_for() as daemon:
                    job = plain_zoom(self.directory)
                    command, _, done = self.run_to(daemon, point, job, mode, 0)
                    if point in BEFORE_THE_FIRST_TILE:
                        self.assertEqual(done, 0)
                    self.kill_and_restart(daemon, done)
                    self.finish(daemon, command, job)

    def test_a_supervisor_killed_at_points_in_the_middle(self):
        points = ("mover-before-load", "mover-in-load", "mover-before-flush", "mover-in-flush", "mover-before-report",
                  *WORKER_POINTS, "supervisor-after-band")
        for mode in ("run", "submit"):
            for point in points:
                with self.subTest(point=point, mode=mode), self.daemon_for() as daemon:
                    job = slow_copy(self.directory)
                    command, _, done = self.run_to(daemon, point, job, mode, after_tiles=100)
                    self.assertGreaterEqual(done, 100)
                    self.kill_and_restart(daemon, done)
                    self.finish(daemon, command, job)

    def test_a_supervisor_killed_in_any_phase_of_a_band(self):
        for point in PHASE_POINTS:
            for after_tiles in (0, 5, 40, 70, 200, 431):
                with self.subTest(point=point, after_tiles=after_tiles), self.daemon_for() as daemon:
                    job = phases(self.directory)
                    command, _, done = self.run_to(daemon, point, job, "run", after_tiles)
                    self.kill_and_restart(daemon, done)
                    self.finish(daemon, command, job)

    def test_a_supervisor_killed_when_the_end_is_not_in_the_journal_yet_computes_nothing_again(self):
        for mode in ("run", "submit"):
            for point in JOURNAL_POINTS:
                with self.subTest(point=point, mode=mode), self.daemon_for() as daemon:
                    job = slow_copy(self.directory, milliseconds=0)
                    daemon.arm("mover-before-header")
                    command = daemon.start_slab(mode, *job.arguments(), environment=SURVIVING)
                    mover = daemon.wait_stopped("mover-before-header")
                    daemon.arm(point)
                    os.kill(mover, signal.SIGCONT)
                    daemon.wait_stopped(point)

                    daemon.kill()
                    daemon.start()
                    record = self.finish(daemon, command, job)

                    self.assertIn(record["tiles_adopted"], (0, record["tiles"]))
                    self.assertNotRegex(daemon.log_text().split("adopted workers")[-1], r"-> running")

    def test_a_child_killed_at_a_point_in_the_middle_and_then_the_supervisor(self):
        """The successor finds what the first supervisor has repaired in part only."""
        for point in (*WORKER_POINTS, "mover-before-load", "mover-in-load", "mover-before-flush", "mover-in-flush",
                      "mover-before-report"):
            with self.subTest(point=point), self.daemon_for() as daemon:
                job = slow_copy(self.directory)
                command, pid, done = self.run_to(daemon, point, job, "run", after_tiles=60)
                os.kill(pid, signal.SIGKILL)
                done = max(done, (self.job_of(daemon) or {"tiles_done": 0})["tiles_done"])
                self.kill_and_restart(daemon, done)
                self.finish(daemon, command, job)

    def test_a_child_killed_at_every_point_costs_nothing_else(self):
        for point in MOVER_POINTS + WORKER_POINTS + JOURNAL_POINTS:
            for make in (KINDS if point == "mover-in-load" else (plain_zoom,)):
                with self.subTest(point=point, kind=make.__name__), self.daemon_for() as daemon:
                    job = make(self.directory)
                    command, pid, _ = self.run_to(daemon, point, job, "run", 0)
                    os.kill(pid, signal.SIGKILL)
                    self.finish(daemon, command, job)

    def test_a_supervisor_killed_when_its_mover_has_emptied_the_output_of_a_cancelled_job(self):
        """Nobody was told that it is cancelled. Whoever resumes it must not go on from bands that are not there."""
        with self.daemon_for() as daemon:
            job = slow_copy(self.directory)
            _, mover, _ = self.run_to(daemon, "mover-before-flush", job, "submit", after_tiles=250)
            daemon.arm("mover-before-report")
            cancel = daemon.start_slab("cancel", 1)
            os.kill(mover, signal.SIGCONT)
            while daemon.wait_stopped("mover-before-report") and job.output.stat().st_size > 0:
                daemon.arm("mover-before-report")
                os.kill(mover, signal.SIGCONT)

            daemon.kill()
            cancel.finish()
            daemon.start()

            self.assertEqual(self.job_of(daemon)["state"], "interrupted")
            self.assert_exit(daemon.slab("resume", 1), EXIT_DONE)
            job.assert_written(self)

    def test_a_successor_killed_while_the_job_goes_on(self):
        for point in ("mover-before-check", "mover-before-load", "journal-before-write", "worker-before-tile",
                      "mover-before-flush"):
            with self.subTest(point=point), self.daemon_for() as daemon:
                job = slow_copy(self.directory)
                command, _, done = self.run_to(daemon, "worker-after-tile", job, "run", after_tiles=100)
                daemon.kill()
                daemon.arm(point)
                daemon.start()
                daemon.wait_stopped(point)
                self.kill_and_restart(daemon, done)
                self.finish(daemon, command, job)


class StoppedInGoodOrder(StreamingKills):
    def test_a_run_outlives_a_daemon_that_is_stopped_and_started_again(self):
        for make, tiles in ((slow_copy, 60), (slow_copy, 500), (plain_zoom, 1)):
            with self.subTest(kind=make.__name__, tiles=tiles), self.daemon_for() as daemon:
                job = make(self.directory)
                command = daemon.start_slab("run", *job.arguments(), environment=SURVIVING)
                wait_until(lambda: (self.job_of(daemon) or {"tiles_done": 0})["tiles_done"] >= tiles,
                           "tiles are filled")

                self.assertEqual(daemon.stop(), [])
                daemon.start()

                self.finish(daemon, command, job)

    def test_a_run_that_does_not_wait_for_daemons_says_how_to_go_on(self):
        with self.daemon_for() as daemon:
            job = slow_copy(self.directory)
            command = daemon.start_slab("run", *job.arguments())
            wait_until(lambda: (self.job_of(daemon) or {"tiles_done": 0})["tiles_done"] >= 60, "tiles are filled")

            self.assertEqual(daemon.stop(), [])
            command.finish()

            self.assert_exit(command, EXIT_INTERRUPTED)
            daemon.start()


class AtEveryInput(StreamingKills):
    def test_every_kind_of_input_survives_a_supervisor_killed_in_the_middle(self):
        for make in KINDS:
            for point in ("mover-in-load", "worker-after-tile", "mover-in-flush", "supervisor-after-band"):
                with self.subTest(kind=make.__name__, point=point), self.daemon_for() as daemon:
                    job = make(self.directory)
                    command = daemon.start_slab("run", *job.arguments(), environment=SURVIVING)
                    wait_until(lambda: command._process.poll() is not None or self.job_of(daemon), "the job is known")
                    daemon.arm(point)
                    stopped = wait_until(lambda: self.stopped_at(daemon, point) or command._process.poll() is not None,
                                         "the point is met or the job is done")
                    if stopped is not True:
                        self.kill_and_restart(daemon, 0)
                    self.finish(daemon, command, job)

    @staticmethod
    def stopped_at(daemon, point):
        for path in daemon.pause_directory.glob(f"{point}.*"):
            ending = path.name.rsplit(".", 1)[1]
            if ending.isdigit() and process_state(ending) == "T":
                path.unlink()
                return int(ending)
        return None


class AtRandomTimes(StreamingKills):
    def test_the_output_is_bit_identical_and_filled_tiles_stay(self):
        for seed in range(SEEDS):
            with self.subTest(seed=seed), self.daemon_for() as daemon:
                rng = random.Random(seed)
                make = rng.choice(KINDS)
                mode = rng.choice(("run", "submit"))
                job = make(self.directory)
                command = self.start(daemon, mode, job)
                for victim in rng.choices(("supervisor", "mover", "worker"), (3, 1, 1), k=rng.randint(1, 4)):
                    time.sleep(rng.uniform(0, 0.25 if make is slow_copy else 0.08))
                    self.kill_one(daemon, victim, rng)
                    command = self.go_on(daemon, command, mode)
                self.finish(daemon, self.begin_again_if_never_begun(daemon, command, job, mode), job)

    @staticmethod
    def start(daemon, mode, job):
        """One that finds no daemon, because it was just killed, must not start a private one."""
        return daemon.start_slab(mode, *job.arguments(), *(["--daemon"] if mode == "run" else []),
                                 environment=SURVIVING)

    def begin_again_if_never_begun(self, daemon, command, job, mode):
        """A client that no daemon has greeted yet waits for none: it ends, and there is neither job nor file."""
        if command.code is None:
            command.finish()
        if command.code not in NEVER_GREETED or self.job_of(daemon) is not None:
            return command
        self.assertNotIn("waiting for it", command.err)
        self.assertEqual(sorted(path.name for path in job.directory.iterdir()),
                         sorted(path.name for path in job.inputs))
        return self.start(daemon, mode, job)

    def kill_one(self, daemon, victim, rng):
        known = self.job_of(daemon)
        if victim == "supervisor":
            self.kill_and_restart(daemon, known["tiles_done"] if known and known["state"] != "ended" else 0)
            return
        # Three lost movers, or workers on one tile, would rightly fail the job: one of each is killed at a time.
        pids = sorted(daemon.processes(victim).values())
        if pids and not getattr(daemon, f"killed_{victim}", False):
            setattr(daemon, f"killed_{victim}", True)
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(pids), signal.SIGKILL)

    def go_on(self, daemon, command, mode):
        """Somebody resumes a submitted job as soon as its submit has been answered. A resume that finds no daemon, or
        one that dies before it has greeted, does not wait for another."""
        if mode == "submit" and command._process.poll() is not None:
            record = self.job_of(daemon)
            if record and record["state"] == "interrupted":
                if command.code is None:
                    command.finish()
                self.assertIn(command.code, (EXIT_DONE, *NEVER_GREETED))
                return daemon.start_slab("resume", record["id"], environment=SURVIVING)
        return command


if __name__ == "__main__":
    unittest.main()
