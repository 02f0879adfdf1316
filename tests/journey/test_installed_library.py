"""A foreign C++ project finds the installed libslab and attaches to a result: the README's ten lines, compiled."""

import os
import pathlib
import re
import subprocess
import unittest

import numpy as np

from slab_harness import DaemonTestCase

BUILD = pathlib.Path(os.environ.get("SLABD_BUILD", pathlib.Path(__file__).parents[2] / "build"))
README = pathlib.Path(__file__).parents[2] / "README.md"

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(foreign LANGUAGES CXX)
find_package(slab REQUIRED)
add_executable(foreign main.cpp)
target_link_libraries(foreign PRIVATE slab::slab)
"""


def readme_program(job):
    """The C++ block of the README, with the job's id in it."""
    block = re.search(r"```cpp\n(.*?)```", README.read_text(), re.DOTALL).group(1)
    return block.replace("attach(8)", f"attach({job})")


@unittest.skipIf("SLABD_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text(),
                 "a library with sanitizers links into none but sanitized programs")
class InstalledLibrary(DaemonTestCase):
    def run_tool(self, *command):
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=240)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_the_readmes_program_attaches_to_a_kept_result(self):
        daemon = self.start_daemon()
        connection = daemon.connect()
        job = connection.submit("outer", np.arange(10.0), np.arange(20.0))
        job.wait()
        prefix, project = self.directory / "prefix", self.directory / "project"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(PROJECT)
        (project / "main.cpp").write_text(readme_program(job.id))

        # The library alone: the whole install is what the systemd tests boot.
        self.run_tool("cmake", "-DCMAKE_INSTALL_PREFIX=" + str(prefix), "-P", BUILD / "client" / "cmake_install.cmake")
        self.run_tool("cmake", "-G", "Ninja", "-S", project, "-B", project / "build", "-DCMAKE_PREFIX_PATH=" + str(prefix))
        self.run_tool("cmake", "--build", project / "build")
        program = subprocess.run([project / "build" / "foreign"], capture_output=True, text=True, timeout=60,
                                 env={**os.environ, "SLABD_SOCKET": str(daemon.socket)})

        self.assertEqual(program.returncode, 0, program.stderr)
        self.assertIn("1600 bytes at 0x", program.stdout)


if __name__ == "__main__":
    unittest.main()
