"""Numbers that a NIfTI file stores with a slope and an intercept."""

import unittest

import nibabel as nib
import numpy as np

from nifti_oracle import DATA, OBLIQUE, real_values
from nifti_test_case import NiftiTestCase
from started_command import EXIT_DONE

DTYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16")


class Scaling(NiftiTestCase):
    def scaled(self, dtype, slope, inter, name="in.nii"):
        stored = (np.random.default_rng(4).random((9, 10, 11)) * 100).astype(dtype)
        path = self.save(name, stored, OBLIQUE)
        content = bytearray(path.read_bytes())
        content[112:120] = np.array([slope, inter], "<f4").tobytes()
        path.write_bytes(content)
        return path

    def test_kernels_see_what_is_meant(self):
        for dtype in DTYPES:
            with self.subTest(dtype=dtype):
                path = self.scaled(dtype, 0.0754, 3100.75)
                meant = (np.asarray(nib.load(path).dataobj) if dtype[0] == "c" else real_values(path))

                result = self.run_slab("map", path, "--expr", "a")
                total = self.daemon.slab("run", "fold", path, "--reduce", "sum", "--expr", "a" if dtype[0] != "c" else "real(a)")

                wide = dtype in ("i4", "u4", "i8", "u8", "f8", "c16")
                np.testing.assert_allclose(np.asarray(result.dataobj), meant, rtol=1e-15 if wide else 2e-7)
                self.assertEqual(result.get_data_dtype(), {"c8": "c8", "c16": "c16"}.get(dtype, "f8" if wide else "f4"))
                self.assertIn(float(np.nan_to_num(result.header["scl_slope"], nan=1)), (0, 1))
                np.testing.assert_allclose(float(total.out), meant.real.sum(), rtol=1e-6)

    def test_slopes_that_scale_nothing(self):
        for slope, inter in ((0, 5), (np.nan, 5), (np.inf, 0), (1, 0)):
            with self.subTest(slope=slope, inter=inter):
                result = self.run_slab("map", self.scaled("i2", slope, inter), "--expr", "a")

                self.assertEqual(result.get_data_dtype(), np.int16)

    def test_elements_that_only_move_stay_as_they_are_stored(self):
        path = self.scaled("i2", 0.5, 10)

        result = self.run_slab("zoom", path, "--factor", 2, "--convention", "floor")
        array = self.directory / "out.npy"
        self.assert_exit(self.daemon.slab("run", "zoom", path, "--factor", 2, "--convention", "floor", "-o", array), EXIT_DONE)

        self.assertEqual(result.get_data_dtype(), np.int16)
        expected = real_values(path).repeat(2, 0).repeat(2, 1).repeat(2, 2)
        np.testing.assert_array_equal(result.get_fdata(), expected)
        np.testing.assert_array_equal(np.load(array), expected)

    def test_real_scaled_data_goes_through_a_filter(self):
        from scipy import ndimage
        before = nib.load(DATA / "functional.nii")

        result = self.run_slab("gaussian", DATA / "functional.nii", "--sigma", "1,1,0,0")

        np.testing.assert_allclose(result.get_fdata(), ndimage.gaussian_filter(before.get_fdata(), (1, 1, 0, 0)), rtol=1e-5)
        np.testing.assert_array_equal(result.affine, before.affine)
        self.assertEqual(result.get_data_dtype(), np.float32)

    def test_each_input_of_a_pipeline_is_scaled_by_its_own(self):
        a, b = self.scaled("i2", 0.5, 10, "a.nii"), self.scaled("u1", 2, -3, "b.nii")
        job = self.directory / "job.toml"
        job.write_text('[[step]]\nname = "scale input 1"\nkernel = "map"\nparameters = { expr = "a - b" }\n'
                       '[[step]]\nkernel = "map"\nparameters = { expr = "a * b" }\n'
                       'inputs = ["scale input 1", "input 2"]\n')

        result = self.run_slab(job, a, b)

        np.testing.assert_allclose(result.get_fdata(), (real_values(a) - real_values(b)) * real_values(b), rtol=1e-5, atol=1e-4)


if __name__ == "__main__":
    unittest.main()
