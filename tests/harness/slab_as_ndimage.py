"""Functions of scipy.ndimage by slabd: what scipy's own tests see in place of that module.

Only the shape of the call is translated, every number comes from slabd: shift, geometric_transform and map_coordinates
are affine maps wherever scipy's tests use them with one; rotate is scipy's, on slabd's affine_transform; and
spline_filter1d gets its coefficients out of the interpolation between samples.
"""

import contextlib
import functools
import unittest.mock

import numpy as np
import scipy.ndimage

import slab


class NotAffine(Exception):
    """slabd has no kernel for coordinates that follow no affine map."""


class SlabAsNdimage:
    def __init__(self, connection):
        self._slabd = connection

    def zoom(self, input, zoom, output=None, order=3, mode="constant", cval=0.0, prefilter=True, *, grid_mode=False):
        array = _of_the_outputs_type(input, output)
        with _scipys_errors():
            result = self._slabd.run("zoom", array, factor=np.broadcast_to(zoom, array.ndim).astype(float).tolist(),
                                     convention="scipy-grid" if grid_mode else "scipy",
                                     **_common(order, mode, cval, prefilter))
        return _delivered(result, output)

    def affine_transform(self, input, matrix, offset=0.0, output_shape=None, output=None, order=3, mode="constant",
                         cval=0.0, prefilter=True):
        array = _of_the_outputs_type(input, output)
        shape = _output_shape(array, output_shape, output)
        matrix = np.asarray(matrix, float)
        full_shape = shape
        if matrix.ndim == 2 and matrix.shape[1] < array.ndim:  # fewer axes out than in: the others have one element
            missing = array.ndim - matrix.shape[1]
            matrix = np.hstack([matrix, np.zeros((matrix.shape[0], missing))])
            full_shape = (*shape, *(1,) * missing)
        options = _common(order, mode, cval, prefilter)
        if np.any(offset):
            options["offset"] = np.broadcast_to(np.asarray(offset, float), array.ndim).tolist()
        with _scipys_errors():
            result = self._slabd.run("affine", array, matrix=matrix.tolist(), shape=[int(n) for n in full_shape], **options)
        return _delivered(result.reshape(shape), output)

    def shift(self, input, shift, output=None, order=3, mode="constant", cval=0.0, prefilter=True):
        ndim = np.ndim(input)
        return self.affine_transform(input, np.eye(ndim), -np.broadcast_to(shift, ndim).astype(float), None, output, order,
                                     mode, cval, prefilter)

    def rotate(self, *arguments, **options):
        with unittest.mock.patch("scipy.ndimage._interpolation.affine_transform", self.affine_transform):
            return scipy.ndimage.rotate(*arguments, **options)

    def geometric_transform(self, input, mapping, output_shape=None, output=None, order=3, mode="constant", cval=0.0,
                            prefilter=True, extra_arguments=(), extra_keywords=None):
        shape = _output_shape(np.asarray(input), output_shape, output)
        points = np.stack([axis.ravel() for axis in np.indices(shape)], axis=1)
        images = np.array([mapping(tuple(map(int, point)), *extra_arguments, **(extra_keywords or {})) for point in points])
        matrix, offset = _affine_map(points, images)
        return self.affine_transform(input, matrix, offset, shape, output, order, mode, cval, prefilter)

    def map_coordinates(self, input, coordinates, output=None, order=3, mode="constant", cval=0.0, prefilter=True):
        coordinates = np.asarray(coordinates)
        shape = coordinates.shape[1:]
        points = np.stack([axis.ravel() for axis in np.indices(shape)], axis=1)
        matrix, offset = _affine_map(points, coordinates.reshape(len(coordinates), -1).T)
        return self.affine_transform(input, matrix, offset, shape, output, order, mode, cval, prefilter)

    def spline_filter(self, input, order=3, output=np.float64, mode="mirror"):
        result = np.asarray(input, np.float64)
        for axis in range(result.ndim):
            result = self.spline_filter1d(result, order, axis, mode=mode)
        return result.astype(output)

    def spline_filter1d(self, input, order=3, axis=-1, output=np.float64, mode="mirror"):
        """s = H c, where s is the spline between the samples (prefilter on) and H, the same of coefficients
        (prefilter off), is found by unit vectors: c = H^-1 s."""
        lines = np.moveaxis(np.asarray(input, np.float64), axis, 0)
        between = np.stack([self._between(line, order, mode, True) for line in lines.reshape(len(lines), -1).T], axis=1)
        coefficients = np.linalg.solve(self._weights_between(len(lines), order, mode), between)
        return np.moveaxis(coefficients.reshape(lines.shape), 0, axis).astype(output)

    def _between(self, line, order, mode, prefilter):
        return self.affine_transform(line, np.eye(1), [0.3], order=order, mode=mode, prefilter=prefilter)

    @functools.cache
    def _weights_between(self, count, order, mode):
        return np.stack([self._between(unit, order, mode, False) for unit in np.eye(count)], axis=1)


def _common(order, mode, cval, prefilter):
    return {"order": int(order), "mode": {"grid-mirror": "reflect"}.get(mode, mode), "cval": float(cval),
            "prefilter": "on" if prefilter else "off"}


@contextlib.contextmanager
def _scipys_errors():
    try:
        yield
    except slab.UsageError as error:
        raise ValueError(str(error)) from error


def _of_the_outputs_type(input, output):
    """slabd's output has the input's type; scipy's the one of `output`."""
    array = np.asarray(input)
    if output is None:
        return array
    dtype = output.dtype if isinstance(output, np.ndarray) else np.dtype(output)
    return array.astype(dtype)


def _output_shape(array, output_shape, output):
    if isinstance(output, np.ndarray):
        if output_shape is not None and tuple(output_shape) != output.shape:
            raise RuntimeError("output shape not correct")
        return output.shape
    return array.shape if output_shape is None else tuple(output_shape)


def _delivered(result, output):
    if isinstance(output, np.ndarray):
        output[...] = result
        return output
    return result.copy()  # scipy's may be written to


def _affine_map(points, images):
    """matrix and offset with images = points @ matrix.T + offset."""
    if images.dtype == object or images.ndim != 2:
        raise NotAffine
    augmented = np.column_stack([points, np.ones(len(points))])
    solution = np.linalg.lstsq(augmented, images.astype(float), rcond=None)[0]
    solution = np.where(np.abs(solution - np.rint(solution * 64) / 64) < 1e-12, np.rint(solution * 64) / 64, solution)
    if not np.allclose(augmented @ solution, images, rtol=0, atol=1e-11):
        raise NotAffine
    return solution[:-1].T, solution[-1]
