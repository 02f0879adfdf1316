"""The hanging file system of the tests does what the tests that use it believe."""

import errno
import os
import subprocess
import sys
import unittest

from hanging_fuse import HangingFuse, why_not_here


@unittest.skipIf(why_not_here(), why_not_here())
class HangingFuseItself(unittest.TestCase):
    def test_files_are_made_written_read_renamed_and_unlinked(self):
        with HangingFuse(size_bytes=5000) as mount:
            self.assertEqual(mount.data.stat().st_size, 5000)
            content = os.urandom(3_000_000)
            file = os.open(mount.path / "new", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            self.assertEqual(os.pwrite(file, content, 10), len(content))
            os.fsync(file)
            self.assertEqual(os.pread(file, len(content), 10), content)
            os.ftruncate(file, 1000)
            self.assertEqual(os.fstat(file).st_size, 1000)
            with self.assertRaises(FileExistsError):
                os.open(mount.path / "new", os.O_CREAT | os.O_EXCL | os.O_RDWR)
            os.rename(mount.path / "new", mount.path / "newer")
            self.assertEqual(sorted(os.listdir(mount.path)), ["data", "newer"])
            os.unlink(mount.path / "newer")
            self.assertEqual(os.listdir(mount.path), ["data"])
            self.assertEqual(os.pread(file, 5, 990), content[980:985])
            os.close(file)
            self.assertGreater(os.statvfs(mount.path).f_bavail * 4096, 1 << 39)

    def test_space_cannot_be_reserved_nor_a_nameless_file_made(self):
        with HangingFuse() as mount:
            # util-linux's program asks the kernel; os.posix_fallocate would write zeros instead.
            refused = subprocess.run(["fallocate", "-l", "10", mount.data], capture_output=True, text=True)
            self.assertIn(os.strerror(errno.EOPNOTSUPP), refused.stderr)
            with self.assertRaises(OSError) as refusal:
                os.open(mount.path, os.O_TMPFILE | os.O_RDWR)
            self.assertEqual(refusal.exception.errno, errno.EOPNOTSUPP)

    def start(self, script, path, **more):
        child = subprocess.Popen([sys.executable, "-B", "-c", script, path], **more)
        self.addCleanup(child.wait)
        return child

    def test_each_kind_of_request_hangs_alone_and_is_released(self):
        scripts = {
            "write": "import os, sys; os.write(os.open(sys.argv[1], os.O_WRONLY), b'x')",
            "read": "import os, sys; os.read(os.open(sys.argv[1], os.O_RDONLY), 1)",
            "flush": "import os, sys; os.close(os.open(sys.argv[1], os.O_RDONLY))",
            "fsync": "import os, sys; os.fsync(os.open(sys.argv[1], os.O_WRONLY))",
            "setattr": "import os, sys; os.truncate(sys.argv[1], 7)",
        }
        for request, script in scripts.items():
            with self.subTest(request), HangingFuse(hang={request}) as mount:
                child = self.start(script, mount.data)
                mount.wait_until_hung(request)
                self.assertIsNone(child.poll())
                mount.release()
                self.assertEqual(child.wait(), 0)

    def test_the_end_of_the_mount_frees_what_hangs(self):
        with HangingFuse(hang={"flush"}) as mount:
            child = self.start("import os, sys; os.close(os.open(sys.argv[1], os.O_RDONLY))", mount.data,
                               stderr=subprocess.DEVNULL)
            mount.wait_until_hung("flush")
        self.assertIsNotNone(child.wait())
        self.assertFalse(mount.path.exists())


if __name__ == "__main__":
    unittest.main()
