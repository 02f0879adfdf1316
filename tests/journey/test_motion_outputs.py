"""What realign finds, as other programs read it: BIDS confounds, parameters in each package's convention."""

import json
import struct
import unittest

import nibabel as nib
import numpy as np

import rigid_motion
import slab
from motion_series import (AFFINES, COLUMNS, CONFOUNDS, FRAMES, SHAPE, MotionTestCase, middle, rows_of)
from started_command import EXIT_DONE, EXIT_USAGE

CONVENTIONS = ("spm", "fsl", "afni", "itk", "matrix")


class Confounds(MotionTestCase):
    def setUp(self):
        super().setUp()
        self.affine = AFFINES["flipped and tilted"]
        self.series, self.truth = self.make_series(self.affine)

    def test_columns_against_numpy(self):
        record, rows, matrices = self.realign(self.series)

        affine = nib.load(self.series).affine
        centre = middle(affine)
        about_centre = [rigid_motion.shifted(-centre) @ matrix @ rigid_motion.shifted(centre) for matrix in matrices]
        header, cells = rows_of(self.path(CONFOUNDS))
        self.assertEqual(header, COLUMNS)
        self.assertEqual(len(cells), FRAMES)
        self.assertEqual(cells[0][6:], ["n/a"] * 4)
        self.assertNotIn("n/a", sum(cells[1:], cells[0][:6]))
        six = np.array([[float(cell) for cell in row[:6]] for row in cells])
        for row, matrix in zip(six, about_centre):
            np.testing.assert_allclose(rigid_motion.spm(row), matrix, rtol=0, atol=1e-9)
        later = np.array([[float(cell) for cell in row[6:]] for row in cells[1:]])
        displacement = np.abs(np.diff(six, axis=0)) @ [1, 1, 1, 50, 50, 50]
        np.testing.assert_allclose(later[:, 0], displacement, rtol=1e-12)
        np.testing.assert_allclose(later[:, 1], [self.deviation_in_sphere(second @ np.linalg.inv(first))
                                                 for first, second in zip(about_centre, about_centre[1:])], rtol=2e-3)
        np.testing.assert_allclose(later[:, 2:], rows[1:, 16:18], rtol=1e-15)

    def deviation_in_sphere(self, change):
        """By points, not by the formula: a ball of 80 mm filled with a fine grid."""
        points = np.stack(np.meshgrid(*[np.arange(-78, 79, 4.0)] * 3)).reshape(3, -1)
        points = points[:, (points ** 2).sum(axis=0) <= 80 ** 2]
        return np.sqrt((((change[:3, :3] - np.eye(3)) @ points + change[:3, 3:]) ** 2).sum(axis=0).mean())

    def test_they_are_the_motion_that_was_there(self):
        self.realign(self.series)

        _, cells = rows_of(self.path(CONFOUNDS))
        centre = middle(self.affine)
        for row, true in zip(cells, self.truth):
            found = rigid_motion.spm([float(cell) for cell in row[:6]])
            expected = rigid_motion.shifted(-centre) @ true @ rigid_motion.shifted(centre)
            np.testing.assert_allclose(found[:3, 3], expected[:3, 3], atol=0.05)
            np.testing.assert_allclose(found[:3, :3], expected[:3, :3], atol=0.002)

    def test_the_sidecar_explains_every_column_and_names_the_centres(self):
        record, *_ = self.realign(self.series, "--write-params", "fsl")

        sidecar = json.loads(self.path("_desc-confounds_timeseries.json").read_text())
        for column in COLUMNS:
            self.assertTrue(sidecar[column]["Description"] and sidecar[column]["Units"])
        np.testing.assert_allclose(sidecar["VolumeCentre"], middle(self.affine), atol=1e-4)
        np.testing.assert_allclose(sidecar["FSLCentre"], (np.array(SHAPE) - 1) / 2 * [3, 3, 3.5], atol=1e-4)
        self.assertEqual(sidecar["FramesNotConverged"], [])
        self.assertEqual(record["motion_files"], [str(self.path(CONFOUNDS)), str(self.path(CONFOUNDS))[:-4] + ".json",
                                                  str(self.path(CONFOUNDS))[:-4] + ".png",
                                                  str(self.path("_fsl.par")), str(self.path("_mean.nii")),
                                                  str(self.path("_mask.nii"))])

    def test_the_terminal_tells_the_same_in_short(self):
        command = self.daemon.slab("run", "realign", self.series, "-o", self.path(".nii"))
        self.assert_exit(command, EXIT_DONE)

        _, cells = rows_of(self.path(CONFOUNDS))
        displacement = [float(row[6]) for row in cells[1:]]
        worst = int(np.argmax(displacement)) + 1
        self.assertIn(f"mean {np.mean(displacement):.3f}, median {np.median(displacement):.3f}, "
                      f"largest {max(displacement):.3f} in frame {worst}", command.out)
        self.assertIn("all frames converged", command.out)

    def test_frames_that_did_not_converge_are_named(self):
        image = nib.load(self.series, mmap=False)
        frames = image.get_fdata(dtype=np.float32)
        frames[..., 3] = 0
        frames[..., 9] = self.rng.normal(0, 1000, SHAPE)
        nib.save(nib.Nifti1Image(frames, image.affine), self.series)

        command = self.daemon.slab("run", "realign", self.series, "-o", self.path(".nii"))

        self.assert_exit(command, EXIT_DONE)
        self.assertIn("NOT converged: 2 of 14 frames: 3, 9\n", command.out)
        sidecar = json.loads(self.path("_desc-confounds_timeseries.json").read_text())
        self.assertEqual(sidecar["FramesNotConverged"], [3, 9])

    def test_the_plot_is_a_page(self):
        self.realign(self.series)

        data = self.path("_desc-confounds_timeseries.png").read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">4sII", data[12:24]), (b"IHDR", 1600, 2090))

    def test_estimate_only_and_scaled_inputs_have_the_same_files(self):
        _, _, matrices = self.realign(self.series)
        image = nib.load(self.series)
        raw = self.directory / "scaled.nii"
        nib.save(nib.Nifti1Image(np.round(image.get_fdata() * 2).astype(np.int16), image.affine), raw)
        with open(raw, "r+b") as file:
            file.seek(112)  # scl_slope and scl_inter
            file.write(np.array([0.5, 0], "<f4").tobytes())

        self.realign(self.series, "--estimate-only", output="estimate.npy")
        self.realign(raw, output="scaled_moco.nii")

        np.testing.assert_array_equal(np.load(self.directory / "estimate.npy"), matrices)
        self.assertEqual((self.directory / f"estimate{CONFOUNDS}").read_text(), self.path(CONFOUNDS).read_text())
        first = np.array(rows_of(self.path(CONFOUNDS))[1])[:, :6].astype(float)
        second = np.array(rows_of(self.directory / f"scaled_moco{CONFOUNDS}")[1])[:, :6].astype(float)
        np.testing.assert_allclose(second, first, atol=0.01)


class Parameters(MotionTestCase):
    def test_every_convention_read_back_is_the_same_matrix(self):
        for name, affine in AFFINES.items():
            with self.subTest(grid=name):
                series, _ = self.make_series(affine)
                _, _, matrices = self.realign(series, "--write-params", ",".join(CONVENTIONS), "--overwrite")
                stored = nib.load(series).affine
                sidecar = json.loads(self.path("_desc-confounds_timeseries.json").read_text())
                scaled = np.eye(4)
                scaled[:3, :3] = np.diag(np.linalg.norm(stored[:3, :3], axis=0))
                if np.linalg.det(stored) > 0:
                    scaled[0, 3], scaled[0, 0] = (SHAPE[0] - 1) * scaled[0, 0], -scaled[0, 0]
                # FSL takes the axes to be at right angles; those of a tilted affine, stored in float32, are so to 1e-7.
                to_scaled = np.eye(4)
                u, _, v = np.linalg.svd((scaled @ np.linalg.inv(stored))[:3, :3])
                to_scaled[:3, :3] = u @ v
                to_scaled[:3, 3] = middle(scaled) - to_scaled[:3, :3] @ middle(stored)

                found = {
                    "spm": [rigid_motion.spm(row) for row in np.loadtxt(self.path("_spm.txt"))],
                    "fsl": [np.linalg.inv(to_scaled) @ rigid_motion.fsl(row, sidecar["FSLCentre"]) @ to_scaled
                            for row in np.loadtxt(self.path("_fsl.par"))],
                    "afni": [rigid_motion.afni(row, middle(stored)) for row in np.loadtxt(self.path("_afni.1D"))],
                    "itk": self.itk_matrices(),
                    "matrix": np.loadtxt(self.path("_matrix.txt")).reshape(-1, 4, 4),
                }

                for convention, result in found.items():
                    np.testing.assert_allclose(result, matrices, rtol=0, atol=1e-9, err_msg=convention)

    def itk_matrices(self):
        text = self.path("_itk.txt").read_text().splitlines()
        self.assertEqual(text[0], "#Insight Transform File V1.0")
        matrices = []
        flip = np.diag([-1.0, -1.0, 1.0, 1.0])
        for index in range(FRAMES):
            name, kind, parameters, fixed = text[1 + 4 * index:5 + 4 * index]
            self.assertEqual((name, kind, fixed), (f"#Transform {index}", "Transform: AffineTransform_double_3_3",
                                                   "FixedParameters: 0 0 0"))
            numbers = np.array(parameters.removeprefix("Parameters: ").split(), float)
            matrix = np.eye(4)
            matrix[:3, :3], matrix[:3, 3] = numbers[:9].reshape(3, 3), numbers[9:]
            matrices.append(np.linalg.inv(flip @ matrix @ flip))
        return np.array(matrices)

    def test_reslice_reads_them_to_the_same_series(self):
        for name, affine in AFFINES.items():
            series, _ = self.make_series(affine)
            for order in (1, 3):
                self.realign(series, "--order", order, "--write-params", ",".join(CONVENTIONS), "--overwrite")
                expected = nib.load(self.path(".nii")).get_fdata()
                centre = json.loads(self.path("_desc-confounds_timeseries.json").read_text())["FSLCentre"]
                for file, *options in (("_spm.txt", "--convention", "spm"),
                                       ("_fsl.par", "--convention", "fsl", "--centre", ",".join(map(str, centre))),
                                       ("_afni.1D", "--convention", "afni"), ("_matrix.txt",), ("_itk.txt",)):
                    with self.subTest(grid=name, order=order, file=file):
                        command = self.daemon.slab("run", "reslice", series, "-o", self.directory / "again.nii",
                                                   "--overwrite", "--order", order, "--transforms", self.path(file),
                                                   *options)
                        self.assert_exit(command, EXIT_DONE)
                        found = nib.load(self.directory / "again.nii").get_fdata()
                        is_close = np.isclose(found, expected, rtol=0, atol=0.01)
                        # A voxel at the very edge may fall on its other side.
                        self.assertLess(np.mean(~is_close), 1e-4)
                        self.assertTrue(is_close[2:-2, 2:-2, 2:-2].all())


    def test_transforms_of_others_have_centres(self):
        series, _ = self.make_series(AFFINES["tilted"])
        self.realign(series, "--write-params", "itk,matrix")
        text = self.path("_itk.txt").read_text().splitlines()
        centre = np.array([11.0, -7.0, 20.0])
        for line in range(3, len(text), 4):
            numbers = np.array(text[line].removeprefix("Parameters: ").split(), float)
            numbers[9:] += numbers[:9].reshape(3, 3) @ centre - centre
            text[line] = "Parameters: " + " ".join(map(repr, map(float, numbers)))
            text[line + 1] = "FixedParameters: 11 -7 20"
        for index in range(2, len(text), 4):
            text[index] = "Transform: MatrixOffsetTransformBase_double_3_3"
        (self.directory / "centred.txt").write_text("\r\n".join(text))
        results = []
        for file in (self.directory / "centred.txt", self.path("_matrix.txt")):
            self.assert_exit(self.daemon.slab("run", "reslice", series, "-o", self.directory / "again.nii", "--overwrite",
                                              "--transforms", file), EXIT_DONE)
            results.append(nib.load(self.directory / "again.nii").get_fdata())
        self.assertLess(np.mean(~np.isclose(*results, rtol=0, atol=0.01)), 1e-4)

    def test_transforms_that_cannot_be_read_are_refused(self):
        series, _ = self.make_series(AFFINES["flipped"])
        head = "#Insight Transform File V1.0\n"
        one = "Transform: AffineTransform_double_3_3\nParameters: 1 0 0 0 1 0 0 0 1 0 0 0\nFixedParameters: 0 0 0\n"
        for text, words in ((head, "it holds no transform"), (head + one[:-30], "FixedParameters|cut short|not 12"),
                            (head + one.replace("Affine", "Euler3D").replace("1 0 0 0 1 0 0 0 1 ", "0 0 0 "), "6 numbers, not 12"),
                            (head + one.replace("1 0 0 0 1 0 0 0 1", "1 0 0 0 1 0 0 0 0"), "line 4 has no inverse"),
                            (head + one.replace("12", "x").replace("1 0 0 0 1", "a 0 0 0 1"), "line 3"),
                            (head + "TRANSFORM\n" + one, "line 2 is nothing"), (head + one + one[:38], "cut short")):
            (self.directory / "bad.txt").write_text(text)
            command = self.daemon.slab("run", "reslice", series, "-o", self.directory / "again.nii", "--transforms",
                                       self.directory / "bad.txt")
            self.assert_exit(command, EXIT_USAGE)
            self.assertRegex(command.err, words)


class KilledDaemon(MotionTestCase):
    """Whenever the daemon dies, the series, its motion and its images are those of an undisturbed run."""

    def test_run_survives_it_at_every_point(self):
        self.assert_survived("realign", (".nii", "_mean.nii", "_mask.nii", CONFOUNDS))

    def test_so_does_a_pipeline_that_goes_on_behind_it(self):
        job = self.directory / "job.toml"
        job.write_text('[[step]]\nkernel = "realign"\n'
                       '[[step]]\nkernel = "gaussian"\nparameters = { sigma = [1, 1, 1, 0] }\n')
        self.assert_survived(job, (".nii", CONFOUNDS))

    def assert_survived(self, what, endings):
        series, _ = self.make_series(AFFINES["tilted"])
        run = ["run", what, series, "--overwrite", "-o"]
        self.assert_exit(self.daemon.slab(*run, self.directory / "undisturbed.nii"), EXIT_DONE)
        for point in ("worker-before-tile", "supervisor-after-phase", "supervisor-after-band", "mover-in-flush",
                      "mover-before-header"):
            with self.subTest(point=point):
                self.daemon.arm(point)
                command = self.daemon.start_slab(*run, self.path(".nii"), environment={"SLABD_RECONNECT": "60s"})
                self.daemon.wait_stopped(point)
                self.daemon.kill()
                self.daemon.start()
                command.finish()
                self.assert_exit(command, EXIT_DONE)
                for ending in endings:
                    self.assertEqual(self.path(ending).read_bytes(),
                                     (self.directory / f"undisturbed{ending}").read_bytes(), ending)
                self.daemon.wait_until_nothing_is_held()


class Files(MotionTestCase):
    def setUp(self):
        super().setUp()
        self.series, _ = self.make_series(AFFINES["flipped"])

    def refused(self, *arguments, what, remedy):
        command = self.daemon.slab("run", *arguments)
        self.assert_exit(command, EXIT_USAGE)
        self.assertIn(what, command.err.splitlines()[0])
        self.assertIn(remedy, command.err.splitlines()[-1])

    def test_nothing_is_overwritten_unasked_and_nothing_computed_for_it(self):
        for file in (CONFOUNDS, CONFOUNDS[:-4] + ".json", CONFOUNDS[:-4] + ".png", "_spm.txt"):
            with self.subTest(file=file):
                self.path(file).write_text("mine")
                self.refused("realign", self.series, "-o", self.path(".nii"), "--write-params", "spm",
                             what=f"moco{file}: the output exists already", remedy="--overwrite")
                self.assertEqual(self.path(file).read_text(), "mine")
                self.assertEqual(self.files(), ["func.nii", f"moco{file}"])
                self.path(file).unlink()

    def test_none_is_written_where_none_is_wanted_or_there_is_no_motion(self):
        self.realign(self.series, "--motion-out", "none")
        self.assert_exit(self.daemon.slab("run", "gaussian", self.series, "-o", self.directory / "smooth.nii", "--sigma",
                                          "1,1,1,0"), EXIT_DONE)

        self.assertEqual(self.files(), ["func.nii", "moco.nii", "smooth.nii"])

    def test_a_prefix_of_ones_own(self):
        (self.directory / "qc").mkdir()
        self.realign(self.series, "--motion-out", self.directory / "qc/sub-01", "--write-params", "matrix")

        self.assertEqual(self.files(), ["func.nii", "moco.nii", "qc"])
        self.assertEqual(sorted(path.name for path in (self.directory / "qc").iterdir()),
                         [*(f"sub-01{CONFOUNDS[:-4]}.{ending}" for ending in ("json", "png", "tsv")), "sub-01_mask.nii",
                          "sub-01_matrix.txt", "sub-01_mean.nii"])

    def test_a_job_file_says_the_same(self):
        (self.directory / "job.toml").write_text(
            f'kernel = "realign"\ninputs = ["{self.series.name}"]\noutput = "moco.nii"\nmotion_out = "qc"\n'
            'write_params = "spm,itk"\n[parameters]\nreference = "mean"\nquality = 0.9\n')
        self.assert_exit(self.daemon.slab("submit", self.directory / "job.toml"), EXIT_USAGE)
        self.assert_exit(self.daemon.slab("run", self.directory / "job.toml"), EXIT_DONE)
        self.assertEqual([path for path in self.files() if path.startswith("qc")],
                         sorted([*(f"qc{CONFOUNDS[:-4]}.{ending}" for ending in ("json", "png", "tsv")), "qc_itk.txt",
                                 "qc_mask.nii", "qc_mean.nii", "qc_spm.txt"]))

    def test_a_step_before_the_last_tells_its_motion(self):
        """As it found it, whatever later steps make of the series: with a mean and a mask of the last one's alone."""
        self.realign(self.series, "--write-params", "spm,fsl")
        (self.directory / "job.toml").write_text(
            '[[step]]\nkernel = "realign"\n[[step]]\nkernel = "gaussian"\nparameters = { sigma = [1, 1, 1, 0] }\n'
            '[[step]]\nkernel = "zoom"\nparameters = { factor = [0.5, 0.5, 0.5, 1], order = 1 }\n')
        for memory in ((), ("--max-memory", "14MiB")):
            with self.subTest(memory=memory):
                command = self.daemon.slab("run", self.directory / "job.toml", self.series, "-o",
                                           self.directory / "small.nii", "--write-params", "spm,fsl", "--overwrite",
                                           "--json", *memory)
                self.assert_exit(command, EXIT_DONE)

                endings = [f"{CONFOUNDS[:-4]}.{ending}" for ending in ("json", "png", "tsv")] + ["_fsl.par", "_spm.txt"]
                self.assertEqual(command.json()["motion_files"], [str(self.directory / f"small{ending}") for ending in (
                    CONFOUNDS, *endings[:2], "_spm.txt", "_fsl.par")])
                self.assertEqual([path for path in self.files() if path.startswith("small")],
                                 sorted(["small.nii", *(f"small{ending}" for ending in endings)]))
                for ending in endings:
                    if not ending.endswith(".png"):  # which shows the aligned series, too
                        self.assertEqual((self.directory / f"small{ending}").read_bytes(),
                                         self.path(ending).read_bytes())

    def test_what_makes_no_sense_is_refused(self):
        output = self.path(".nii")
        self.refused("gaussian", self.series, "-o", output, "--sigma", 1, "--write-params", "spm",
                     what="gaussian tells no motion", remedy="away")
        self.refused("realign", self.series, "-o", output, "--write-params", "spm,ants",
                     what="there is no convention 'ants'", remedy="--write-params")
        self.refused("realign", self.series, "-o", output, "--motion-out", "none", "--write-params", "spm",
                     what="nowhere to go", remedy="--motion-out")
        self.refused("realign", self.series, "-o", output, "--motion-out", self.directory / "absent/x",
                     what="no folder that can be opened", remedy="folder")
        self.assertEqual(self.files(), ["func.nii"])

    def test_each_file_has_its_own(self):
        self.make_series(AFFINES["tilted"], "rest.nii")
        command = self.daemon.slab("run", "realign", "--each", self.directory / "*.nii", "--out-dir",
                                   self.directory / "out", "--write-params", "spm")
        self.assert_exit(command, EXIT_DONE)

        self.assertEqual(sorted(path.name for path in (self.directory / "out").iterdir()),
                         sorted(f"{name}{ending}" for name in ("func", "rest") for ending in (
                             ".nii", "_mean.nii", "_mask.nii", CONFOUNDS, CONFOUNDS[:-4] + ".json", CONFOUNDS[:-4] + ".png", "_spm.txt")))

    def test_python_gets_the_table_too(self):
        _, rows, _ = self.realign(self.series)
        series = np.asfortranarray(nib.load(self.series).get_fdata(dtype=np.float32))
        with self.daemon.connect() as slabd:
            moved, tables = slabd.run("realign", series, affine=nib.load(self.series).affine, tables=True)

            small, tables_of_pipeline = slabd.run([slab.step("realign", affine=nib.load(self.series).affine),
                                                   slab.step("fold", expr="a", reduce="mean", axis=3)],
                                                  series, tables=True)

        self.assertEqual(moved.shape, series.shape)
        np.testing.assert_array_equal(tables["motion"], rows)
        self.assertEqual(small.shape, series.shape[:3])
        np.testing.assert_array_equal(tables_of_pipeline["motion"], rows)


if __name__ == "__main__":
    unittest.main()
