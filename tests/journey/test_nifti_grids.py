"""Where a NIfTI file says that its voxels lie, through every kernel that moves them."""

import unittest

import nibabel as nib
import numpy as np

from nifti_oracle import OBLIQUE, blob, rigid, world_of_mass
from nifti_test_case import NiftiTestCase


class Grids(NiftiTestCase):
    def setUp(self):
        super().setUp()
        self.shape = (30, 28, 26)
        self.blob = blob(self.shape, (14, 12, 13))

    def assert_stays(self, result, affine, tolerance):
        expected = nib.affines.apply_affine(affine, (14, 12, 13))
        np.testing.assert_allclose(world_of_mass(result), expected, atol=tolerance)
        np.testing.assert_allclose(result.header.get_zooms()[:3], nib.affines.voxel_sizes(result.affine), rtol=1e-5)

    def test_a_feature_stays_where_it_is_whatever_the_convention(self):
        for affine in (rigid((2, 2, 3)), rigid((1, 2, 3), flipped=True), OBLIQUE):
            path = self.save("in.nii", self.blob, affine)
            for options in (("--factor", 2), ("--factor", "0.8,1.7,1.2"), ("--factor", 2, "--order", 1),
                            ("--factor", "2,2,0.5", "--convention", "scipy-grid", "--mode", "nearest"),
                            ("--shape", "45,50,40", "--order", 0, "--convention", "scipy-grid"),
                            ("--factor", 3, "--convention", "round"), ("--factor", 0.5, "--convention", "floor"),
                            ("--factor", 2, "--convention", "floor"), ("--factor", 1.5, "--convention", "floor")):
                with self.subTest(options=options):
                    result = self.run_slab("zoom", path, *options)

                    # Of ties between two elements scipy-grid takes the upper one: up to a sixth of a voxel on average.
                    self.assert_stays(result, affine, 0.6 if "--shape" in options else 0.12)

    def test_affine_takes_the_world_along(self):
        affine = rigid((2, 2, 3))
        path = self.save("in.nii", self.blob, affine)
        matrix = "0.9,0.2,0,-1;-0.15,0.8,0.1,3;0,0.1,1.1,-2"

        result = self.run_slab("affine", path, "--matrix", matrix, "--shape", "40,40,34")

        rows = np.array([[float(number) for number in row.split(",")] for row in matrix.split(";")])
        np.testing.assert_allclose(result.affine, affine @ np.vstack([rows, [0, 0, 0, 1]]), atol=1e-5)
        self.assertEqual((result.header["sform_code"], result.header["qform_code"]), (2, 0))
        self.assert_stays(result, affine, 0.05)

    def test_filters_keep_the_header(self):
        path = self.save("in.nii", self.blob, OBLIQUE, descrip=b"my scan", xyzt_units=10)

        result = self.run_slab("gaussian", path, "--sigma", 1)

        np.testing.assert_array_equal(result.affine, nib.load(path).affine)
        self.assertEqual(result.header["descrip"], b"my scan")

    def test_a_fold_over_time_keeps_space_and_one_over_space_the_rest(self):
        series = np.stack([self.blob * (1 + i) for i in range(4)], axis=-1)
        affine = rigid((2, 2, 3))
        path = self.save("in.nii", series, affine, pixdim=[1, 2, 2, 3, 2.5, 0, 0, 0])

        mean = self.run_slab("fold", path, "--reduce", "mean", "--axis", 3)
        projection = self.run_slab("fold", path, "--reduce", "mean", "--axis", 2, output="projection.nii")

        np.testing.assert_allclose(np.asarray(mean.dataobj), series.mean(-1), rtol=1e-5)
        np.testing.assert_allclose(mean.affine, affine, atol=1e-5)
        self.assertEqual(projection.shape, (30, 28, 4))
        self.assertEqual((projection.header["sform_code"], projection.header["qform_code"]), (0, 0))

    def test_time_is_scaled_by_its_own_factor(self):
        series = np.stack([self.blob] * 6, axis=-1)
        path = self.save("in.nii", series, np.eye(4), xyzt_units=10, pixdim=[1, 1, 1, 1, 2.5, 0, 0, 0])

        result = self.run_slab("zoom", path, "--factor", "1,1,1,2", "--order", 0, "--convention", "floor")

        self.assertEqual(result.header.get_zooms()[3], 1.25)
        self.assertEqual(result.header.get_xyzt_units(), ("mm", "sec"))

    def test_pipelines_compose_their_grids(self):
        affine = rigid((2, 2, 3))
        path = self.save("in.nii", self.blob, affine)
        job = self.directory / "job.toml"
        job.write_text('[[step]]\nkernel = "gaussian"\nparameters = { sigma = 1 }\n'
                       '[[step]]\nkernel = "zoom"\nparameters = { factor = 2 }\n'
                       '[[step]]\nkernel = "affine"\nparameters = { matrix = [[1, 0, 0, 4], [0, 1, 0, -3], [0, 0, 1, 2]] }\n')

        result = self.run_slab(job, path)

        self.assert_stays(result, affine, 0.05)

    def test_the_plan_tells_the_grid(self):
        path = self.save("in.nii", self.blob, np.eye(4))

        plan = self.plan("zoom", path, "--shape", "59,28,26")

        self.assertEqual(plan["grid"], {"input": 0, "matrix": [[0.5, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]})
        self.assertEqual(self.plan("fft", path, "--axes", "2")["grid"]["matrix"], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
        square = self.save("square.nii", np.ones((5, 5), np.float32), np.eye(4))
        self.assertIsNone(self.plan("matmul", square, square)["grid"])

    def test_a_file_without_a_world_stays_one(self):
        path = self.save("in.nii", self.blob, None, sform_code=0, qform_code=0, pixdim=[1, 2, 2, 4, 1, 1, 1, 1])

        result = self.run_slab("zoom", path, "--factor", 2, "--convention", "floor")

        self.assertEqual((result.header["sform_code"], result.header["qform_code"]), (0, 0))
        np.testing.assert_array_equal(result.header.get_zooms(), (1, 1, 2))

    def test_reslice_takes_the_worlds_millimetres_from_the_file(self):
        affine = rigid((2, 2, 3))
        path = self.save("in.nii", self.blob[..., None], affine)
        (self.directory / "rp.txt").write_text("3 -2 1.5 0.03 -0.02 0.05\n")
        np.savetxt(self.directory / "affine.txt", nib.load(path).affine, fmt="%.17g")
        motion = ("--transforms", self.directory / "rp.txt", "--convention", "spm")

        told = self.run_slab("reslice", path, *motion, "--affine", self.directory / "affine.txt")
        found = self.run_slab("reslice", path, *motion, output="found.nii")

        np.testing.assert_array_equal(np.asarray(found.dataobj), np.asarray(told.dataobj))
        np.testing.assert_array_equal(found.affine, nib.load(path).affine)

    def test_flat_and_sheared_affines_are_carried_and_refused_only_for_millimetres(self):
        flat = np.diag([2.0, 2, 0, 1])
        path = self.save("in.nii", self.blob[..., None], np.eye(4), sform_code=1, qform_code=0)
        content = bytearray(path.read_bytes())
        content[280:328] = flat[:3].astype("<f4").tobytes()
        path.write_bytes(content)
        (self.directory / "rp.txt").write_text("3 -2 1.5 0.03 -0.02 0.05\n")

        smooth = self.run_slab("gaussian", path, "--sigma", "1,1,1,0")

        np.testing.assert_array_equal(smooth.header.get_sform(), flat)
        self.assert_turned_away("run", "reslice", path, "-o", self.directory / "no.nii", "--transforms",
                                self.directory / "rp.txt", "--convention", "spm", what="singular", remedy="voxel_size")


if __name__ == "__main__":
    unittest.main()
