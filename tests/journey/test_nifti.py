"""NIfTI in and out: nibabel says what a file holds, before and after."""

import subprocess
import unittest

import nibabel as nib
import numpy as np

from nifti_oracle import DATA, OBLIQUE, REAL_FILES, rigid
from nifti_test_case import NiftiTestCase
from started_command import EXIT_DONE

DTYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16")


class Reading(NiftiTestCase):
    def test_every_type_in_both_byte_orders_and_versions(self):
        rng = np.random.default_rng(3)
        for kind in (nib.Nifti1Image, nib.Nifti2Image):
            for dtype in DTYPES:
                for order in "<>":
                    with self.subTest(kind=kind.__name__, dtype=dtype, order=order):
                        array = (rng.random((5, 6, 7)) * 100).astype(dtype)
                        image = kind(array, np.eye(4), header=kind.header_class(endianness=order), dtype=array.dtype)
                        path = self.directory / "in.nii"
                        nib.save(image, path)

                        result = self.run_slab("minimum" if array.dtype.kind != "c" else "zoom", path,
                                               *(("--size", 1) if array.dtype.kind != "c" else ("--factor", 1)))

                        self.assertEqual(type(result), kind)
                        self.assertEqual(result.get_data_dtype(), array.dtype)
                        np.testing.assert_array_equal(np.asarray(result.dataobj), array)

    def test_axes_are_counted_as_nibabel_counts_them(self):
        array = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)

        result = self.run_slab("zoom", self.save("in.nii", array, np.eye(4)), "--factor", "1,2,3", "--order", 0,
                               "--convention", "floor")

        np.testing.assert_array_equal(np.asarray(result.dataobj), array.repeat(2, 1).repeat(3, 2))

    def test_odd_offsets_and_extensions(self):
        array = np.random.default_rng(5).random((7, 8, 9))
        path = self.save("in.nii", array, np.eye(4))
        content = path.read_bytes()
        for offset in (353, 355, 360, 4097):
            with self.subTest(offset=offset):
                head = bytearray(content[:352])
                head[108:112] = np.float32(offset).tobytes()
                path.write_bytes(bytes(head) + b"\0" * (offset - 352) + array.tobytes(order="F"))
                np.testing.assert_array_equal(np.asarray(nib.load(path).dataobj), array)

                result = self.run_slab("minimum", path, "--size", 1)

                np.testing.assert_array_equal(np.asarray(result.dataobj), array)

    def test_raw_options_still_read_the_voxels_of_any_file(self):
        array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
        path = self.save("in.nii", array, np.eye(4))
        out = self.directory / "out.npy"

        self.assert_exit(self.daemon.slab("run", "minimum", path, "--size", 1, "-o", out, "--input-dtype", "int16",
                                          "--input-shape", "3,4,5", "--input-order", "F", "--input-offset", 352),
                         EXIT_DONE)

        np.testing.assert_array_equal(np.load(out), array)

    def test_more_than_five_axes_where_the_others_have_one_element(self):
        array = np.arange(120, dtype=np.int16).reshape(2, 3, 4, 1, 1, 5)

        result = self.run_slab("minimum", self.save("in.nii", array, np.eye(4)), "--size", 1)

        self.assertEqual(result.shape, array.shape)
        np.testing.assert_array_equal(np.asarray(result.dataobj), array)


class RealFiles(NiftiTestCase):
    def test_they_load_and_go_back_without_a_loss(self):
        for name in REAL_FILES:
            with self.subTest(name):
                before = nib.load(DATA / name)
                result = self.run_slab("zoom", DATA / name, "--factor", 1)

                np.testing.assert_array_equal(np.asarray(result.dataobj), np.asarray(before.dataobj))
                self.assertEqual(result.get_data_dtype(), before.get_data_dtype().newbyteorder("="))
                for field in before.header:
                    if field != "vox_offset":
                        np.testing.assert_array_equal(result.header[field], before.header[field], field)
                np.testing.assert_array_equal(result.affine, before.affine)

    def test_they_go_through_zoom(self):
        for name in REAL_FILES:
            with self.subTest(name):
                before = nib.load(DATA / name)
                factors = (2, 1.5, 2, 1)[:len(before.shape)]

                result = self.run_slab("zoom", DATA / name, "--factor", ",".join(map(str, factors)), "--order", 1,
                                       "--convention", "scipy-grid", "--mode", "nearest")

                self.assertEqual(result.shape, tuple(int(np.round(n * f)) for n, f in zip(before.shape, factors)))
                self.assertEqual(result.header.get_xyzt_units(), before.header.get_xyzt_units())
                scale = np.array(before.shape[:3]) / np.array(result.shape[:3])
                expected = np.array(before.affine)
                expected[:3, 3] += before.affine[:3, :3] @ (0.5 * scale - 0.5)
                expected[:3, :3] *= scale
                np.testing.assert_allclose(result.affine, expected, rtol=1e-5, atol=1e-4)
                np.testing.assert_allclose(result.header.get_zooms()[:3], before.header.get_zooms()[:3] * scale,
                                           rtol=1e-6)
                np.testing.assert_allclose(result.header.get_qform(), expected, rtol=1e-5, atol=1e-4)
                self.assertEqual(result.header.get_zooms()[3:], before.header.get_zooms()[3:])
                self.assertEqual(result.header["descrip"], before.header["descrip"])


class Writing(NiftiTestCase):
    def test_an_array_that_is_no_nifti_gets_a_plain_header(self):
        array = np.asfortranarray(np.random.default_rng(1).random((6, 7, 8)).astype(np.float32))
        np.save(self.directory / "in.npy", array)

        result = self.run_slab("minimum", self.directory / "in.npy", "--size", 1)

        np.testing.assert_array_equal(np.asarray(result.dataobj), array)
        self.assertEqual((result.header["sform_code"], result.header["qform_code"]), (0, 0))
        self.assertEqual(result.header.get_zooms(), (1, 1, 1))

    def test_an_array_in_c_order_is_refused_with_a_way_out(self):
        np.save(self.directory / "in.npy", np.zeros((4, 5, 6)))

        self.assert_turned_away("run", "minimum", self.directory / "in.npy", "--size", 1, "-o",
                                self.directory / "out.nii", because="C order", remedy="asfortranarray")
        self.assertFalse((self.directory / "out.nii").exists())

    def test_bool_becomes_uint8(self):
        path = self.save("in.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))

        result = self.run_slab("map", path, "--expr", "a > 30")

        self.assertEqual(result.get_data_dtype(), np.uint8)
        np.testing.assert_array_equal(np.asarray(result.dataobj), np.arange(60).reshape(3, 4, 5) > 30)

    def test_an_axis_beyond_32767_makes_nifti_2(self):
        path = self.save("in.nii", np.ones((2, 2, 20000), np.uint8), rigid((1, 1, 2)))

        result = self.run_slab("zoom", path, "--factor", "1,1,2", "--convention", "floor")

        self.assertIsInstance(result, nib.Nifti2Image)
        self.assertEqual(result.shape, (2, 2, 40000))
        self.assertTrue(np.asarray(result.dataobj).all())
        np.testing.assert_allclose(result.header.get_zooms(), (1, 1, 1), rtol=1e-6)

    def test_extensions_are_kept(self):
        for count, size in ((1, 10), (3, 5000), (1, 200_000)):
            with self.subTest(count=count, size=size):
                image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
                texts = [bytes([97 + i]) * size for i in range(count)]
                image.header.extensions.extend(nib.nifti1.Nifti1Extension("comment", text) for text in texts)
                path = self.directory / "in.nii"
                nib.save(image, path)

                result = self.run_slab("minimum", path, "--size", 1)

                self.assertEqual([extension.get_content() for extension in result.header.extensions], texts)
                np.testing.assert_array_equal(np.asarray(result.dataobj), np.asarray(image.dataobj))

    def test_what_numbers_stand_for_is_kept_only_where_they_move(self):
        image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
        image.header.set_intent("label", (), "atlas")
        path = self.directory / "in.nii"
        nib.save(image, path)

        moved = self.run_slab("zoom", path, "--factor", 2, "--convention", "floor")
        mixed = self.run_slab("zoom", path, "--factor", 2, "--order", 1)

        self.assertEqual(moved.header.get_intent()[0], "label")
        self.assertEqual(mixed.header.get_intent()[0], "none")

    def test_to_a_pipe_and_from_what_is_kept(self):
        path = self.save("in.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5), OBLIQUE)
        command = self.daemon.command("run", "zoom", path, "--factor", 2, "--convention", "floor", "-o", "-",
                                      "--output-format", "nii")
        piped = subprocess.run(command, env={"SLABD_SOCKET": self.daemon.socket}, capture_output=True, timeout=60)
        job = self.daemon.slab("run", "zoom", path, "--factor", 2, "--convention", "floor", "--keep", "--json").json()["id"]
        fetched = self.directory / "fetched.nii"

        self.assert_exit(self.daemon.slab("fetch", job, "-o", fetched), EXIT_DONE)

        expected = self.run_slab("zoom", path, "--factor", 2, "--convention", "floor")
        self.assertEqual(piped.returncode, EXIT_DONE, piped.stderr)
        self.assertEqual(piped.stdout, (self.directory / "out.nii").read_bytes())
        np.testing.assert_array_equal(nib.load(fetched).affine, expected.affine)
        np.testing.assert_array_equal(np.asarray(nib.load(fetched).dataobj), np.asarray(expected.dataobj))

    def test_a_submitted_job_writes_nifti_too(self):
        path = self.save("in.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5), OBLIQUE)
        out = self.directory / "submitted.nii"

        submitted = self.daemon.slab("submit", "minimum", path, "--size", 1, "-o", out)
        self.assert_exit(self.daemon.slab("wait", submitted.out.strip()), EXIT_DONE)

        np.testing.assert_array_equal(np.asarray(nib.load(out).dataobj), np.asarray(nib.load(path).dataobj))
        np.testing.assert_allclose(nib.load(out).affine, OBLIQUE, rtol=1e-6)


class Large(NiftiTestCase):
    def test_more_than_2_to_the_31_voxels(self):
        header = nib.Nifti2Header()
        header.set_data_dtype(np.uint8)
        header.set_data_shape((1300, 1300, 1300))
        header["vox_offset"] = 4096
        header["magic"] = b"n+2\0\r\n\x1a\n"
        path = self.directory / "in.nii"
        with path.open("wb") as file:  # sparse
            file.write(header.binaryblock)
            file.truncate(4096 + 1300**3)
            file.seek(4096 + 1300**3 - 1)
            file.write(b"\7")

        result = self.run_slab("zoom", path, "--shape", "13,13,1300", "--convention", "floor")
        count = self.daemon.slab("run", "fold", path, "--reduce", "sum")

        self.assertEqual(result.shape, (13, 13, 1300))
        self.assertEqual(count.out.strip(), "7")


if __name__ == "__main__":
    unittest.main()
