"""realign against a phantom whose motion is known and whose frames are sampled, not interpolated."""

import unittest

import numpy as np

import scipy_oracle as oracle
import slab
from moving_phantom import Head, random_walk, rigid
from slab_harness import SharedDaemonTestCase

MATRIX, SCALE, HAS_CONVERGED, DVARS, STD_DVARS = slice(0, 12), 12, 14, 16, 17


class RealignCase(SharedDaemonTestCase):
    def motion_of(self, series, affine, **parameters):
        """Rows of the result, and their matrices."""
        job = self.slabd.submit("realign", series, affine=affine, estimate_only=True, **parameters)
        rows = np.array(job.wait(120)["result"]["motion"])
        matrices = np.tile(np.eye(4), (len(rows), 1, 1))
        matrices[:, :3] = rows[:, MATRIX].reshape(-1, 3, 4)
        job.drop()
        return rows, matrices

    def walk(self, head, frames, millimetres, degrees, seed=5):
        walk = random_walk(np.random.default_rng(seed), frames, millimetres, degrees)
        return np.array([rigid(row, head.centre) for row in walk])


class WhatMovesIsFound(RealignCase):
    def setUp(self):
        super().setUp()
        self.head = Head()

    def assert_found(self, motions, most_mm, series=None, **parameters):
        series = self.head.series(motions, noise=2.0) if series is None else series
        rows, found = self.motion_of(series, self.head.affine, **parameters)
        errors = self.head.displacement_errors(found, motions)
        self.assertTrue(rows[:, HAS_CONVERGED].all(), rows[:, HAS_CONVERGED])
        self.assertLess(errors.mean(), most_mm, errors)
        return rows, found

    def test_without_noise(self):
        motions = self.walk(self.head, 8, 2.0, 2.0)
        self.assert_found(motions, 0.01, self.head.series(motions))

    def test_with_noise(self):
        self.assert_found(self.walk(self.head, 20, 2.0, 2.0), 0.06)

    def test_large_motion(self):
        self.assert_found(self.walk(self.head, 8, 8.0, 7.0), 0.10)

    def test_two_frames(self):
        self.assert_found(self.walk(self.head, 2, 1.5, 1.0), 0.08)

    def test_a_still_head_has_no_bias_and_is_not_quantised(self):
        rows, found = self.assert_found(np.tile(np.eye(4), (18, 1, 1)), 0.06)
        self.assertEqual(len({tuple(row) for row in rows[:, MATRIX]}), len(rows))
        self.assertLess(np.abs((found[1:] - np.eye(4)).mean(0)[:3, 3]).max(), 0.05)

    def test_one_frame_jumps(self):
        motions = np.tile(np.eye(4), (9, 1, 1))
        motions[4] = rigid([4, -3, 2, 3, -4, 2], self.head.centre)
        self.assert_found(motions, 0.06)

    def test_integers_and_another_reference(self):
        motions = self.walk(self.head, 8, 2.0, 2.0)
        series = np.asfortranarray(np.round(self.head.series(motions, noise=1.0) * 20).astype(np.int16))
        to_fifth = np.array([m @ np.linalg.inv(motions[5]) for m in motions])
        rows, found = self.motion_of(series, self.head.affine, reference="5")
        # Points of the reference frame, where frame 5 has them.
        moved = Head()
        moved.points = (motions[5] @ np.vstack([moved.points, np.ones(moved.points.shape[1])]))[:3]
        self.assertLess(moved.displacement_errors(found, to_fifth).mean(), 0.05)
        self.assertTrue((found[5] == np.eye(4)).all())

    def test_a_slow_change_of_intensity(self):
        motions = self.walk(self.head, 40, 1.5, 1.5)
        centre, radius = self.head.centre[:, None], self.head.radius[:, None]
        pattern = lambda points: np.cos(1.5 * ((points - centre) / radius)[0]) + ((points - centre) / radius)[1]  # noqa: E731
        gains = [lambda points, t=t: 1 + 0.04 * np.sin(t / 6) * pattern(points) + 0.002 * t for t in range(40)]
        series = self.head.series(motions, noise=1.0, gains=gains)
        errors = {}
        for switch in ("on", "off"):
            _, found = self.motion_of(series, self.head.affine, gain_fields=switch)
            errors[switch] = self.head.displacement_errors(found, motions).mean()
        self.assertLess(errors["on"], 0.06)
        self.assertLess(errors["on"], 0.7 * errors["off"], errors)


class OtherReferencesAndLess(RealignCase):
    """The choices of the user: what frames are aligned to, by what, and how thoroughly."""

    def setUp(self):
        super().setUp()
        self.head = Head()
        self.motions = self.walk(self.head, 10, 2.0, 2.0)
        self.series = self.head.series(self.motions, noise=2.0)

    def errors_of(self, expected=None, **parameters):
        rows, found = self.motion_of(self.series, self.head.affine, **parameters)
        self.assertTrue(rows[:, HAS_CONVERGED].all(), rows[:, HAS_CONVERGED])
        return self.head.displacement_errors(found, self.motions if expected is None else expected)

    def test_the_mean(self):
        _, found = self.motion_of(self.series, self.head.affine, reference="mean")
        # The same motions, but for one step that all have in common and that is small: the first frame was near the mean.
        common = found @ np.linalg.inv(self.motion_of(self.series, self.head.affine)[1])
        self.assertLess(np.abs(common - common[0]).max(), 1e-6)
        self.assertFalse((found[0] == np.eye(4)).all())
        self.assertLess(self.head.displacement_errors(found, self.motions).mean(), 0.06)

    def test_an_image(self):
        still = self.head.series(np.eye(4)[None], noise=0.5)[..., 0]
        for scale in (1.0, 2.5):  # of another scan, as a single-band reference is
            rows, found = self.motion_of(self.series, self.head.affine, reference=np.asfortranarray(still * scale))
            self.assertTrue(rows[:, HAS_CONVERGED].all())
            self.assertLess(self.head.displacement_errors(found, self.motions).mean(), 0.06)
            self.assertAlmostEqual(rows[:, SCALE].mean() * scale, 1.0, delta=0.02)
        self.assertFalse((found[0] == np.eye(4)).all())

    def test_an_image_of_something_else_is_named(self):
        noise = np.asfortranarray(np.random.default_rng(3).normal(100, 5, self.head.shape).astype(np.float32))
        rows, _ = self.motion_of(self.series, self.head.affine, reference=noise)
        self.assertTrue((rows[:, HAS_CONVERGED] == 0).all())

    def test_a_mask_keeps_out_what_moves_otherwise(self):
        half = np.zeros(self.head.shape, np.uint8, order="F")
        half[: self.head.shape[0] // 2] = 1
        other = self.series[self.head.shape[0] // 2 + 3 :]  # far enough for no voxel of the mask to be made of it
        other[:] = np.random.default_rng(4).normal(50, 20, other.shape)
        errors = self.errors_of(mask=half)
        self.assertLess(errors.mean(), 0.15)
        self.assertLess(errors.mean(), 0.2 * self.head.displacement_errors(
            self.motion_of(self.series, self.head.affine)[1], self.motions).mean())

    def test_an_empty_mask_leaves_nothing_to_go_by(self):
        rows, _ = self.motion_of(self.series, self.head.affine, mask=np.zeros(self.head.shape, np.uint8, order="F"))
        self.assertTrue((rows[1:, HAS_CONVERGED] == 0).all())
        self.assertTrue(np.isfinite(rows).all())

    def test_one_pass_less_quality_and_smoothing(self):
        for parameters in ({"two_pass": "off"}, {"quality": 0.6}, {"smooth": 5.0}, {"quality": 0.3, "two_pass": "off"}):
            with self.subTest(parameters):
                self.assertLess(self.errors_of(**parameters).mean(), 0.12)

    def test_smoothing_leaves_the_result_sharp(self):
        sharp = np.array(self.slabd.run("realign", self.series, affine=self.head.affine))
        smooth = np.array(self.slabd.run("realign", self.series, affine=self.head.affine, smooth=6.0))
        self.assertTrue((sharp[..., 0] == smooth[..., 0]).all())
        self.assertLess(np.abs(sharp - smooth).mean(), 0.1 * sharp.std())

    def test_standardised_dvars_is_one_of_noise_and_more_of_a_spike(self):
        still = np.tile(np.eye(4), (40, 1, 1))
        series = self.head.series(still, noise=3.0)
        series[..., 20] *= 1.1
        rows, _ = self.motion_of(series, self.head.affine)
        quiet = np.setdiff1d(np.arange(1, 40), [20, 21])
        self.assertAlmostEqual(rows[quiet, STD_DVARS].mean(), 1.0, delta=0.06)
        self.assertGreater(rows[[20, 21], STD_DVARS].min(), 1.5)
        ratio = rows[1:, DVARS] / rows[1:, STD_DVARS]
        self.assertTrue(np.allclose(ratio, ratio[0]))


class WhatHoldsNoHeadIsNamed(RealignCase):
    def test_empty_frames_and_noise(self):
        head = Head()
        motions = self.walk(head, 12, 1.5, 1.5)
        series = head.series(motions, noise=2.0)
        rng = np.random.default_rng(9)
        series[..., 3] = 0
        series[..., 5] = np.nan
        series[..., 8] = rng.normal(0, 5, head.shape)
        rows, found = self.motion_of(series, head.affine)
        good = np.setdiff1d(np.arange(12), [3, 5, 8])
        self.assertEqual(list(np.flatnonzero(rows[:, HAS_CONVERGED] == 0)), [3, 5, 8])
        self.assertLess(head.displacement_errors(found, motions)[good].mean(), 0.06)
        self.assertTrue(np.isfinite(rows).all())

    def test_a_frame_that_is_not_found_stays_as_it_is(self):
        head = Head()
        motions = self.walk(head, 6, 1.5, 1.5)
        series = head.series(motions, noise=2.0)
        series[4, 5, 6, 2] = 1e20  # one voxel is enough
        series[..., 4] = np.nan
        rows, found = self.motion_of(series, head.affine)
        self.assertEqual(list(np.flatnonzero(rows[:, HAS_CONVERGED] == 0)), [2, 4])
        self.assertTrue((found[[2, 4]] == np.eye(4)).all(), found[[2, 4]])
        self.assertLess(head.displacement_errors(found, motions)[[0, 1, 3, 5]].mean(), 0.06)
        # Elsewhere it takes nothing away from what every frame shows.
        result = self.slabd.run("realign", np.asfortranarray(series), affine=head.affine, mask_outside=True, cval=-1.0)
        middle = tuple(slice(extent // 3, 2 * extent // 3) for extent in head.shape)
        self.assertTrue((result[..., [0, 1, 3, 5]][middle] != -1.0).all())

    def test_tiny_frames(self):
        rng = np.random.default_rng(1)
        for shape in ((2, 2, 2, 3), (17, 21, 3, 20), (3, 40, 2, 5)):
            rows, _ = self.motion_of(np.asfortranarray(rng.random(shape, np.float32)), np.diag([4.0, 4, 8, 1]))
            self.assertTrue(np.isfinite(rows).all())

    def test_an_empty_series(self):
        for value in (0, 7, np.nan):
            rows, _ = self.motion_of(np.asfortranarray(np.full((9, 9, 9, 4), value, np.float32)), np.eye(4))
            self.assertTrue(np.isfinite(rows).all())


class TheSeriesIsResampled(RealignCase):
    def test_as_its_own_matrices_say(self):
        head = Head()
        series = head.series(self.walk(head, 6, 2.0, 2.0), noise=1.0)
        for order in (1, 3):
            job = self.slabd.submit("realign", series, affine=head.affine, order=str(order))
            rows = np.array(job.wait(120)["result"]["motion"])
            result = np.array(self.slabd.attach(job.id))
            job.drop()
            self.assertEqual(result.shape, series.shape)
            for k in range(series.shape[-1]):
                motion = np.vstack([rows[k, MATRIX].reshape(3, 4), [0, 0, 0, 1]])
                pull_back = np.linalg.inv(head.affine) @ np.linalg.inv(motion) @ head.affine
                coordinates = oracle.input_coordinates(pull_back, head.shape)
                sure = ~oracle.is_a_jump(coordinates, head.shape, order, "constant")
                expected = oracle.transformed(series[..., k], pull_back, order=order, mode="constant", cval=0.0)
                self.assertLess(np.abs(result[..., k] - expected)[sure].max(), 1e-3)
            self.assertTrue(np.allclose(result[..., 0], series[..., 0], atol=1e-4))

    def test_whatever_images_are_given_beside_it(self):
        head = Head()
        series = head.series(self.walk(head, 4, 2.0, 2.0), noise=1.0)
        first = np.asfortranarray(series[..., 0])
        images = {"mask": (first > 20).astype(np.float32, order="F"), "reference": first}
        for names in (["mask"], ["reference"], ["reference", "mask"]):
            with self.subTest(names):
                job = self.slabd.submit("realign", series, affine=head.affine, **{name: images[name] for name in names})
                rows = np.array(job.wait(120)["result"]["motion"])
                result = np.array(self.slabd.attach(job.id))
                job.drop()
                resliced = self.slabd.run("reslice", series, transforms=rows[:, MATRIX], affine=head.affine)
                self.assertTrue(np.allclose(result, resliced, atol=1e-3), np.abs(result - resliced).max())

    def test_the_estimate_is_a_table_that_reslice_takes(self):
        head = Head()
        series = head.series(self.walk(head, 5, 2.0, 2.0), noise=1.0)
        job = self.slabd.submit("realign", series, affine=head.affine, estimate_only=True)
        job.wait(120)
        matrices = np.array(self.slabd.attach(job.id))
        job.drop()
        self.assertEqual(matrices.shape, (5, 4, 4))
        self.assertTrue((matrices[0] == np.eye(4)).all())
        resliced = self.slabd.run("reslice", series, transforms=matrices.reshape(5, 16), affine=head.affine)
        self.assertTrue(np.allclose(resliced, self.slabd.run("realign", series, affine=head.affine), atol=1e-3))


class WhatCannotBeRealigned(RealignCase):
    def test_is_refused_by_what_it_is(self):
        cases = {"one frame": np.zeros((9, 9, 9), np.float32, "F"),
                 "has one frame": np.zeros((9, 9, 9, 1), np.float32, "F"),
                 "1 voxel;": np.zeros((9, 1, 9, 4), np.float32, "F"),
                 "complex64": np.zeros((9, 9, 9, 4), np.complex64, "F"),
                 "interleaved": np.zeros((9, 9, 9, 4), np.float32, "C")}
        for words, series in cases.items():
            with self.assertRaisesRegex(Exception, words):
                self.slabd.run("realign", series)
        with self.assertRaisesRegex(Exception, "no reference frame 4"):
            self.slabd.run("realign", np.zeros((9, 9, 9, 4), np.float32, "F"), reference="4")

    def test_images_of_another_grid_and_choices_out_of_range(self):
        series = np.zeros((9, 8, 7, 4), np.float32, "F")
        image = lambda *shape, dtype=np.float32: np.zeros(shape, dtype, "F")  # noqa: E731
        cases = [({"mask": image(9, 8, 6)}, r"mask is of another grid.*\(9, 8, 6\).*\(9, 8, 7\)"),
                 ({"reference": image(7, 8, 9)}, "reference is of another grid"),
                 ({"mask": image(9, 8, 7, dtype=np.complex64)}, "mask must hold real numbers"),
                 ({"mask": np.zeros((9, 0, 7))}, "empty"),
                 ({"mask": np.zeros((9, 8, 7))}, "memory orders"),
                 ({"mask": "input 2"}, "mask cannot be input 2"),
                 ({"mask": "first"}, "mask cannot be 'first'"),
                 ({"reference": "fist"}, "reference cannot be 'fist'.*first, middle, last, mean"),
                 ({"reference": "input 1"}, "reference cannot be input 1"),
                 ({"quality": 0}, "quality must be above 0"), ({"quality": 1.01}, "quality must be above 0"),
                 ({"quality": np.nan}, "quality must be above 0"), ({"smooth": -1}, "smooth must be"),
                 ({"smooth": 1e9}, "smooth must be"), ({"smooth": np.nan}, "smooth must be"),
                 ({"two_pass": "yes"}, "two_pass cannot be 'yes'")]
        for parameters, words in cases:
            with self.subTest(words), self.assertRaisesRegex(slab.UsageError, "(?s)" + words):
                self.slabd.run("realign", series, **parameters)
        with self.assertRaisesRegex(slab.UsageError, "takes 1 input"):
            self.slabd.run("realign", series, image(9, 8, 7))


if __name__ == "__main__":
    unittest.main()
