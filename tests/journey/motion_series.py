"""A small series whose motion is known, and realign run on it as a user would."""

import nibabel as nib
import numpy as np

import rigid_motion
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE

SHAPE, FRAMES = (24, 26, 20), 14
CONFOUNDS = "_desc-confounds_timeseries.tsv"
COLUMNS = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z", "framewise_displacement", "rmsd", "dvars",
           "std_dvars"]

_tilt = rigid_motion.spm([0, 0, 0, 0.15, -0.1, 0.2])
AFFINES = {  # voxels of 3 x 3 x 3.5 mm
    "flipped": rigid_motion.shifted([36, -40, -30]) @ np.diag([-3, 3, 3.5, 1]),
    "tilted": rigid_motion.shifted([-30, -45, -20]) @ _tilt @ np.diag([3, 3, 3.5, 1]),
    "flipped and tilted": rigid_motion.shifted([30, -45, -20]) @ _tilt @ np.diag([-3, 3, 3.5, 1]),
}


def middle(affine):
    return (affine @ np.append((np.array(SHAPE) - 1) / 2, 1))[:3]


def motions(rng):
    rows = np.concatenate([rng.uniform(-1.5, 1.5, (FRAMES, 3)), rng.uniform(-0.02, 0.02, (FRAMES, 3))], axis=1)
    rows[0] = 0
    return rows


def phantom(affine, truth, rng):
    """Blobs of a Gaussian profile in mm, sampled where each voxel of each frame lies in the reference."""
    centres = middle(affine) + rng.uniform(-22, 22, (25, 3))
    heights, widths = rng.uniform(300, 1500, 25), rng.uniform(5, 9, 25)
    voxels = np.stack([*np.indices(SHAPE), np.ones(SHAPE)])
    frames = []
    for motion in truth:
        points = np.tensordot(motion @ affine, voxels, 1)[:3]
        distances = ((points[:, None] - centres.T[:, :, None, None, None]) ** 2).sum(axis=0)
        frame = (heights[:, None, None, None] * np.exp(-distances / (2 * widths[:, None, None, None] ** 2))).sum(axis=0)
        frames.append(frame + rng.normal(0, 2, SHAPE))
    return np.stack(frames, axis=-1).astype(np.float32)


def rows_of(path):
    header, *lines = path.read_text().splitlines()
    return header.split("\t"), [line.split("\t") for line in lines]


class MotionTestCase(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon()
        self.rng = np.random.default_rng(20)

    def make_series(self, affine, name="func.nii"):
        truth = [rigid_motion.about(rigid_motion.spm(row), middle(affine)) for row in motions(self.rng)]
        nib.save(nib.Nifti1Image(phantom(affine, truth, self.rng), affine), self.directory / name)
        return self.directory / name, np.array(truth)

    def realign(self, series, *arguments, output="moco.nii"):
        command = self.daemon.slab("run", "realign", series, "-o", self.directory / output, "--json", *arguments)
        self.assert_exit(command, EXIT_DONE)
        record = command.json()
        rows = np.array(record["result"]["motion"])
        matrices = np.zeros((len(rows), 4, 4))
        matrices[:, :3] = rows[:, :12].reshape(-1, 3, 4)
        matrices[:, 3, 3] = 1
        return record, rows, matrices

    def path(self, ending):
        return self.directory / f"moco{ending}"
