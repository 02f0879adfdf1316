"""`slab run --python MODULE:FUNCTION`: a Python function on tiles from the command line, with and without a daemon."""

import os
import signal
import sys
import unittest

import numpy as np

from build_tree import REPOSITORY, SLAB, SLABD
from process_table import children_of, process_state
from slab_harness import DaemonTestCase
from started_command import EXIT_CANCELLED, EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, EXIT_USAGE, start_command
from waiting import wait_until

FUNCTIONS = """
import os, sys, time
scale = 2

def operate(tile, y, x, out):
    out[:] = y[tile.y, None] * x[tile.x]

def fails(tile, out):
    raise ValueError("no luck")

def fails_to_import(tile, out):
    import no_such_module

def waits(tile, out):
    open("going", "w").close()
    time.sleep(600)

class Scaled:
    def operate(tile, a, out):
        out[:] = scale * a[tile.slices]

nothing = 3
"""


class PythonCommand(DaemonTestCase):
    def setUp(self):
        super().setUp()
        (self.directory / "functions.py").write_text(FUNCTIONS)
        (self.directory / "broken.py").write_text("import no_such_module\n")
        (self.directory / "leaves.py").write_text("import sys\nsys.exit(7)\n")
        random = np.random.default_rng(5)
        self.y, self.x = random.random(300), random.random(200)
        np.save(self.directory / "y.npy", self.y)
        np.save(self.directory / "x.npy", self.x)
        self.socket = None

    def start(self, *arguments, prefix=()):
        return start_command([*prefix, SLAB, "run", *arguments], self.socket, cwd=self.directory, environment={
            "SLABD_PYTHON": sys.executable, "SLABD_PROGRAM": str(SLABD), "XDG_RUNTIME_DIR": str(self.directory),
            "PYTHONPATH": str(REPOSITORY / "client/python")})

    def run_slab(self, *arguments):
        return self.start(*arguments).finish()

    OUTER = ("--python", "functions:operate", "y.npy", "x.npy", "--shape", "300,200", "--dtype", "float64", "-o", "r.npy")

    def test_a_function_of_a_module_without_a_daemon(self):
        if os.path.exists("/run/slabd/slabd.sock"):
            self.skipTest("a system daemon runs here")
        done = self.run_slab(*self.OUTER)

        self.assert_exit(done, EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.directory / "r.npy"), np.outer(self.y, self.x))

    def test_the_same_with_a_daemon_tells_the_job_as_json(self):
        self.socket = self.start_daemon(workers=2).socket
        done = self.run_slab("--json", *self.OUTER, "--workers", "3", "--tile", "17,40", "--name", "mine")

        self.assert_exit(done, EXIT_DONE)
        job = done.json()
        self.assertEqual((job["outcome"], job["kernel"], job["name"], job["tiles"]), ("done", "operate", "mine", 18 * 5))
        np.testing.assert_array_equal(np.load(self.directory / "r.npy"), np.outer(self.y, self.x))

    def test_a_file_and_a_function_of_a_class(self):
        self.socket = self.start_daemon(workers=2).socket
        done = self.run_slab("--python=./functions.py:Scaled.operate", "y.npy", "-o", "r.npy")

        self.assert_exit(done, EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.directory / "r.npy"), 2 * self.y)

    def test_each_mistake_is_named(self):
        self.socket = self.start_daemon(workers=2).socket
        shape = ("--shape", "10,10", "--dtype", "f8", "-o", "r.npy")
        for arguments, code, text in (
                (("lambda tile, out: None", *shape), EXIT_USAGE, "names no function"),
                (("functions", *shape), EXIT_USAGE, "not of the form MODULE:FUNCTION"),
                (("functions:missing", *shape), EXIT_USAGE, "has no function 'missing'\nbecause: it has operate, fails"),
                (("functions:nothing", *shape), EXIT_USAGE, "map_tiles needs a function"),
                (("no_such:operate", *shape), EXIT_USAGE, "no_such cannot be imported\nbecause: ModuleNotFoundError"),
                (("./no_such.py:operate", *shape), EXIT_USAGE, "there is no file ./no_such.py"),
                (("broken:operate", *shape), EXIT_USAGE, "No module named 'no_such_module'"),
                (("leaves:operate", *shape), EXIT_USAGE, "calls sys.exit\\(7\\)"),
                (("functions:operate", *shape), EXIT_USAGE, "cannot be called for a tile"),
                (("functions:fails", *shape), EXIT_FAILED, "fails raised ValueError: no luck at tile 0"),
                (("functions:fails_to_import", *shape), EXIT_FAILED, "ModuleNotFoundError: No module named 'no_such_module'"),
                (("functions:fails", *shape, "--max-memory", "1kB"), EXIT_REFUSED, "does not fit"),
                (("functions:fails", "--shape", "10", "--dtype", "f8"), EXIT_USAGE, "-o/--output"),
                (("functions:fails", *shape, "--nonsense"), EXIT_USAGE, "--nonsense"),
                (("functions:fails", "--shape", "a", "--dtype", "f8", "-o", "r.npy"), EXIT_USAGE, "--shape")):
            with self.subTest(arguments=arguments):
                done = self.run_slab("--python", *arguments)
                self.assert_exit(done, code)
                self.assertRegex(done.err, "error: (.|\n)*" + text)
        self.assertFalse((self.directory / "r.npy").exists())

    def test_a_python_without_the_module_says_what_is_needed(self):
        command = start_command([SLAB, "run", *self.OUTER], environment={
            "SLABD_PYTHON": sys.executable, "PYTHONPATH": "", "PYTHONSAFEPATH": "1"}, cwd=self.directory).finish()
        missing = start_command([SLAB, "run", *self.OUTER], environment={"SLABD_PYTHON": "/no/python"}).finish()

        self.assert_exit(command, EXIT_USAGE)
        self.assertRegex(command.err, "error: this Python cannot import slab(.|\n)*SLABD_PYTHON")
        self.assert_exit(missing, EXIT_USAGE)
        self.assertIn("/no/python cannot be started", missing.err)

    def test_help_says_how(self):
        self.assertIn("slab run --python", start_command([SLAB, "run", "--help"]).finish().out)
        told = self.run_slab("--python", "--help")
        self.assert_exit(told, EXIT_DONE)
        self.assertIn("MODULE:FUNCTION", told.out)

    def test_ctrl_c_cancels_and_leaves_nothing(self):
        daemon = self.start_daemon(workers=2)
        self.socket = daemon.socket
        command = self.start("--python", "functions:waits", "--shape", "10,10", "--dtype", "f8", "-o", "r.npy")
        wait_until((self.directory / "going").exists, "a guest is at work")
        guests = children_of(command.pid)
        command.signal(signal.SIGINT)

        self.assert_exit(command.finish(), EXIT_CANCELLED)
        self.assertFalse((self.directory / "r.npy").exists())
        self.assertTrue(guests)
        self.assertFalse([(guest, process_state(guest)) for guest in guests if process_state(guest)])
        self.assertEqual(daemon.connect().jobs(all=True)[-1]["outcome"], "cancelled")


if __name__ == "__main__":
    unittest.main()
