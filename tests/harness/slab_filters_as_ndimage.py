"""Filters of scipy.ndimage by slabd: what scipy's own tests of filters see in place of that module.

uniform, gaussian, correlate and convolve come from slabd, and so does what scipy makes of them (prewitt, sobel, laplace, ...).
Everything else is scipy's.
"""

import contextlib
import functools
import unittest.mock
import warnings

import numpy as np
import scipy.ndimage

from slab_as_ndimage import _delivered, _of_the_outputs_type, _scipys_errors

MADE_OF_OTHERS = ("prewitt", "sobel", "laplace", "gaussian_laplace", "gaussian_gradient_magnitude", "generic_laplace",
                  "generic_gradient_magnitude")


class SlabFilters:
    def __init__(self, connection):
        self._slabd = connection

    def __getattr__(self, name):
        function = getattr(scipy.ndimage, name)
        return functools.partial(self._made_of_ours, function) if name in MADE_OF_OTHERS else function

    def uniform_filter(self, input, size=3, output=None, mode="reflect", cval=0.0, origin=0):
        return self._axis_by_axis("uniform", input, output, mode, cval, size=size, origin=origin)

    def uniform_filter1d(self, input, size, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
        return self._run("uniform", input, output, mode, cval, axes=axis, size=size, origin=origin)

    def gaussian_filter(self, input, sigma, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0, *, radius=None):
        return self._axis_by_axis("gaussian", input, output, mode, cval, sigma=sigma, derivative=order, truncate=truncate,
                                  **({} if radius is None else {"radius": radius}))

    def gaussian_filter1d(self, input, sigma, axis=-1, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0, *,
                          radius=None):
        return self._run("gaussian", input, output, mode, cval, axes=axis, sigma=sigma, derivative=order,
                         truncate=truncate, **({} if radius is None else {"radius": radius}))

    def correlate(self, input, weights, output=None, mode="reflect", cval=0.0, origin=0):
        return self._weigh("correlate", input, np.asarray(weights), output, mode, cval, origin)

    def convolve(self, input, weights, output=None, mode="reflect", cval=0.0, origin=0):
        return self._weigh("convolve", input, np.asarray(weights), output, mode, cval, origin)

    def correlate1d(self, input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
        return self._weigh("correlate", input, *self._along(input, weights, axis, output, mode, cval, origin))

    def convolve1d(self, input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
        return self._weigh("convolve", input, *self._along(input, weights, axis, output, mode, cval, origin))

    @staticmethod
    def _along(input, weights, axis, output, mode, cval, origin):
        shape, origins = [1] * np.ndim(input), [0] * np.ndim(input)
        shape[axis], origins[axis] = np.size(weights), int(origin)
        return np.reshape(weights, shape), output, mode, cval, origins

    def _weigh(self, kernel, input, weights, output, mode, cval, origin):
        if not isinstance(mode, str):
            raise RuntimeError("A sequence of modes is not supported")
        input = np.asarray(input)
        if np.iscomplexobj(cval) and not np.iscomplexobj(input):
            raise ValueError("a complex cval of a real array")
        is_complex = np.iscomplexobj(input) or np.iscomplexobj(weights)
        output = _complex_output(output) if is_complex and output is not None else output
        array = _of_the_outputs_type(input, output)
        options = {"mode": _mode(mode), "origin": _listed(origin), "truncate_integers": True}
        with _scipys_errors():
            result = self._slabd.run(kernel, array, weights, cval=float(np.real(cval)), **options)
            if np.imag(cval) != 0:  # slabd's is real, and the sums are linear
                beyond = self._slabd.run(kernel, np.zeros(array.shape), weights, cval=1.0, **options)
                result = (result + 1j * np.imag(cval) * beyond).astype(result.dtype)
        return _delivered(result, output)

    def _axis_by_axis(self, kernel, input, output, mode, cval, **parameters):
        """scipy takes a mode for each axis; slabd one for all of a run."""
        if isinstance(mode, str):
            return self._run(kernel, input, output, mode, cval, **parameters)
        result = _of_the_outputs_type(input, output)
        for axis, one in enumerate(mode):
            of_axis = {name: value if np.ndim(value) == 0 else value[axis] for name, value in parameters.items()}
            result = self._run(kernel, result, None, one, cval, axes=axis, **of_axis)
        return _delivered(result, output)

    def _run(self, kernel, input, output, mode, cval, **parameters):
        array = _of_the_outputs_type(input, output)
        given = {name: _listed(value) for name, value in parameters.items()}
        with _scipys_errors():
            result = self._slabd.run(kernel, array, mode=_mode(mode), cval=float(cval), truncate_integers=True, **given)
        return _delivered(result, output)

    def _made_of_ours(self, function, *arguments, **options):
        with contextlib.ExitStack() as stack:
            for name in ("correlate1d", "gaussian_filter", "uniform_filter", "gaussian_filter1d", "uniform_filter1d"):
                stack.enter_context(unittest.mock.patch(f"scipy.ndimage._filters.{name}", getattr(self, name)))
            return function(*arguments, **options)


def _complex_output(output):
    """As scipy treats an output that cannot hold what is complex."""
    if isinstance(output, np.ndarray):
        if output.dtype.kind != "c":
            raise RuntimeError("output must have complex dtype")
        return output
    dtype = np.dtype(output)
    if dtype.kind != "c":
        warnings.warn("promoting specified output dtype to complex", stacklevel=4)
        dtype = np.promote_types(dtype, np.complex64)
    return dtype


def _mode(mode):
    return {"grid-mirror": "reflect"}.get(mode, mode)


def _listed(value):
    return np.asarray(value).tolist()
