"""reslice against scipy.ndimage.affine_transform, frame by frame, with pull-backs that are worked out here."""

import itertools
import unittest

import numpy as np

import rigid_motion
import scipy_oracle as oracle
from slab_harness import SharedDaemonTestCase

SHAPE = (13, 15, 11)
COUNT = 5
ORDER_NAMES = {0: "nearest", 1: "linear", 3: "cubic", 5: "quintic"}
OBLIQUE = np.array([[-2.9, 0.31, 0.2, 22.0], [0.35, 3.1, -0.4, -31.0], [0.15, 0.5, 2.4, -12.0], [0, 0, 0, 1.0]])
VOXEL_SIZE = [2.0, 1.5, 3.25]
SCALED = np.diag([*VOXEL_SIZE, 1.0])


def centre_in_mm(affine):
    return (affine @ [*((np.array(SHAPE) - 1) / 2), 1.0])[:3]


def motions(rng, count, shifts_first, degrees=False):
    """Rows of six: shifts of up to 3 mm, angles of up to 0.15 radians."""
    shift, turn = rng.uniform(-3, 3, (count, 3)), rng.uniform(-0.15, 0.15, (count, 3))
    turn = np.rad2deg(turn) if degrees else turn
    return np.hstack([shift, turn] if shifts_first else [turn, shift])


def as_4x4(rng, count):
    """Affine ones: also shears and scales."""
    matrices = np.tile(np.eye(4), (count, 1, 1))
    matrices[:, :3] += rng.uniform(-0.08, 0.08, (count, 3, 4))
    matrices[:, :3, 3] *= 20
    return matrices


class ResliceCase(SharedDaemonTestCase):
    def assert_resliced(self, frames, pull_backs, order=3, mode="constant", cval=0.0, layout="first", prefilter="on",
                        outside=None, **parameters):
        """frames: (t, a, b, c), handed over with that axis first or last, in C or Fortran order."""
        native = frames.astype(frames.dtype.newbyteorder("="))
        pairs = list(zip(native, pull_backs))
        compute = lambda frame, pull_back, beyond: oracle.transformed(  # noqa: E731
            frame, pull_back, order=order, mode=mode, cval=beyond, prefilter=prefilter == "on")
        real = np.stack([oracle.real_values(lambda part, beyond: compute(part, m, beyond), f, cval) for f, m in pairs])
        whole = np.stack([compute(f, m, cval) for f, m in pairs]) if native.dtype.kind in "ui" else None
        coordinates = [oracle.input_coordinates(m, f.shape) for f, m in pairs]
        ignored = np.stack([oracle.is_a_jump(c, SHAPE, order, mode) for c in coordinates])
        if outside is not None:
            beyond, edge = masks(coordinates)
            real[:, beyond] = outside
            if whole is not None:
                whole[:, beyond] = outside
            ignored |= edge
        given = {"first": lambda: frames, "last": lambda: np.moveaxis(frames, 0, -1).copy(),
                 "last, Fortran": lambda: np.asfortranarray(np.moveaxis(frames, 0, -1)),
                 "first, Fortran": lambda: np.asfortranarray(frames)}[layout]()

        result = self.slabd.run("reslice", given, order=str(order), mode=mode, cval=cval, prefilter=prefilter,
                                batch=layout.split(",")[0], **parameters)

        self.assertEqual(result.shape, given.shape)
        self.assertEqual(result.dtype, native.dtype)
        result = np.moveaxis(result, -1, 0) if layout.startswith("last") else result
        if outside is not None and np.isnan(outside):
            np.testing.assert_array_equal(np.isnan(result) | ignored, np.isnan(real) | ignored)
            ignored |= np.isnan(real)
        fault = oracle.difference(result, real, order, oracle.span_of(native, np.nan_to_num(cval)), whole, ignored=ignored)
        if fault:
            self.fail(f"{frames.dtype} order={order} mode={mode!r} {layout} {sorted(parameters)}: {fault}")
        self.assertLess(np.count_nonzero(ignored) / ignored.size, 0.8 if outside is not None else 0.05)


def masks(coordinates, width=1e-9):
    """Voxels whose coordinate leaves [0, n-1] in any frame; and those for which that is a matter of rounding."""
    beyond, edge = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    for frame in coordinates:
        for c, n in zip(frame, SHAPE):
            beyond |= (c < 0) | (c > n - 1)
            edge |= (np.abs(c) < width) | (np.abs(c - (n - 1)) < width)
    return beyond, edge


class Conventions(ResliceCase):
    def setUp(self):
        self.rng = np.random.default_rng(1)
        self.frames = oracle.random_values(self.rng, (COUNT, *SHAPE), "f8")

    def check(self, rows, of_row, to_mm, **parameters):
        pull_backs = [rigid_motion.pull_back(of_row(row), to_mm) for row in rows]
        for layout, order in itertools.product(("first", "last", "last, Fortran"), (1, 3)):
            with self.subTest(layout=layout, order=order):
                self.assert_resliced(self.frames, pull_backs, order, layout=layout, transforms=rows, **parameters)

    def test_spm_with_voxel_sizes(self):
        self.check(motions(self.rng, COUNT, True), rigid_motion.spm, SCALED, convention="spm", voxel_size=VOXEL_SIZE)

    def test_spm_with_an_oblique_affine_turns_about_the_worlds_origin(self):
        self.check(motions(self.rng, COUNT, True), rigid_motion.spm, OBLIQUE, convention="spm", affine=OBLIQUE)

    def test_fsl_about_the_centre_of_gravity_in_scaled_mm(self):
        centre = [11.0, 9.5, 17.25]
        self.check(motions(self.rng, COUNT, False), lambda row: rigid_motion.fsl(row, centre), SCALED,
                   convention="fsl", voxel_size=VOXEL_SIZE, centre=centre)

    def test_afni_about_the_centre_of_the_volume(self):
        self.check(motions(self.rng, COUNT, False, degrees=True),
                   lambda row: rigid_motion.afni(row, centre_in_mm(OBLIQUE)), OBLIQUE, convention="afni", affine=OBLIQUE)

    def test_one_angle_at_a_time(self):
        """Tells which angle of which convention is at fault."""
        for (convention, first_angle), axis, sign in itertools.product((("spm", 3), ("fsl", 0), ("afni", 0)), range(3),
                                                                       (-1, 1)):
            with self.subTest(convention=convention, axis=axis, sign=sign):
                row = np.zeros(6)
                row[first_angle + axis] = sign * (6.0 if convention == "afni" else 0.1)
                centre = centre_in_mm(SCALED)
                options = {"affine": SCALED} if convention != "fsl" else {"voxel_size": VOXEL_SIZE, "centre": centre.tolist()}
                motion = {"spm": rigid_motion.spm, "fsl": lambda r: rigid_motion.fsl(r, centre),
                          "afni": lambda r: rigid_motion.afni(r, centre)}[convention](row)

                self.assert_resliced(self.frames[:1], [rigid_motion.pull_back(motion, SCALED)], 1, "nearest", transforms=[row],
                                     convention=convention, **options)

    def test_one_shift_at_a_time(self):
        for (convention, first_shift), axis in itertools.product((("spm", 0), ("fsl", 3), ("afni", 3)), range(3)):
            with self.subTest(convention=convention, axis=axis):
                row = np.zeros(6)
                row[first_shift + axis] = 1.7
                centre = centre_in_mm(SCALED)
                options = {"affine": SCALED} if convention != "fsl" else {"voxel_size": VOXEL_SIZE, "centre": centre.tolist()}
                motion = {"spm": rigid_motion.spm, "fsl": lambda r: rigid_motion.fsl(r, centre),
                          "afni": lambda r: rigid_motion.afni(r, centre)}[convention](row)

                self.assert_resliced(self.frames[:1], [rigid_motion.pull_back(motion, SCALED)], 1, "nearest", transforms=[row],
                                     convention=convention, **options)


class Matrices(ResliceCase):
    def setUp(self):
        self.rng = np.random.default_rng(2)
        self.matrices = as_4x4(self.rng, COUNT)
        self.pull_backs = [np.linalg.inv(m) for m in self.matrices]

    def test_every_form_of_the_table_means_the_same(self):
        frames = oracle.random_values(self.rng, (COUNT, *SHAPE), "f8")
        for name, table in (("n x 4 x 4", self.matrices), ("16 columns", self.matrices.reshape(COUNT, 16)),
                            ("4 rows a frame", self.matrices.reshape(4 * COUNT, 4)),
                            ("12 columns", self.matrices[:, :3].reshape(COUNT, 12))):
            with self.subTest(name):
                self.assert_resliced(frames, self.pull_backs, transforms=table)

    def test_matrices_are_in_the_worlds_mm(self):
        frames = oracle.random_values(self.rng, (COUNT, *SHAPE), "f8")
        for name, affine, options in (("affine", OBLIQUE, {"affine": OBLIQUE}),
                                      ("voxel size", SCALED, {"voxel_size": VOXEL_SIZE})):
            with self.subTest(name):
                pull_backs = [rigid_motion.pull_back(m, affine) for m in self.matrices]
                self.assert_resliced(frames, pull_backs, transforms=self.matrices, **options)

    def test_every_order_and_mode(self):
        frames = oracle.random_values(self.rng, (COUNT, *SHAPE), "f8")
        for order, mode, layout in itertools.product(range(6), oracle.MODES, ("first", "last, Fortran")):
            with self.subTest(order=order, mode=mode, layout=layout):
                self.assert_resliced(frames, self.pull_backs, order, mode, 37.25, layout, transforms=self.matrices)

    def test_every_dtype_and_layout(self):
        for dtype, order, layout in itertools.product((*oracle.DTYPES, ">i2", ">f4"), (0, 1, 3),
                                                      ("first", "last", "last, Fortran", "first, Fortran")):
            with self.subTest(dtype=dtype, order=order, layout=layout):
                frames = oracle.random_values(self.rng, (COUNT, *SHAPE), dtype).astype(dtype)
                self.assert_resliced(frames, self.pull_backs, order, layout=layout, transforms=self.matrices)

    def test_names_of_orders(self):
        frames = oracle.random_values(self.rng, (COUNT, *SHAPE), "f4")
        for order, name in ORDER_NAMES.items():
            with self.subTest(name):
                by_number = self.slabd.run("reslice", frames, transforms=self.matrices, order=str(order), batch="first")
                by_name = self.slabd.run("reslice", frames, transforms=self.matrices, order=name, batch="first")

                np.testing.assert_array_equal(by_name, by_number)

    def test_without_prefilter(self):
        frames = oracle.random_values(self.rng, (COUNT, *SHAPE), "f8")
        for order in (2, 3, 5):
            with self.subTest(order=order):
                self.assert_resliced(frames, self.pull_backs, order, prefilter="off", transforms=self.matrices)

    def test_one_frame_without_a_batch_axis(self):
        frame = oracle.random_values(self.rng, SHAPE, "f8")

        result = self.slabd.run("reslice", frame, transforms=self.matrices[:1])

        self.assertIsNone(oracle.difference(result, oracle.transformed(frame, self.pull_backs[0]), 3, oracle.span_of(frame)))

    def test_identity_gives_the_series_back(self):
        frames = oracle.random_values(self.rng, (COUNT, *SHAPE), "i2")
        for order, layout in itertools.product(range(6), ("first", "last", "last, Fortran")):
            with self.subTest(order=order, layout=layout):
                given = frames if layout == "first" else np.moveaxis(frames, 0, -1).copy("F" if "F" in layout else "C")

                result = self.slabd.run("reslice", given, transforms=np.zeros((COUNT, 6)), convention="spm",
                                        order=str(order), batch=layout.split(",")[0])

                np.testing.assert_array_equal(result, given)

    def test_a_longer_series_of_small_motions(self):
        """Many tiles and leases, and scan lines along which neighbours stay neighbours."""
        frames = oracle.random_values(self.rng, (40, *SHAPE), "f4")
        rows = motions(self.rng, 40, True) * 0.1
        pull_backs = [rigid_motion.pull_back(rigid_motion.spm(row), SCALED) for row in rows]
        for order, layout in itertools.product((0, 1, 3), ("first", "last", "last, Fortran")):
            with self.subTest(order=order, layout=layout):
                self.assert_resliced(frames, pull_backs, order, layout=layout, transforms=rows, convention="spm",
                                     voxel_size=VOXEL_SIZE)


class MaskOutside(ResliceCase):
    """SPM's rule: what is outside in one frame is outside in all."""

    def setUp(self):
        self.rng = np.random.default_rng(3)
        self.rows = motions(self.rng, COUNT, True) * 0.4
        self.pull_backs = [rigid_motion.pull_back(rigid_motion.spm(row), SCALED) for row in self.rows]

    def test_what_any_frame_lacks_is_cval_in_all(self):
        for dtype, order, cval, layout in itertools.product(("f4", "i2"), (0, 1, 3), (0.0, 7.0), ("first", "last",
                                                                                                   "last, Fortran")):
            with self.subTest(dtype=dtype, order=order, cval=cval, layout=layout):
                frames = oracle.random_values(self.rng, (COUNT, *SHAPE), dtype)
                self.assert_resliced(frames, self.pull_backs, order, "nearest", cval, layout, transforms=self.rows,
                                     convention="spm", voxel_size=VOXEL_SIZE, mask_outside=True, outside=cval)

    def test_nan_marks_it_in_floats(self):
        frames = oracle.random_values(self.rng, (COUNT, *SHAPE), "f4")

        self.assert_resliced(frames, self.pull_backs, 1, "constant", np.nan, transforms=self.rows, convention="spm",
                             voxel_size=VOXEL_SIZE, mask_outside=True, outside=np.nan)


if __name__ == "__main__":
    unittest.main()
