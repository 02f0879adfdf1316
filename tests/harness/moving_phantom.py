"""A head that moves: a sum of Gaussian blobs, whose value at any point is known, so that frames are sampled without
interpolation."""

import numpy as np

SHAPE = (30, 32, 22)
AFFINE = np.array([[-3.0, 0.0, 0.1, 44.0], [0.05, 2.9, -0.6, -40.0], [0.0, 0.55, 3.2, -44.0], [0, 0, 0, 1.0]])


def rotation(angles):
    """About x, then y, then z, by the right-hand rule."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[b, a], turn[a, b] = np.sin(angle), -np.sin(angle)
        matrix = turn @ matrix
    return matrix


def rigid(parameters, centre):
    """x, y, z in mm, angles in degrees, about the centre: where a point of the head lies in the frame."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(np.deg2rad(parameters[3:]))
    matrix[:3, 3] = np.asarray(parameters[:3]) + centre - matrix[:3, :3] @ centre
    return matrix


def random_walk(rng, frames, millimetres, degrees):
    """Parameters of each frame; the first has none."""
    steps = np.vstack([np.zeros((1, 6)), rng.standard_normal((frames - 1, 6)).cumsum(0)])
    return steps / np.maximum(np.abs(steps).max(0), 1e-9) * ([millimetres] * 3 + [degrees] * 3)


class Head:
    """About 100 bright in a box of air, with blobs of 6 to 9 mm in it."""

    def __init__(self, seed=3, shape=SHAPE, affine=AFFINE):
        rng = np.random.default_rng(seed)
        self.shape, self.affine = shape, affine
        self.voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")).reshape(3, -1)
        self.points = affine[:3, :3] @ self.voxels + affine[:3, 3:]
        self.centre = self.points.mean(1)
        self.radius = 0.28 * (self.points.max(1) - self.points.min(1))
        count = 60
        self.places = self.centre + rng.uniform(-0.9, 0.9, (count, 3)) * self.radius
        self.widths = rng.uniform(6.0, 9.0, count)
        self.heights = rng.uniform(-35, 45, count)

    def at(self, points):
        inside = (((points - self.centre[:, None]) / self.radius[:, None]) ** 2).sum(0)
        value = 100.0 * np.exp(-(inside ** 3))
        for place, width, height in zip(self.places, self.widths, self.heights):
            value += height * np.exp(-0.5 * (((points - place[:, None]) / width) ** 2).sum(0)) * (inside < 4)
        return value

    def frame(self, motion, gain=None):
        """gain: of points of the head, what its image is multiplied with."""
        points = np.linalg.inv(motion)[:3] @ np.vstack([self.points, np.ones(self.points.shape[1])])
        value = self.at(points)
        return (value if gain is None else value * gain(points)).reshape(self.shape)

    def series(self, motions, noise=0.0, seed=1, gains=None):
        """float32, x, y, z, t in Fortran order."""
        rng = np.random.default_rng(seed)
        frames = [self.frame(m, None if gains is None else gains[k]) for k, m in enumerate(motions)]
        data = np.stack(frames, -1) + noise * rng.standard_normal((*self.shape, len(frames)))
        return np.asfortranarray(data.astype(np.float32))

    def displacement_errors(self, estimates, motions):
        """Mean distance in mm, for each frame, by which points of the head come back wrong; estimates: frame to
        reference."""
        head = self.points[:, self.at(self.points) > 30]
        points = np.vstack([head, np.ones(head.shape[1])])
        return np.array([np.linalg.norm((estimate @ motion @ points - points)[:3], axis=0).mean()
                         for estimate, motion in zip(estimates, motions)])
