"""A foreign C++ project finds the installed libslab, attaches to a result and fills tiles: the README's programs, compiled."""

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
foreach(name foreign guests)
  add_executable(${name} ${name}.cpp)
  target_link_libraries(${name} PRIVATE slab::slab)
endforeach()
"""


def readme_programs(job):
    """The C++ blocks of the README, with the job's id in the first."""
    attaching, filling = re.findall(r"```cpp\n(.*?)```", README.read_text(), re.DOTALL)
    return attaching.replace("attach(8)", f"attach({job})"), filling


@unittest.skipIf("SLABD_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text(),
                 "a library with sanitizers links into none but sanitized programs")
class InstalledLibrary(DaemonTestCase):
    def run_tool(self, *command):
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=240)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_the_readmes_programs_attach_to_a_kept_result_and_fill_tiles(self):
        daemon = self.start_daemon()
        connection = daemon.connect()
        job = connection.submit("outer", np.arange(10.0), np.arange(20.0))
        job.wait()
        prefix, project = self.directory / "prefix", self.directory / "project"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(PROJECT)
        attaching, filling = readme_programs(job.id)
        (project / "foreign.cpp").write_text(attaching)
        (project / "guests.cpp").write_text(filling)

        # The library alone: the whole install is what the systemd tests boot.
        self.run_tool("cmake", "-DCMAKE_INSTALL_PREFIX=" + str(prefix), "-P", BUILD / "client" / "cmake_install.cmake")
        self.run_tool("cmake", "-G", "Ninja", "-S", project, "-B", project / "build", "-DCMAKE_PREFIX_PATH=" + str(prefix))
        self.run_tool("cmake", "--build", project / "build")
        programs = [subprocess.run([project / "build" / name], capture_output=True, text=True, timeout=60,
                                   env={**os.environ, "SLABD_SOCKET": str(daemon.socket)})
                    for name in ("foreign", "guests")]

        self.assertEqual([program.returncode for program in programs], [0, 0], programs)
        self.assertIn("1600 bytes at 0x", programs[0].stdout)
        self.assertEqual(programs[1].stdout, "0 1498\n")
        self.assertEqual(connection.jobs(all=True)[-1]["kernel"], "sum")


if __name__ == "__main__":
    unittest.main()
