"""One job twice, with room for all of it and with little: the two files must be equal."""

import filecmp

import numpy as np

from slab_harness import DaemonTestCase
from started_command import EXIT_DONE

MIB = 1 << 20


class WholeAndStreamed(DaemonTestCase):
    volume = "512MiB"

    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume=self.volume, workers=2)
        self.input = self.directory / "in.npy"
        self.whole, self.streamed = self.directory / "whole.npy", self.directory / "streamed.npy"

    def save(self, array):
        np.save(self.input, array)
        return [self.input]

    def assert_invisible(self, kernel, inputs, *parameters, least_bands=5, room=None):
        """Both runs, the plan of the second, and the two files. room: bytes; else a twentieth of the arrays."""
        run = ["run", kernel, *inputs, *parameters, "--overwrite", "--json"]
        whole = self.daemon.slab(*run, "-o", self.whole)
        self.assert_exit(whole, EXIT_DONE)
        report = whole.json()
        self.assertEqual(report["bands"], 1)
        room = room or max((report["bytes_in"] + report["bytes_out"]) // 20, self.least(run))
        limit = ["--max-memory", room]
        planned = self.daemon.slab(*run, "-o", self.streamed, *limit, "--plan")
        self.assert_exit(planned, EXIT_DONE)
        plan = planned.json()
        self.assertGreaterEqual(plan["bands"], least_bands)
        self.assertLessEqual(plan["holds_bytes"], room)

        streamed = self.daemon.slab(*run, "-o", self.streamed, *limit)

        self.assert_exit(streamed, EXIT_DONE)
        self.assertEqual(streamed.json()["bands"], plan["bands"])
        self.assertLessEqual(streamed.json()["peak_volume_bytes"], room)
        self.assertTrue(filecmp.cmp(self.whole, self.streamed, shallow=False), "the two files differ")

    @staticmethod
    def least(run):
        """Of the volume, in extents of 2 MiB: the ring, and one more for what stays whole."""
        return (4 if run[1] == "outer" else 2) * MIB
