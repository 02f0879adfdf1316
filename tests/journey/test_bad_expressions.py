"""What map and fold refuse: in words, with the place in the expression, before any work."""

import unittest

import numpy as np

from slab_harness import DaemonTestCase
from started_command import EXIT_USAGE


class BadExpressions(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume="64MiB")
        self.a, self.b = self.directory / "a.npy", self.directory / "b.npy"
        np.save(self.a, np.ones((4, 5)))
        np.save(self.b, np.ones((3, 5), "i4"))

    def refused(self, *arguments):
        command = self.daemon.slab("run", *arguments)
        self.assert_exit(command, EXIT_USAGE)
        self.assertEqual(command.out, "")
        self.assertEqual(self.daemon.connect().jobs(), [])
        self.assertEqual(self.daemon.held_bytes(), 0)
        return command.err.strip().splitlines()

    def test_the_place_of_an_unknown_name(self):
        self.assertEqual(self.refused("map", self.a, "--expr", "sqrt(a) + d", "-o", self.directory / "c.npy"), [
            "error: expression: unknown name 'd'",
            "because: sqrt(a) + d",
            "                   ^",
            "try: the input is a; functions are listed by: slab kernels map"])

    def test_shapes_that_do_not_broadcast(self):
        lines = self.refused("map", self.a, self.b, "--expr", "a + b", "-o", self.directory / "c.npy")
        self.assertEqual(lines[1], "because: a has the shape (4, 5), b has (3, 5)")

    def test_a_missing_expression_a_missing_reduction_and_too_many_inputs(self):
        self.assertIn("--expr is not given", self.refused("map", self.a, "-o", self.directory / "c.npy")[1])
        self.assertIn("--reduce is not given", self.refused("fold", self.a)[1])
        self.refused("map", *[self.a] * 17, "--expr", "a", "-o", self.directory / "c.npy")
        self.assertIn("map takes 1 or more inputs (a...)", self.refused("map", "--expr", "1", "-o", self.directory / "c.npy")[0])

    def test_axes_that_are_none_and_indices_of_several(self):
        self.assertIn("there is no axis 2", self.refused("fold", self.a, "--reduce", "sum", "--axis", "2")[0])
        self.assertIn("bins is of a histogram", self.refused("fold", self.a, "--reduce", "sum", "--bins", "3")[0])

    def test_a_fold_prints_its_number(self):
        command = self.daemon.slab("run", "fold", self.a, self.a, "--expr", "sqrt(a) + a*b", "--reduce", "sum")
        self.assert_exit(command, 0)
        self.assertEqual(float(command.out), 40.0)


if __name__ == "__main__":
    unittest.main()
