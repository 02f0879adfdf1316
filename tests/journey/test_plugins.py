"""Kernels of one's own: built outside of the tree as a user would, tried with `slab run --plugin`, loaded by a daemon."""

import inspect
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import numpy as np

import slab
from plugin_building import EXAMPLE, REPOSITORY, build_plugin
from build_tree import BUILD, SLAB, SLABD
from other_users import needs_root
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, start_command, start_python


def bilateral(image, sigma, range_sigma):
    """By numpy, from the definition: neighbours within ceil(2 sigma), as far as there are any."""
    image = image.astype(float)
    radius = int(np.ceil(2 * sigma))
    padded = np.pad(image, radius, constant_values=np.nan)
    total, weights = np.zeros(image.shape), np.zeros(image.shape)
    for offset in np.ndindex(*(2 * radius + 1,) * image.ndim):
        near = padded[tuple(slice(o, o + n) for o, n in zip(offset, image.shape))]
        distance = sum((o - radius) ** 2 for o in offset)
        weight = np.exp(-distance / (2 * sigma**2) - (near - image) ** 2 / (2 * range_sigma**2))
        total += np.where(np.isnan(near), 0, weight * near)
        weights += np.where(np.isnan(near), 0, weight)
    return total / weights


IMAGE = np.random.default_rng(7).normal(100, 20, (60, 80)).astype(np.float32)


class OfOnesOwn(DaemonTestCase):
    """Without a daemon."""

    environment = {"SLABD_PROGRAM": str(SLABD)}

    def run_tool(self, *command):
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=240)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def slab(self, *arguments):
        return start_command([SLAB, *arguments], environment=self.environment).finish()

    def build_example(self):
        """Installs what a user installs, and builds the example somewhere else with its own CMakeLists.txt."""
        prefix, project = self.directory / "prefix", self.directory / "project"
        self.run_tool("cmake", f"-DCMAKE_INSTALL_PREFIX={prefix}", "-P", BUILD / "client/cmake_install.cmake")
        shutil.copytree(EXAMPLE, project)
        self.run_tool("cmake", "-G", "Ninja", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
        self.run_tool("cmake", "--build", project / "build")
        library = project / "build/libimaging.so"
        library.chmod(0o755)
        return library

    def test_the_example_is_built_outside_of_the_tree_and_runs_as_a_built_in_kernel_does(self):
        library = self.build_example()
        np.save(self.directory / "in.npy", IMAGE)

        run = self.slab("run", "--plugin", library, "bilateral", self.directory / "in.npy", "-o",
                        self.directory / "out.npy", "--sigma", "1.5", "--range-sigma", 30, "--tile-bytes", "2KiB")
        listed = self.slab("kernels", "--plugin", library)
        told = self.slab("kernels", "bilateral", "--plugin", library)
        planned = self.slab("run", "--plugin", library, "block_mean", self.directory / "in.npy", "-o", "x.npy",
                            "--factor", "7,3", "--plan", "--json")

        self.assert_exit(run, EXIT_DONE)
        np.testing.assert_allclose(np.load(self.directory / "out.npy"), bilateral(IMAGE, 1.5, 30), rtol=1e-6)
        self.assertRegex(listed.out, r"bilateral +smooth, and keep edges .*\(libimaging.so\)")
        self.assertRegex(told.out, r"--range-sigma X\n.*\n?.*default 1")
        self.assertEqual(planned.json()["output"]["shape"], [9, 27])

    def test_the_examples_of_the_header_and_the_readme_compile_as_c_and_as_cpp(self):
        header = REPOSITORY / "common/plugin/slab_kernel.h"
        in_header = re.search(r"#include <slab_kernel.h>\n(.*?)SLAB_PLUGIN\(kernels\)\n", header.read_text(), re.DOTALL).group(0)
        in_header = "\n".join(line.removeprefix(" *").removeprefix("     ") for line in in_header.splitlines()) + "\n"
        in_readme = re.search(r"```c\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL).group(1)
        np.save(self.directory / "in.npy", IMAGE)
        for compiler, ending, program in [(["cc", "-std=c11"], "c", in_header), (["c++", "-std=c++20"], "cpp", in_readme)]:
            source, library = self.directory / f"power.{ending}", self.directory / f"power_{ending}.so"
            source.write_text(program)
            self.run_tool(*compiler, "-Wall", "-Werror", "-shared", "-fPIC", "-I", header.parent, source, "-o", library, "-lm")
            library.chmod(0o755)

            run = self.slab("run", "--plugin", library, "power", self.directory / "in.npy", "-o",
                            self.directory / "out.npy", "--overwrite", "--exponent", 3)

            self.assert_exit(run, EXIT_DONE)
            np.testing.assert_allclose(np.load(self.directory / "out.npy"), IMAGE.astype(float) ** 3, rtol=1e-6)

    def test_python_runs_it_too(self):
        library = build_plugin(self.directory / "sound.so")
        program = start_python(
            "import sys, numpy, slab\n"
            "a = numpy.arange(12.0).reshape(3, 4)\n"
            "print(slab.run('plug_line_sum', a, plugin=sys.argv[1]).tolist())\n"
            "print(slab.run('plug_flip', a, plugin=sys.argv[1])[0].tolist())\n"
            "print([k['plugin'] == sys.argv[1] for k in slab.kernels('plug_flip', plugin=sys.argv[1])])\n"
            "try:\n"
            "    slab.run('plug_flip', a, plugin='/nothing/here.so')\n"
            "except slab.Refused as error:\n"
            "    print(error.because)\n", str(library), environment=self.environment).finish()

        self.assertEqual(program.out.splitlines(),
                         ["[6.0, 22.0, 38.0]", "[8.0, 9.0, 10.0, 11.0]", "[True]", "No such file or directory"],
                         program.err)

    def test_a_refused_plugin_is_the_commands_error(self):
        library = build_plugin(self.directory / "faulty.so", "faulty.c", "NO_TABLE")

        np.save(self.directory / "in.npy", IMAGE)

        command = self.slab("run", "--plugin", library, "faulty", self.directory / "in.npy", "-o",
                            self.directory / "out.npy")

        self.assert_exit(command, EXIT_REFUSED)
        self.assertIn(f"error: the plug-in {library} is refused\n"
                      "because: it has no symbol slab_plugin_table\n"
                      "try: Write SLAB_PLUGIN(kernels) once in it", command.err)

    def test_a_running_daemon_is_given_no_plugin(self):
        library = build_plugin(self.directory / "sound.so")
        np.save(self.directory / "in.npy", IMAGE)
        daemon = self.start_daemon()

        for arguments in [["--daemon"], ["--socket", daemon.socket]]:
            command = daemon.slab("run", "--plugin", library, "plug_flip", self.directory / "in.npy", "-o",
                                  self.directory / "out.npy", *arguments)

            self.assert_exit(command, EXIT_USAGE)
            self.assertIn("[kernels] plugins", command.err)


class InADaemon(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.library = build_plugin(self.directory / "sound.so")

    def test_its_kernels_stand_beside_the_built_in_ones(self):
        daemon = self.start_daemon(plugins=[self.library])

        kernels = {kernel["name"]: kernel for kernel in daemon.connect().kernels()}

        self.assertIn("zoom", kernels)
        self.assertIsNone(kernels["zoom"]["plugin"])
        self.assertEqual(kernels["plug_shift"]["plugin"], str(self.library))
        self.assertEqual(kernels["plug_shift"]["parameters"][0]["type"], "integer_per_axis")
        self.assertEqual(kernels["plug_outer"]["dtypes"], "y: float64; x: y")

    def test_parameters_arrive_as_they_are_meant(self):
        slabd = self.start_daemon(plugins=[self.library]).connect()
        image = np.zeros((4, 5, 6), np.uint8)

        defaults = slabd.run("plug_values", image)
        given = slabd.run("plug_values", np.asfortranarray(image), whole=-2, real=1.5, choice="some", wholes=[1, 2, 3],
                          reals=[0.5, 1, 2], table=[[1.0, 2.0, 9.0]], flag=True, axes=[0, -1], text="abc", left_out=1)

        self.assertEqual(list(defaults), [7, 0.5, 1, 5, 3, 3, 3, 0.25, 0.25, 0.25, 1, 1, 1, 2, 2, 4, 0, 4, 0, 1])
        self.assertEqual(list(given), [-2, 1.5, 0, 4, 1, 2, 3, 0.5, 1, 2, 1, 0, 1, 1, 3, 9, 1, 3, 1, 1])

    def test_axes_are_the_users_whatever_the_order_in_memory(self):
        slabd = self.start_daemon(plugins=[self.library]).connect()
        image = np.random.default_rng(1).normal(size=(30, 40))
        expected = 100.0 * np.arange(30)[:, None] + np.arange(40)
        for array in (image, np.asfortranarray(image)):
            np.testing.assert_array_equal(slabd.run("plug_index", array, tile_bytes=1000), expected)
            np.testing.assert_allclose(slabd.run("plug_line_sum", array), image.sum(1), rtol=1e-12)
            np.testing.assert_array_equal(slabd.run("plug_flip", array, tile_bytes=1000), image[::-1])
            np.testing.assert_array_equal(slabd.run("plug_running_sum", array, tile_bytes=1000), np.cumsum(image, 1))
            np.testing.assert_array_equal(slabd.run("plug_shift", array, steps=[2, 1])[2:, 1:], image[:-2, :-1])

    def test_bands_with_the_declared_halo_give_the_same_bytes(self):
        slabd = self.start_daemon(plugins=[self.library], volume="64MiB").connect()
        image = np.random.default_rng(2).normal(size=(2000, 1000))
        np.save(self.directory / "in.npy", image)

        whole = slabd.run("plug_roughness", image, radius=3)
        job = slabd.submit("plug_roughness", self.directory / "in.npy", out=self.directory / "out.npy",
                           max_memory="12MiB", radius=3)
        bands, streamed = job.wait()["bands"], job.result()

        smooth = (np.pad(image, ((1, 1), (0, 0)))[:-2] + image + np.pad(image, ((1, 1), (0, 0)))[2:])
        smooth /= np.array([2] + [3] * 1998 + [2])[:, None]
        rough = np.pad(np.abs(image - smooth), ((3, 3), (0, 0)))
        np.testing.assert_allclose(whole, np.max([rough[i:i + 2000] for i in range(7)], axis=0), rtol=1e-12, atol=1e-12)
        self.assertGreater(bands, 3)
        self.assertEqual(streamed.tobytes(), whole.tobytes())

    def test_it_is_a_step_of_a_pipeline(self):
        slabd = self.start_daemon(plugins=[self.library]).connect()
        image = np.random.default_rng(3).normal(size=(50, 40))

        result = slabd.run([slab.step("plug_shift", steps=1), slab.step("plug_line_sum")], image)

        np.testing.assert_allclose(result, np.pad(image, ((1, 0), (1, 0)))[:-1, :-1].sum(1), rtol=1e-12)

    def test_inputs_at_odd_addresses_are_shown_at_even_ones(self):
        daemon = self.start_daemon(plugins=[self.library])
        image = np.random.default_rng(4).normal(size=(70, 90))
        (self.directory / "odd.raw").write_bytes(b"xyz" + image.tobytes())

        command = daemon.slab("run", "plug_line_sum", self.directory / "odd.raw", "-o", self.directory / "out.npy",
                              "--input-dtype", "float64", "--input-shape", "70,90", "--input-offset", 3)

        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_allclose(np.load(self.directory / "out.npy"), image.sum(1), rtol=1e-12)

    def test_wrong_arrays_and_values_are_refused_by_name(self):
        daemon = self.start_daemon(plugins=[self.library])
        np.save(self.directory / "in.npy", np.zeros((4, 5), np.int16))
        np.save(self.directory / "real.npy", np.zeros((4, 5)))
        for arguments, expected in [
                (["plug_flip", "in.npy"], "plug_flip takes image as float64"),
                (["plug_running_sum", "in.npy"], "plug_running_sum takes image as float64"),
                (["plug_values", "real.npy"], "plug_values takes image as an array of 3 dimensions"),
                (["plug_shift", "real.npy", "--steps", "-1"], "steps cannot be -1"),
                (["plug_shift", "real.npy", "--steps", "1,2,3"], "steps has 3 values for 2 axes"),
                (["plug_shift", "real.npy", "--step", "1"], "plug_shift has no parameter 'step'")]:
            arguments[1] = str(self.directory / arguments[1])
            command = daemon.slab("run", *arguments, "-o", self.directory / "out.npy")
            self.assert_exit(command, EXIT_USAGE)
            self.assertIn(f"error: {expected}", command.err)


class Refusals(DaemonTestCase):
    """A plug-in that cannot be is refused by name, and the daemon goes on without it."""

    def refused(self, *paths):
        """Whys, of those that a daemon with these plug-ins refuses."""
        with self.running_daemon(plugins=paths) as daemon:
            slabd = daemon.connect()
            np.testing.assert_array_equal(slabd.run("outer", [1.0, 2.0], [3.0]), [[3.0], [6.0]])
            return [entry["refused"]["because"] for entry in slabd.status()["plugins"] if entry["refused"]]

    def library(self, *definitions, name="faulty.so"):
        return build_plugin(self.directory / name, "faulty.c", *definitions)

    def test_a_library_of_another_version_is_refused_with_both_numbers(self):
        self.assertEqual(self.refused(self.library("OTHER_ABI")),
                         ["it is made for version 42 of slab_kernel.h, and this slabd for version 1"])
        self.assertRegex(self.refused(self.library("OTHER_SIZE"))[0],
                         r"its slab_kernel has 4711 bytes, and that of version 1 has \d+")

    def test_what_is_no_plugin_is_refused(self):
        text = self.directory / "text.so"
        text.write_text("not a library\n")
        text.chmod(0o644)
        pipe = self.directory / "pipe.so"
        os.mkfifo(pipe)
        no_table = self.library("NO_TABLE")

        whys = self.refused("/nothing/here.so", text, pipe, no_table)

        self.assertEqual(whys[0], "No such file or directory")
        self.assertRegex(whys[1], f"{text}: .*(too short|invalid ELF header)")
        self.assertEqual(whys[2], "it is no regular file")
        self.assertEqual(whys[3], "it has no symbol slab_plugin_table")

    def test_names_that_are_taken_are_refused(self):
        built_in = self.library('KERNEL_NAME="zoom"', name="a.so")
        first, second = self.library(name="b.so"), self.library(name="c.so")

        whys = self.refused(built_in, first, second)

        self.assertEqual(whys, ["kernel 'zoom': slabd has a kernel of that name",
                                f"kernel 'faulty': the plug-in {first} has a kernel of that name"])

    def test_nonsense_is_refused_with_kernel_and_field(self):
        for definition, why in [
                ('KERNEL_NAME="No"', "kernel 'No': the name 'No' is not of small letters, digits and _ between them"),
                ("MORE=.flags=64", "kernel 'faulty': flags 0x40 are not known"),
                ('DEFAULT="-3"', "kernel 'faulty', default_value: row cannot be -3; it takes numbers >= 0"),
                ('DEFAULT="many"', "kernel 'faulty', default_value: row cannot be 'many'; it takes a whole number >= 0")]:
            self.assertEqual(self.refused(self.library(definition)), [why])
        self.assertEqual(self.refused(self.library("TWICE")), ["it has two kernels 'faulty'"])

    def test_no_parameter_takes_the_place_of_an_option_that_every_kernel_has(self):
        options = {name.replace("-", "_") for command in (["run"], ["submit"], ["kernels"])
                   for name in re.findall(r"--([a-z-]+)", start_command([SLAB, *command, "--help"]).finish().out)}
        options |= {name for function in (slab.run, slab.submit, slab.plan)
                    for name in inspect.signature(function).parameters if name != "parameters"}
        self.assertGreater(len(options), 25)
        libraries = [self.library(f'PARAMETER="{name}"', name=f"{name}.so") for name in sorted(options)]

        whys = self.refused(*libraries)

        self.assertEqual(whys, [f"kernel 'faulty', parameter '{name}': that is the name of an option that every kernel has"
                                for name in sorted(options)])

    def test_a_folder_means_every_library_in_it(self):
        folder = self.directory / "plugins"
        folder.mkdir(mode=0o755)
        build_plugin(folder / "sound.so")
        build_plugin(folder / "faulty.so", "faulty.c", "OTHER_ABI")
        (folder / "README").write_text("no library")

        daemon = self.start_daemon(plugins=[folder])
        entries = daemon.connect().status()["plugins"]
        doctor = daemon.slab("doctor")
        listed = daemon.slab("kernels")

        self.assertEqual([pathlib.Path(entry["plugin"]).name for entry in entries], ["faulty.so", "sound.so"])
        self.assertRegex(doctor.out, r"warn +plugin +the plug-in .*faulty.so is refused: .*version 42")
        self.assertRegex(doctor.out, r"ok +plugin +.*sound.so: plug_outer, ")
        self.assertRegex(listed.err, r"note: the plug-in .*faulty.so is refused: .*version 42")

    def test_what_others_could_write_is_refused(self):
        library = self.library()
        library.chmod(0o757)
        self.assertRegex(self.refused(library)[0], "the file can be written by everybody")
        library.chmod(0o775)
        self.assertRegex(self.refused(library)[0], r"the file can be written by group \d+")
        library.chmod(0o755)
        folder = self.directory / "open"
        folder.mkdir()
        folder.chmod(0o777)
        inside = shutil.copy(library, folder / "faulty.so")
        self.assertRegex(self.refused(inside)[0], f"its folder {folder} can be written by everybody")
        folder.chmod(0o1777)  # as /tmp: nobody replaces another's file there
        self.assertEqual(self.refused(inside), [])

    @needs_root
    def test_what_belongs_to_somebody_else_is_refused(self):
        library = self.library()
        os.chown(library, 12345, 0)
        self.assertRegex(self.refused(library)[0], "the file belongs to user 12345")


if __name__ == "__main__":
    unittest.main()
