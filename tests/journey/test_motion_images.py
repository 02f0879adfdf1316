"""The images beside an aligned series: its mean, the mask of what all frames have; and images that realign takes."""

import unittest

import nibabel as nib
import numpy as np

from motion_series import AFFINES, CONFOUNDS, SHAPE, MotionTestCase, rows_of
from started_command import EXIT_DONE, EXIT_USAGE


class Images(MotionTestCase):
    def setUp(self):
        super().setUp()
        self.series, _ = self.make_series(AFFINES["flipped and tilted"])

    def voxels(self, ending):
        return np.asarray(nib.load(self.path(ending)).dataobj)

    def assert_they_belong(self, ending):
        output = nib.load(self.path(ending))
        frames = np.asarray(output.dataobj)
        mean = nib.load(self.path("_mean" + ending))
        mask = nib.load(self.path("_mask" + ending))
        for image, dtype in ((mean, np.float32), (mask, np.uint8)):
            self.assertEqual((image.shape, image.get_data_dtype()), (SHAPE, dtype))
            np.testing.assert_array_equal(image.affine, output.affine)
            self.assertEqual(image.header.get_zooms(), output.header.get_zooms()[:3])
        np.testing.assert_allclose(np.asarray(mean.dataobj), frames.mean(axis=-1, dtype=float), rtol=1e-6, atol=1e-4)
        return frames, np.asarray(mask.dataobj)

    def test_the_mean_and_what_all_frames_have(self):
        for ending in (".nii", ".nii.gz"):
            self.realign(self.series, "--cval", "-1e6", "--overwrite", output="moco" + ending)  # what a frame lacks
            frames, mask = self.assert_they_belong(ending)
            np.testing.assert_array_equal(mask, (frames > -1e5).all(axis=-1))
            self.assertTrue(0 < mask.mean() < 1)

    def test_frames_that_did_not_converge_cost_the_mask_nothing(self):
        image = nib.load(self.series, mmap=False)
        frames = image.get_fdata(dtype=np.float32)
        frames[..., 4] = 0
        nib.save(nib.Nifti1Image(frames, image.affine), self.series)
        self.realign(self.series)
        _, mask = self.assert_they_belong(".nii")
        self.assertGreater(mask.mean(), 0.5)

    def test_npy_series_of_both_orders(self):
        frames = np.asfortranarray(nib.load(self.series).get_fdata(dtype=np.float32))
        np.save(self.directory / "f.npy", frames)
        np.save(self.directory / "c.npy", np.ascontiguousarray(np.moveaxis(frames, -1, 0)))
        for name, axis, batch in (("f", -1, "last"), ("c", 0, "first")):
            self.realign(self.directory / f"{name}.npy", "--voxel-size", "3,3,3.5", "--batch", batch, "--cval=-1e6",
                         output=f"{name}_moco.npy")
            output = np.load(self.directory / f"{name}_moco.npy")
            np.testing.assert_allclose(np.load(self.directory / f"{name}_moco_mean.npy"),
                                       output.mean(axis=axis, dtype=float), rtol=1e-6, atol=1e-3)
            np.testing.assert_array_equal(np.load(self.directory / f"{name}_moco_mask.npy"),
                                          (output > -1e5).all(axis=axis))

    def test_the_mean_is_a_reference_that_others_are_aligned_to(self):
        self.realign(self.series)
        again, *_ = self.realign(self.series, "--reference", self.path("_mean.nii"), "--mask", self.path("_mask.nii"),
                                 output="again.nii")
        first = rows_of(self.path(CONFOUNDS))[1]
        second = rows_of(self.directory / f"again{CONFOUNDS}")[1]
        np.testing.assert_allclose(np.array(second)[:, :6].astype(float), np.array(first)[:, :6].astype(float), atol=0.02)
        self.assertEqual(again["outcome"], "done")

    def test_the_terminal_tells_what_became_of_the_deviation(self):
        command = self.daemon.slab("run", "realign", self.series, "-o", self.path(".nii"), "--cval", "nan")
        self.assert_exit(command, EXIT_DONE)
        middle_slice = SHAPE[2] // 2
        before = nib.load(self.series).get_fdata()[:, :, middle_slice].std(axis=-1).mean()
        self.assertIn(f"deviation, middle slice     mean {before:.4g} before", command.out)

    def test_there_are_none_of_an_estimate_or_a_raw_output(self):
        self.realign(self.series, "--estimate-only", output="estimate.npy")
        self.realign(self.series, output="moco.raw")
        self.assertEqual([path.name for path in self.directory.glob("*_mean*")], [])

    def test_what_is_in_the_way_is_found_before_the_work(self):
        self.path("_mask.nii").write_text("mine")
        command = self.daemon.slab("run", "realign", self.series, "-o", self.path(".nii"))
        self.assert_exit(command, EXIT_USAGE)
        self.assertIn("moco_mask.nii", command.err)
        self.assertFalse(self.path(".nii").exists())
        self.assertEqual(self.path("_mask.nii").read_text(), "mine")

    def test_wrong_images_are_refused(self):
        image = nib.load(self.series)
        frame = np.asarray(image.dataobj)[..., 0]
        moved = image.affine.copy()
        moved[0, 3] += 0.2
        nib.save(nib.Nifti1Image(frame, moved), self.directory / "elsewhere.nii")
        nib.save(nib.Nifti1Image(frame[:-1], image.affine), self.directory / "small.nii")
        nib.save(nib.Nifti1Image(frame, image.affine), self.directory / "good.nii")
        for words, *options in (("lies elsewhere than the frames", "--mask", self.directory / "elsewhere.nii"),
                                ("of another grid", "--reference", self.directory / "small.nii"),
                                ("it is none of first, middle, last, mean", "--reference", "fist"),
                                ("Did you mean 'first'", "--reference", "fist"),
                                ("No such file", "--mask", self.directory / "nowhere.nii"),
                                ("no reference frame 99", "--reference", "99")):
            command = self.daemon.slab("run", "realign", self.series, "-o", self.path(".nii"), *options)
            self.assert_exit(command, EXIT_USAGE)
            self.assertIn(words, command.err)
        self.realign(self.series, "--mask", self.directory / "good.nii", "--reference=3")


if __name__ == "__main__":
    unittest.main()
