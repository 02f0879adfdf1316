"""Files packed with gzip, as any reader of gzip and nibabel see them."""

import gzip
import io
import re
import subprocess
import unittest
import zlib

import nibabel as nib
import numpy as np

from build_tree import SLAB
from nifti_oracle import OBLIQUE
from nifti_test_case import NiftiTestCase
from started_command import EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, EXIT_USAGE


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


if __name__ == "__main__":
    unittest.main()
