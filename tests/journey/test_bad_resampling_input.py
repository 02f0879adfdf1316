"""Bad input to zoom, affine and reslice is refused before any work, in three parts that name the fault."""

import unittest

import numpy as np

import slab
from slab_harness import DaemonTestCase
from started_command import EXIT_USAGE

EYE = np.eye(4)


class BadResamplingInput(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume="64MiB")
        self.slabd = self.daemon.connect()
        self.array = np.zeros((4, 5, 6), np.float32)
        self.series = np.zeros((7, 4, 5, 6), np.float32)

    def assert_refused(self, pattern, kernel, *inputs, remedy=r"\w", **parameters):
        """By plan and by run alike, and nothing is left of it."""
        for ask in (self.slabd.plan, self.slabd.run):
            with self.assertRaises(slab.UsageError) as caught:
                ask(kernel, *inputs, **parameters)
            error = caught.exception
            self.assertRegex(f"{error.what}\n{error.because}", pattern)
            self.assertRegex(error.remedy, remedy)
            self.assertTrue(error.what and error.because, str(error))
        self.assertEqual(self.slabd.jobs(), [])
        self.assertEqual(self.daemon.held_bytes(), 0)

    # -- what all three have

    def test_orders_that_do_not_exist(self):
        for order in (6, -1, 100):
            with self.subTest(order=order):
                self.assert_refused(str(order), "zoom", self.array, factor=2, order=order)
                self.assert_refused(str(order), "affine", self.array, matrix=np.eye(3), order=order)
        for order in ("6", "heptic", "-1"):
            with self.subTest(order=order):
                self.assert_refused(order, "reslice", self.series, transforms=np.tile(EYE, (7, 1, 1)), order=order,
                                    batch="first")

    def test_choices_that_do_not_exist_name_those_that_do(self):
        for kernel, inputs, others in (("zoom", self.array, {"factor": 2}), ("affine", self.array, {"matrix": np.eye(3)}),
                                       ("reslice", self.series, {"transforms": np.tile(EYE, (7, 1, 1)), "batch": "first"})):
            for parameter, value, known in (("mode", "periodic", "grid-wrap"), ("prefilter", "maybe", "off"),
                                            ("precision", "half", "double")):
                with self.subTest(kernel=kernel, parameter=parameter):
                    with self.assertRaises(slab.UsageError) as caught:
                        self.slabd.run(kernel, inputs, **others, **{parameter: value})
                    self.assertRegex(str(caught.exception), value)
                    self.assertRegex(str(caught.exception), known)

    def test_a_cval_that_integers_cannot_hold(self):
        whole = self.array.astype("i2")
        for cval in (np.nan, np.inf, -np.inf):
            with self.subTest(cval=cval):
                self.assert_refused("cval", "zoom", whole, factor=2, order=1, cval=cval)
                self.assert_refused("cval", "affine", whole, matrix=np.eye(3), order=1, cval=cval)
                self.assert_refused("cval", "reslice", self.series.astype("i2"), transforms=np.tile(EYE, (7, 1, 1)),
                                    batch="first", order="linear", cval=cval)

    # -- zoom

    def test_a_factor_and_a_shape_at_once(self):
        self.assert_refused("factor|shape", "zoom", self.array, factor=2, shape=[8, 10, 12], order=3)

    def test_nearest_conventions_have_no_other_order(self):
        for convention in ("round", "floor"):
            for order in (1, 3):
                with self.subTest(convention=convention, order=order):
                    self.assert_refused(convention, "zoom", self.array, factor=2, convention=convention, order=order)

    # -- affine

    def test_matrices_of_a_wrong_size_say_which_fit(self):
        for matrix in (np.eye(2), np.eye(5), np.ones((2, 3)), np.ones((3, 5)), [1.0, 2.0], [1.0] * 4, np.ones((4, 3)),
                       np.ones((1, 1))):
            with self.subTest(shape=np.shape(matrix)):
                self.assert_refused(r"3", "affine", self.array, matrix=matrix)

    def test_a_homogeneous_matrix_whose_last_row_is_another(self):
        matrix = np.eye(4)
        matrix[3, 0] = 0.5
        self.assert_refused("row", "affine", self.array, matrix=matrix)

    def test_an_offset_beside_a_homogeneous_matrix(self):
        for matrix in (np.eye(4), np.eye(4)[:3]):
            with self.subTest(shape=matrix.shape):
                self.assert_refused("offset", "affine", self.array, matrix=matrix, offset=[1.0, 2.0, 3.0])

    def test_numbers_that_are_none_in_a_matrix(self):
        for bad in (np.nan, np.inf, -np.inf):
            matrix = np.eye(3)
            matrix[1, 2] = bad
            with self.subTest(bad=bad):
                self.assert_refused("nan|inf|finite", "affine", self.array, matrix=matrix)
                self.assert_refused("nan|inf|finite|offset", "affine", self.array, matrix=np.eye(3), offset=[0.0, bad, 0.0])

    def test_arrays_of_too_many_dimensions(self):
        self.assert_refused("dimension", "affine", np.zeros((2, 2, 2, 2)), matrix=np.eye(4))

    def test_no_matrix(self):
        self.assert_refused("matrix", "affine", self.array)

    def test_outputs_without_elements(self):
        for shape in ([0, 1, 1], [4, -5, 6], [4, 5]):
            with self.subTest(shape=shape):
                self.assert_refused(r"shape|axis|output|element|dimension", "affine", self.array, matrix=np.eye(3), shape=shape)

    # -- reslice

    def reslice(self, pattern, transforms, **parameters):
        self.assert_refused(pattern, "reslice", self.series, transforms=transforms, batch="first", **parameters)

    def test_a_table_that_does_not_fit_the_series_says_how_many_of_each(self):
        for rows in (6, 8, 1):
            with self.subTest(rows=rows):
                self.reslice(rf"(?s)(\b{rows}\b.*\b7\b|\b7\b.*\b{rows}\b)", np.zeros((rows, 6)), convention="spm")
                self.reslice(rf"(?s)(\b{rows}\b.*\b7\b|\b7\b.*\b{rows}\b)", np.tile(EYE.ravel(), (rows, 1)))

    def test_a_table_of_a_width_that_means_nothing(self):
        for columns in (5, 7, 9, 13):
            with self.subTest(columns=columns):
                self.reslice(str(columns), np.ones((7, columns)))

    def test_two_conventions_at_once(self):
        for convention in ("spm", "fsl", "afni"):
            with self.subTest(convention=convention):
                self.reslice("convention|matri", np.tile(EYE, (7, 1, 1)), convention=convention)

    def test_voxel_sizes_beside_an_affine(self):
        self.reslice("voxel_size|affine", np.zeros((7, 6)), convention="spm", voxel_size=[2.0, 2.0, 2.0], affine=EYE)

    def test_six_numbers_without_a_convention(self):
        self.reslice("convention", np.zeros((7, 6)))

    def test_fsl_without_its_centre(self):
        self.reslice("centre", np.zeros((7, 6)), convention="fsl")

    def test_a_singular_frame_is_named_with_its_determinant(self):
        matrices = np.tile(EYE, (7, 1, 1))
        matrices[4, :3, :3] = np.ones((3, 3))
        self.reslice(r"(?s)4.*(determinant|det).*0|(determinant|det).*0.*4", matrices)

    def test_nan_is_named_with_its_place(self):
        rows = np.zeros((7, 6))
        rows[5, 2] = np.nan
        self.reslice(r"(?s)5.*2|row", rows, convention="spm")
        matrices = np.tile(EYE, (7, 1, 1))
        matrices[3, 1, 2] = np.inf
        self.reslice(r"3", matrices)

    def test_voxel_sizes_and_affines_that_make_no_space(self):
        for sizes in ([0.0, 1.0, 1.0], [1.0, -1.0, 1.0], [np.nan, 1.0, 1.0]):
            with self.subTest(voxel_size=sizes):
                self.reslice("voxel", np.zeros((7, 6)), convention="spm", voxel_size=sizes)
        flat = np.diag([1.0, 1.0, 0.0, 1.0])
        self.reslice("affine|singular", np.zeros((7, 6)), convention="spm", affine=flat)
        self.reslice("affine", np.zeros((7, 6)), convention="spm", affine=np.eye(3))

    def test_arrays_of_too_few_dimensions(self):
        self.assert_refused("dimension", "reslice", np.zeros((4, 5)), transforms=np.zeros((1, 6)), convention="spm")

    # -- the same from the command line

    def test_a_table_from_a_file_too_short_for_the_series(self):
        np.save(self.directory / "series.npy", self.series)
        (self.directory / "rp.txt").write_text("0 0 0 0 0 0\n" * 5)
        files = self.files()

        command = self.daemon.slab("run", "reslice", self.directory / "series.npy", "-o", self.directory / "out.npy",
                                   "--transforms", self.directory / "rp.txt", "--convention", "spm", "--batch", "first")

        self.assert_exit(command, EXIT_USAGE)
        self.assertRegex(command.err, r"(?s)^error: .*(5.*7|7.*5).*try: ")
        self.assertEqual(self.files(), files)

    def test_order_6_on_the_command_line(self):
        np.save(self.directory / "in.npy", self.array)

        command = self.daemon.slab("run", "zoom", self.directory / "in.npy", "-o", self.directory / "out.npy",
                                   "--factor", 2, "--order", 6)

        self.assert_exit(command, EXIT_USAGE)
        self.assertRegex(command.err, r"(?s)^error: .*6.*because: .*try: ")


if __name__ == "__main__":
    unittest.main()
