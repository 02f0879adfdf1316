"""A daemon, and NIfTI files to give it."""

import nibabel as nib

from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_USAGE


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
