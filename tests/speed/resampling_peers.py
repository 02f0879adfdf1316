"""Who else resamples: scipy, OpenCV and numba loops, as people write them."""

import math

import numba
import numpy as np
import scipy.ndimage

try:
    import cv2
except ImportError:
    cv2 = None  # python3-opencv is no dependency: cases leave this peer out and say so


def scipy_zoom(array, order, factor, **options):
    return scipy.ndimage.zoom(array, factor, order=order, **options)


def scipy_zoom_of_planes(array, order):
    """Ten 2-D zooms: scipy itself would prefilter and interpolate along all five axes."""
    planes = [scipy.ndimage.zoom(plane, 2, order=order) for plane in array.reshape(-1, *array.shape[-2:])]
    return np.stack(planes).reshape(*array.shape[:-2], *planes[0].shape)


def opencv_resize(array, order, out=None):
    interpolation = {0: cv2.INTER_NEAREST, 1: cv2.INTER_LINEAR, 3: cv2.INTER_CUBIC}[order]
    return cv2.resize(array, (2 * array.shape[1], 2 * array.shape[0]), dst=out, interpolation=interpolation)


def scipy_reslice(frames, pull_backs, order):
    return np.stack([scipy.ndimage.affine_transform(frame, matrix, order=order)
                     for frame, matrix in zip(frames, pull_backs)])


@numba.njit(parallel=True, fastmath=True)
def _reslice_linear(frames, pull_backs, out):
    count, depth, height, width = frames.shape
    for job in numba.prange(count * depth):
        frame, z = job // depth, job % depth
        m = pull_backs[frame]
        for y in range(height):
            z_line = m[0, 0] * z + m[0, 1] * y + m[0, 3]
            y_line = m[1, 0] * z + m[1, 1] * y + m[1, 3]
            x_line = m[2, 0] * z + m[2, 1] * y + m[2, 3]
            for x in range(width):
                cz, cy, cx = z_line + m[0, 2] * x, y_line + m[1, 2] * x, x_line + m[2, 2] * x
                value = np.float32(0)
                if 0 <= cz <= depth - 1 and 0 <= cy <= height - 1 and 0 <= cx <= width - 1:
                    z0, y0, x0 = int(math.floor(cz)), int(math.floor(cy)), int(math.floor(cx))
                    z1, y1, x1 = min(z0 + 1, depth - 1), min(y0 + 1, height - 1), min(x0 + 1, width - 1)
                    fz, fy, fx = np.float32(cz - z0), np.float32(cy - y0), np.float32(cx - x0)
                    volume = frames[frame]
                    c00 = volume[z0, y0, x0] + fx * (volume[z0, y0, x1] - volume[z0, y0, x0])
                    c01 = volume[z0, y1, x0] + fx * (volume[z0, y1, x1] - volume[z0, y1, x0])
                    c10 = volume[z1, y0, x0] + fx * (volume[z1, y0, x1] - volume[z1, y0, x0])
                    c11 = volume[z1, y1, x0] + fx * (volume[z1, y1, x1] - volume[z1, y1, x0])
                    c0 = c00 + fy * (c01 - c00)
                    c1 = c10 + fy * (c11 - c10)
                    value = c0 + fz * (c1 - c0)
                out[frame, z, y, x] = value


def numba_reslice(frames, pull_backs, out=None):
    out = np.empty_like(frames) if out is None else out
    _reslice_linear(frames, pull_backs, out)
    return out


def compile_reslice():
    numba_reslice(np.zeros((2, 3, 3, 3), np.float32), np.stack([np.eye(4)] * 2))
