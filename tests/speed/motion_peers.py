"""Motion correction as people write it in Python: numba loops, a process for each CPU, and a gather at the end."""

import math
import multiprocessing

import numba
import numpy as np

STEPS = 8  # of Gauss-Newton, each over all voxels: enough for 2 mm


@numba.njit(fastmath=True)
def _sample(frame, z, y, x):
    z0, y0, x0 = int(math.floor(z)), int(math.floor(y)), int(math.floor(x))
    fz, fy, fx = z - z0, y - y0, x - x0
    z1, y1, x1 = min(z0 + 1, frame.shape[0] - 1), min(y0 + 1, frame.shape[1] - 1), min(x0 + 1, frame.shape[2] - 1)
    c00 = frame[z0, y0, x0] * (1 - fx) + frame[z0, y0, x1] * fx
    c01 = frame[z0, y1, x0] * (1 - fx) + frame[z0, y1, x1] * fx
    c10 = frame[z1, y0, x0] * (1 - fx) + frame[z1, y0, x1] * fx
    c11 = frame[z1, y1, x0] * (1 - fx) + frame[z1, y1, x1] * fx
    return (c00 * (1 - fy) + c01 * fy) * (1 - fz) + (c10 * (1 - fy) + c11 * fy) * fz


@numba.njit(fastmath=True)
def _is_inside(frame, z, y, x):
    return 0 <= z <= frame.shape[0] - 1 and 0 <= y <= frame.shape[1] - 1 and 0 <= x <= frame.shape[2] - 1


@numba.njit(fastmath=True)
def _normal_equations(reference, frame, matrix, normal, right):
    """One residual and its six derivatives for each voxel, the reference's gradient by central differences."""
    depth, height, width = reference.shape
    row = np.empty(6)
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                a = matrix[0, 0] * z + matrix[0, 1] * y + matrix[0, 2] * x + matrix[0, 3]
                b = matrix[1, 0] * z + matrix[1, 1] * y + matrix[1, 2] * x + matrix[1, 3]
                c = matrix[2, 0] * z + matrix[2, 1] * y + matrix[2, 2] * x + matrix[2, 3]
                if not _is_inside(frame, a, b, c):
                    continue
                rest = _sample(frame, a, b, c) - reference[z, y, x]
                gz = (reference[z + 1, y, x] - reference[z - 1, y, x]) / 2
                gy = (reference[z, y + 1, x] - reference[z, y - 1, x]) / 2
                gx = (reference[z, y, x + 1] - reference[z, y, x - 1]) / 2
                pz, py, px = z - (depth - 1) / 2, y - (height - 1) / 2, x - (width - 1) / 2
                row[0], row[1], row[2] = gz, gy, gx
                row[3], row[4], row[5] = py * gx - px * gy, px * gz - pz * gx, pz * gy - py * gz
                for i in range(6):
                    right[i] += row[i] * rest
                    for j in range(i, 6):
                        normal[i, j] += row[i] * row[j]


@numba.njit(fastmath=True)
def _reslice(frame, matrix, out):
    for z in range(frame.shape[0]):
        for y in range(frame.shape[1]):
            for x in range(frame.shape[2]):
                a = matrix[0, 0] * z + matrix[0, 1] * y + matrix[0, 2] * x + matrix[0, 3]
                b = matrix[1, 0] * z + matrix[1, 1] * y + matrix[1, 2] * x + matrix[1, 3]
                c = matrix[2, 0] * z + matrix[2, 1] * y + matrix[2, 2] * x + matrix[2, 3]
                out[z, y, x] = _sample(frame, a, b, c) if _is_inside(frame, a, b, c) else 0


def _turned(step, shape):
    """The small motion of the step about the middle, as a matrix of voxel indices."""
    centre = (np.array(shape) - 1) / 2
    w = step[3:]
    skew = np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])
    angle = np.linalg.norm(w)
    turn = np.eye(3) + skew if angle < 1e-12 else (
        np.eye(3) + np.sin(angle) / angle * skew + (1 - np.cos(angle)) / angle ** 2 * skew @ skew)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, centre + step[:3] - turn @ centre
    return matrix


def _aligned(reference, frame):
    matrix = np.eye(4)
    for _ in range(STEPS):
        normal, right = np.zeros((6, 6)), np.zeros(6)
        _normal_equations(reference, frame, matrix, normal, right)
        step = np.linalg.solve(normal + np.triu(normal, 1).T, right)
        matrix = matrix @ np.linalg.inv(_turned(step, frame.shape))
    return matrix


def _rank(frames, reference, first, last):
    out = np.empty((last - first, *frames.shape[1:]), np.float32)
    for number in range(first, last):
        _reslice(frames[number], _aligned(reference, frames[number]), out[number - first])
    return out


_SERIES = None  # what a forked rank inherits


def _rank_of_series(part):
    return _rank(_SERIES, _SERIES[0], *part)


def compile_loops():
    small = np.random.default_rng(0).random((2, 6, 6, 6)).astype(np.float32)
    _rank(small, small[0], 0, 2)


def ranks_and_gather(frames, processes=2):
    """All frames aligned to the first and resampled linearly; the ranks' results come back through pipes."""
    global _SERIES
    _SERIES = frames
    bounds = np.linspace(0, len(frames), processes + 1).astype(int)
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return np.concatenate(pool.map(_rank_of_series, list(zip(bounds[:-1], bounds[1:]))))

