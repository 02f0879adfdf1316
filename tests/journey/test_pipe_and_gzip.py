"""Inputs that are packed, and results that go to a pipe."""

import gzip
import io
import os
import subprocess
import threading
import unittest

import numpy as np

from build_tree import SLAB
from hand_loops import checkered, zoomed_by_round
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, EXIT_USAGE

ZOOM = ("--factor", 2, "--convention", "round")


class PipesAndGzip(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.array = checkered((24, 32, 40))
        self.expected = zoomed_by_round(self.array, 2)
        self.input, self.output = self.directory / "in.npy", self.directory / "out.npy"
        np.save(self.input, self.array)
        self.daemon = self.start_daemon()

    def pack(self, name, content):
        path = self.directory / name
        path.write_bytes(gzip.compress(content))
        return path

    def bytes_of(self, *arguments):
        """What a command writes to stdout, and its stderr."""
        done = subprocess.run([str(SLAB), *map(str, arguments)], capture_output=True, timeout=60,
                              env={**os.environ, "SLABD_SOCKET": self.daemon.socket})
        self.assertEqual(done.returncode, EXIT_DONE, done.stderr)
        return done.stdout

    # -- gzip

    def test_a_packed_npy_gives_what_the_file_gives(self):
        packed = self.pack("in.npy.gz", self.input.read_bytes())

        self.assert_exit(self.daemon.slab("run", "zoom", packed, "-o", self.output, *ZOOM), EXIT_DONE)

        np.testing.assert_array_equal(np.load(self.output), self.expected)

    def test_packed_raw_bytes_with_an_offset_and_another_byte_order(self):
        swapped = self.array.astype(">i2")
        packed = self.pack("in.gz", b"head" + swapped.tobytes())

        command = self.daemon.slab("run", "zoom", packed, "-o", self.output, *ZOOM, "--input-dtype", ">i2",
                                   "--input-shape", "24,32,40", "--input-offset", 4)

        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.output), self.expected)

    def test_several_members_are_one_stream(self):
        content = self.input.read_bytes()
        packed = self.directory / "in.npy.gz"
        packed.write_bytes(gzip.compress(content[:5000]) + gzip.compress(content[5000:]))

        self.assert_exit(self.daemon.slab("run", "zoom", packed, "-o", self.output, *ZOOM), EXIT_DONE)

        np.testing.assert_array_equal(np.load(self.output), self.expected)

    def test_a_packed_file_that_is_cut_short_is_an_error_and_leaves_no_file(self):
        rng = np.random.default_rng(1)
        buffer = io.BytesIO()
        np.save(buffer, rng.integers(0, 255, (64, 64, 64), np.uint8))
        packed = self.directory / "in.npy.gz"
        packed.write_bytes(gzip.compress(buffer.getvalue())[:-1000])

        command = self.daemon.slab("run", "zoom", packed, "-o", self.output, *ZOOM)

        self.assertIn(command.code, (EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED))
        self.assertRegex(command.err, "in.npy.gz|gzip|cut short")
        self.assertFalse(self.output.exists())

    def test_python_takes_packed_paths(self):
        packed = self.pack("in.npy.gz", self.input.read_bytes())

        result = self.daemon.connect().run("zoom", packed, factor=2, convention="round")

        np.testing.assert_array_equal(result, self.expected)

    # -- pipes

    def test_stdout_is_the_npy_file_and_nothing_else(self):
        content = self.bytes_of("run", "zoom", self.input, "-o", "-", *ZOOM)

        np.testing.assert_array_equal(np.load(io.BytesIO(content)), self.expected)

    def test_stdout_as_raw_elements(self):
        content = self.bytes_of("run", "zoom", self.input, "-o", "-", "--output-format", "raw", *ZOOM)

        self.assertEqual(content, self.expected.tobytes())

    def test_a_named_pipe(self):
        pipe = self.directory / "pipe"
        os.mkfifo(pipe)
        contents = []
        reader = threading.Thread(target=lambda: contents.append(pipe.read_bytes()))
        reader.start()

        command = self.daemon.slab("run", "zoom", self.input, "-o", pipe, *ZOOM)
        reader.join(60)

        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_array_equal(np.load(io.BytesIO(contents[0])), self.expected)

    def test_a_reader_that_goes_away_fails_the_job_and_not_the_daemon(self):
        command = self.daemon.start_slab("run", "zoom", self.input, "-o", "-", *ZOOM)
        with command._process.stderr:
            command._process.stdout.close()

            code = command._process.wait(60)

        self.assertNotEqual(code, EXIT_DONE)
        self.assertEqual(self.daemon.held_bytes(), 0)

    def test_fetch_to_stdout(self):
        job = self.daemon.slab("run", "zoom", self.input, "--keep", "--json", *ZOOM).json()["id"]

        content = self.bytes_of("fetch", job, "-o", "-")

        np.testing.assert_array_equal(np.load(io.BytesIO(content)), self.expected)

    def test_submit_and_json_refuse_stdout(self):
        for arguments in (("submit", "zoom", self.input, "-o", "-", *ZOOM),
                          ("run", "zoom", self.input, "-o", "-", "--json", *ZOOM)):
            self.assert_exit(self.daemon.slab(*arguments), EXIT_USAGE)


if __name__ == "__main__":
    unittest.main()
