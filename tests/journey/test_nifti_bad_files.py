"""NIfTI files that cannot be read are refused, each for its reason."""

import unittest

import nibabel as nib
import numpy as np

from nifti_test_case import NiftiTestCase


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


if __name__ == "__main__":
    unittest.main()
