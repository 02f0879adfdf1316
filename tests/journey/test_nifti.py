"""NIfTI in and out: nibabel says what a file holds, before and after."""

import gzip
import io
import re
import subprocess
import unittest
import zlib

import nibabel as nib
import numpy as np

from nifti_oracle import DATA, OBLIQUE, REAL_FILES, blob, real_values, rigid, world_of_mass
from slab_harness import EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, EXIT_USAGE, SLAB, DaemonTestCase

DTYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16")


class NiftiTestCase(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon()

    def save(self, name, array, affine=None, kind=nib.Nifti1Image, **header):
        image = kind(array, affine, dtype=array.dtype)
        for field, value in header.items():
            image.header[field] = value
        path = self.directory / name
        nib.save(image, path)
        return path

    def run_slab(self, *arguments, output="out.nii"):
        path = self.directory / output
        self.assert_exit(self.daemon.slab("run", *arguments, "-o", path, "--overwrite"), EXIT_DONE)
        return nib.load(path)

    def plan(self, *arguments):
        command = self.daemon.slab("run", *arguments, "--plan", "--json", "-o", self.directory / "planned.nii")
        self.assert_exit(command, EXIT_DONE)
        return command.json()

    def assert_turned_away(self, *arguments, what=None, because=None, remedy=None, code=EXIT_USAGE):
        command = self.daemon.slab(*arguments)
        self.assert_exit(command, code)
        lines = command.err.splitlines()
        for start, pattern in (("error:", what), ("because:", because), ("try:", remedy)):
            if pattern is not None:
                self.assertRegex("\n".join(line for line in lines if line.startswith(start)), pattern, command.err)


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


class Packing(NiftiTestCase):
    def packed(self, array, *arguments, name="out.nii.gz", affine=OBLIQUE):
        self.run_slab(*(arguments or ("minimum", self.save("in.nii", array, affine), "--size", 1)), output=name)
        return self.directory / name

    def test_every_reader_of_gzip_reads_it(self):
        array = np.random.default_rng(2).integers(0, 9, (100, 120, 150), np.int16)

        path = self.packed(array)

        content = path.read_bytes()
        plain = gzip.decompress(content)
        self.assertGreater(content.count(b"\x1f\x8b\x08"), 3)  # members
        pieces, rest = [], content
        while rest:
            member = zlib.decompressobj(31)
            pieces.append(member.decompress(rest) + member.flush())
            rest = member.unused_data
        self.assertEqual(b"".join(pieces), plain)
        self.assertEqual(subprocess.run(["gzip", "-dc", path], capture_output=True, check=True).stdout, plain)
        self.assertLess(len(content), len(plain) / 2)
        np.testing.assert_array_equal(np.asarray(nib.load(path).dataobj), array)
        np.testing.assert_array_equal(nib.load(path).affine, nib.load(self.directory / "in.nii").affine)
        with gzip.open(path) as stream:  # from the middle, as nibabel's proxies do
            stream.seek(4096 + 2 * 100 * 120 * 70)
            self.assertEqual(stream.read(200), array[:100, 0, 70].tobytes())

    def test_what_cannot_be_packed_and_what_has_the_size_of_whole_blocks(self):
        for count in (1, (1 << 20) - 4096, (1 << 20) - 4095, (3 << 20) - 4096):
            with self.subTest(count=count):
                array = np.random.default_rng(count).integers(0, 255, (count, 1, 1), np.uint8)
                path = self.packed(array)
                np.testing.assert_array_equal(np.asarray(nib.load(path).dataobj), array)

    def test_npy_and_raw_are_packed_too(self):
        array = np.random.default_rng(2).random((20, 30, 40))
        np.save(self.directory / "in.npy", array)
        for name, read in (("out.npy.gz", lambda bytes: np.load(io.BytesIO(bytes))),
                           ("out.raw.gz", lambda bytes: np.frombuffer(bytes).reshape(array.shape))):
            with self.subTest(name):
                self.assert_exit(self.daemon.slab("run", "minimum", self.directory / "in.npy", "--size", 1, "-o",
                                                  self.directory / name), EXIT_DONE)

                np.testing.assert_array_equal(read(gzip.decompress((self.directory / name).read_bytes())), array)

    def test_to_a_pipe_and_by_fetch(self):
        path = self.save("in.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5), OBLIQUE)
        command = self.daemon.command("run", "minimum", path, "--size", 1, "-o", "-", "--output-format", "nii.gz")
        piped = subprocess.run(command, env={"SLABD_SOCKET": self.daemon.socket}, capture_output=True, timeout=60)
        job = self.daemon.slab("run", "minimum", path, "--size", 1, "--keep", "--json").json()["id"]
        fetched = self.directory / "fetched.nii.gz"

        self.assert_exit(self.daemon.slab("fetch", job, "-o", fetched), EXIT_DONE)

        self.assertEqual(piped.returncode, EXIT_DONE, piped.stderr)
        self.assertEqual(gzip.decompress(piped.stdout), gzip.decompress(fetched.read_bytes()))
        np.testing.assert_array_equal(np.asarray(nib.load(fetched).dataobj), np.asarray(nib.load(path).dataobj))

    def test_long_extensions_are_packed_too(self):
        image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 200_000))
        nib.save(image, self.directory / "in.nii")

        result = self.run_slab("minimum", self.directory / "in.nii", "--size", 1, output="out.nii.gz")

        self.assertEqual(result.header.extensions[0].get_content(), b"x" * 200_000)
        np.testing.assert_array_equal(np.asarray(result.dataobj), np.asarray(image.dataobj))

    def test_many_files_keep_their_format(self):
        arrays = {f"{i}.nii.gz": np.full((20, 30, 40 + i), i, np.int16) for i in range(5)}
        arrays["5.nii"] = np.full((3, 4, 5), 5, np.int16)
        (self.directory / "scans").mkdir()
        for name, array in arrays.items():
            self.save("scans/" + name, array, OBLIQUE)
        (self.directory / "scans/bad.nii.gz").write_bytes(b"no gzip")
        out = self.directory / "results"

        command = self.daemon.slab("run", "zoom", "--each", self.directory / "scans/*.nii*", "--out-dir", out, "--factor", 2,
                                   "--order", 1)

        self.assert_exit(command, EXIT_USAGE)
        self.assertIn("1 of 7 files failed", command.err)
        self.assertEqual(sorted(path.name for path in out.iterdir()), sorted(arrays))
        for name, array in arrays.items():
            result = nib.load(out / name)
            np.testing.assert_array_equal(np.asarray(result.dataobj), np.full(np.array(array.shape) * 2, array.flat[0]))
            self.assertLess(result.header.get_zooms()[0], 1.1)

    def test_a_full_sink_is_told_and_leaves_nothing(self):
        path = self.save("in.nii", np.random.default_rng(1).random((100, 100, 100)), OBLIQUE)
        command = [str(SLAB), "run", "minimum", str(path), "--size", "1", "-o", "-", "--output-format", "nii.gz"]
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command, env={"SLABD_SOCKET": self.daemon.socket}, stdout=full, stderr=subprocess.PIPE,
                                  timeout=60)

        self.assertEqual(done.returncode, EXIT_FAILED)
        self.assertIn(b"No space left", done.stderr)
        self.daemon.wait_until_nothing_is_held()

    def test_a_submitted_job_cannot_pack(self):
        path = self.save("in.nii", np.zeros((3, 4, 5), np.int16), np.eye(4))

        self.assert_turned_away("submit", "minimum", path, "--size", 1, "-o", self.directory / "out.nii.gz",
                                what="packed", remedy="slab run")

    def test_without_a_daemon(self):
        array = np.random.default_rng(2).integers(0, 9, (50, 60, 70), np.int16)
        path = self.save("in.nii", array, OBLIQUE)
        out = self.directory / "out.nii.gz"

        done = subprocess.run([str(SLAB), "run", "minimum", str(path), "--size", "1", "-o", str(out)],
                              env={"XDG_RUNTIME_DIR": str(self.directory), "SLABD_PROGRAM": str(SLAB.parent.parent / "daemon/slabd")},
                              capture_output=True, timeout=60)

        self.assertEqual(done.returncode, EXIT_DONE, done.stderr)
        np.testing.assert_array_equal(np.asarray(nib.load(out).dataobj), array)

    def test_a_truncated_file_tells_how_much_was_good(self):
        array = np.random.default_rng(7).integers(0, 30000, (60, 60, 60), np.int16)
        path = self.save("in.nii.gz", array, np.eye(4))
        path.write_bytes(path.read_bytes()[:-50_000])
        stream = zlib.decompressobj(31)
        good = len(stream.decompress(path.read_bytes()))

        command = self.daemon.slab("run", "minimum", path, "--size", 1, "-o", self.directory / "out.nii")

        self.assertIn(command.code, (EXIT_FAILED, EXIT_REFUSED, EXIT_USAGE))
        told = int(re.search(r"(\d+) bytes of its content are good", command.err)[1])
        self.assertLess(abs(told - good), 300)  # decoders keep back the last match, of 258 bytes at most
        self.assertFalse((self.directory / "out.nii").exists())


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


class BadFiles(NiftiTestCase):
    def damaged(self, at, replacement, name="bad.nii", kind=nib.Nifti1Image):
        path = self.save(name, np.zeros((3, 4, 5), np.int16), np.eye(4), kind=kind)
        content = bytearray(path.read_bytes())
        content[at:at + len(replacement)] = replacement
        path.write_bytes(content)
        return path

    def refused(self, path, **expected):
        self.assert_turned_away("run", "minimum", path, "--size", 1, "-o", self.directory / "out.nii", **expected)
        self.assertFalse((self.directory / "out.nii").exists())

    def test_types_that_slabd_has_not_are_refused_by_name(self):
        for code, name in ((128, "RGB"), (2304, "RGBA"), (1536, "float128"), (2048, "complex256"), (1, "single bits"),
                           (77, "77")):
            self.refused(self.damaged(70, np.int16(code).tobytes()), what=name)

    def test_pairs_and_older_formats(self):
        pair = nib.Nifti1Pair(np.zeros((3, 4, 5), np.int16), np.eye(4))
        nib.save(pair, self.directory / "pair.hdr")
        for name in ("pair.hdr", "pair.img"):
            self.refused(self.directory / name, what="pair", remedy="nibabel.save")
        self.refused(self.damaged(344, b"ni1\0"), what="pair")
        self.refused(self.damaged(344, b"\0\0\0\0"), what="no NIfTI file", because="ANALYZE")
        self.refused(self.damaged(8, b"\n", kind=nib.Nifti2Image), because="line ends")

    def test_headers_that_cannot_be(self):
        for at, replacement in ((40, np.int16(0)), (40, np.int16(8)), (40, np.int16(-3)), (42, np.int16(-1)), (44, np.int16(-7)),
                                (108, np.float32(np.nan)), (108, np.float32(np.inf)), (108, np.float32(1e30)),
                                (108, np.float32(-352)), (108, np.float32(100)), (108, np.float32(352.5)), (0, np.int32(349)),
                                (42, np.int16(32767))):
            with self.subTest(at=at, replacement=replacement):
                self.refused(self.damaged(at, replacement.tobytes()), what="bad.nii")

    def test_too_many_axes(self):
        path = self.save("bad.nii", np.zeros((2, 2, 2, 2, 2, 2), np.int16), np.eye(4))

        self.refused(path, what="6 dimensions", because="5")

    def test_files_that_are_cut_short(self):
        path = self.save("in.nii", np.zeros((3, 4, 5), np.int16), np.eye(4))
        for size in (0, 3, 100, 347, 351, 352, 471):
            with self.subTest(size=size):
                short = self.directory / "bad.nii"
                short.write_bytes(path.read_bytes()[:size])
                self.refused(short, what="cut short")


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
