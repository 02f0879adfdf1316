"""scipy.ndimage as the judge of interpolated arrays: what it computes in double, and how near a result must come.

The judge is scipy run on float64 input, the *real value*; integers are compared with scipy's own integers, and may be off
by one only where the real value lies within rounding error of a half.
"""

import functools
import warnings

import numpy as np
import scipy.ndimage

MODES = ("reflect", "mirror", "nearest", "constant", "grid-constant", "wrap", "grid-wrap")
DTYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16")
LARGEST_EXACT = 2**40  # of 64-bit integers: scipy and slabd compute them in double

# Of the range of the values. scipy's padding for nearest and grid-constant alone is 5e-11 off at order 5.
FLOAT64_ORDER_1, FLOAT64_SPLINE, FLOAT32 = 1e-12, 1e-10, 2e-6


def random_values(rng, shape, dtype):
    """Of the whole range of small integers, so that splines overshoot it; normal deviates times 100 of floats."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        return rng.integers(max(limits.min, -LARGEST_EXACT), min(limits.max, LARGEST_EXACT), shape, np.int64,
                            endpoint=True).astype(dtype)
    values = 100 * rng.standard_normal(shape)
    return (values + 100j * rng.standard_normal(shape) if dtype.kind == "c" else values).astype(dtype)


def real_values(compute, array, cval):
    """compute(float64 array, cval) of an array of any type; of complex ones part by part, cval is real.

    (scipy 1.10 forgets grid_mode for complex arrays.)
    """
    if array.dtype.kind == "c":
        return (compute(np.ascontiguousarray(array.real, np.float64), cval)
                + 1j * compute(np.ascontiguousarray(array.imag, np.float64), 0.0))
    return compute(np.ascontiguousarray(array, np.float64), cval)


# ------------------------------------------------------------------------------------------------ scipy's prefilter

def is_prefiltered_inexactly(order, mode, prefilter):
    """scipy's spline_filter begins its recursion for `reflect` with a value that is right only up to pole^(2n): on 7
    samples its spline of order 5 misses the samples themselves by 2e-6 of the range."""
    return prefilter and mode == "reflect" and order > 1


@functools.cache
def inverse_of_weights(count, order):
    """What turns samples into coefficients of splines that meet them, for `reflect`: exact, by linear equations."""
    units = np.eye(count)
    weights = np.stack([scipy.ndimage.affine_transform(unit, np.eye(1), order=order, mode="reflect", prefilter=False)
                        for unit in units], axis=1)
    return np.linalg.inv(weights)


def reflected_coefficients(array, order):
    for axis in range(array.ndim):
        array = np.moveaxis(np.tensordot(inverse_of_weights(array.shape[axis], order), array, (1, axis)), 0, axis)
    return array


def rounded(real, dtype):
    """As scipy rounds: half away from zero, clamped."""
    limits = np.iinfo(dtype)
    return np.clip(np.trunc(real + np.copysign(0.5, real)), limits.min, limits.max).astype(dtype)


# ----------------------------------------------------------------------------------------------------------- zoom

def zoomed(array, factor, order, mode="constant", cval=0.0, convention="scipy", prefilter=True):
    """scipy.ndimage.zoom of the array as it is, without scipy's known faults."""
    if is_prefiltered_inexactly(order, mode, prefilter):
        real = zoomed(reflected_coefficients(array.astype(float), order), factor, order, mode, cval, convention, False)
        return rounded(real, array.dtype) if array.dtype.kind in "ui" else real

    def zoom(boundary):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # grid_mode with constant or wrap
            return scipy.ndimage.zoom(array, factor, order=order, mode=boundary, cval=cval, prefilter=prefilter,
                                      grid_mode=convention == "scipy-grid")
    result = zoom(mode)
    if convention == "scipy" and mode in ("constant", "wrap"):
        for axis, (n_in, n_out) in enumerate(zip(array.shape, result.shape)):
            if last_coordinate_is_beyond(n_in, n_out):  # inside, these modes are mirror
                last = (slice(None),) * axis + (-1,)
                result[last] = zoom("mirror")[last]
    return result


def last_coordinate_is_beyond(n_in, n_out):
    """Whether scipy's last coordinate exceeds n_in - 1 by one ulp: it then writes cval (constant) or the first (wrap)."""
    return n_out > 1 and (n_out - 1) * ((n_in - 1) / (n_out - 1)) > n_in - 1


def zoomed_shape(shape, factors):
    return tuple(int(round(n * f)) for n, f in zip(shape, np.broadcast_to(factors, len(shape)).tolist()))


# --------------------------------------------------------------------------------------------------------- affine

def transformed(array, matrix, offset=0.0, shape=None, order=3, mode="constant", cval=0.0, prefilter=True):
    if is_prefiltered_inexactly(order, mode, prefilter):
        real = transformed(reflected_coefficients(array.astype(float), order), matrix, offset, shape, order, mode, cval,
                           False)
        return rounded(real, array.dtype) if array.dtype.kind in "ui" else real
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a matrix of one dimension
        return scipy.ndimage.affine_transform(array, matrix, offset, shape, order=order, mode=mode, cval=cval,
                                              prefilter=prefilter)


def homogeneous(matrix, offset, ndim):
    """scipy's forms of a matrix (n, n x n, n x n+1, n+1 x n+1) as n+1 x n+1."""
    matrix = np.asarray(matrix, float)
    full = np.eye(ndim + 1)
    if matrix.ndim == 1:
        full[:ndim, :ndim], full[:ndim, ndim] = np.diag(matrix), offset
    elif matrix.shape == (ndim, ndim):
        full[:ndim, :ndim], full[:ndim, ndim] = matrix, offset
    else:
        full[:ndim] = matrix[:ndim]
    return full


def input_coordinates(matrix, shape):
    """Where each output voxel looks, of a homogeneous matrix: an array (n, *shape)."""
    grid = np.indices(shape, dtype=float)
    ndim = len(shape)
    return (np.tensordot(matrix[:ndim, :ndim], grid, axes=1)
            + matrix[:ndim, ndim].reshape((ndim,) + (1,) * ndim))


def is_a_jump(coordinates, shape, order, mode, width=1e-9):
    """Where rounding of the coordinate decides: the halves of order 0, and the edges beyond which constant and wrap
    take something else."""
    jumps = np.zeros(coordinates.shape[1:], bool)
    for c, n in zip(coordinates, shape):
        if order == 0:
            jumps |= np.abs(c - np.floor(c) - 0.5) < width
        if mode == "constant":
            jumps |= (np.abs(c) < width) | (np.abs(c - (n - 1)) < width)
        if mode == "wrap":
            period = max(n - 1, 1)
            jumps |= np.abs(c - np.rint(c / period) * period) < width
    return jumps


# ------------------------------------------------------------------------------------------------------ comparing

def span_of(array, *cvals):
    """The range of the values that may be mixed, at least their largest magnitude."""
    values = np.concatenate([np.abs(np.asarray(cvals, float)).ravel(), np.abs(array).astype(float).ravel()])
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array.astype(float)]
    return max(float(values.max()), *(float(np.ptp(part)) for part in parts))


def tolerance_of(dtype, order):
    dtype = np.dtype(dtype)
    if dtype in (np.dtype("f4"), np.dtype("c8")):
        return FLOAT32
    return FLOAT64_ORDER_1 if order <= 1 else FLOAT64_SPLINE


def difference(result, real, order, span, whole=None, tolerance=None, ignored=None):
    """Why the result is not the real value within what is allowed, with the worst place; None when it is.

    whole: what scipy makes of it in the array's own integer type. ignored: a mask of elements that are not compared.
    """
    if result.shape != real.shape:
        return f"shape {result.shape}, scipy has {real.shape}"
    allowed = (tolerance or tolerance_of(result.dtype, order)) * span
    if result.dtype.kind == "b":
        wrong = (result != (real >= 1)) & (np.abs(real - 1) > allowed)  # a plain cast of C
    elif result.dtype.kind in "ui":
        off = np.abs(result.astype(object) - whole.astype(object)).astype(float)
        # Rounded, and then off by one where the value before was a half: nowhere else.
        near_half = np.abs(np.abs(real - np.floor(real)) - 0.5) <= allowed
        wrong = (off > 1) | ((off == 1) & ~near_half)
    else:
        wrong = ~(np.abs(result - real) <= allowed)
    if ignored is not None:
        wrong &= ~ignored
    if not wrong.any():
        return None
    distance = np.where(wrong, np.nan_to_num(np.abs(result.astype(real.dtype) - real), nan=np.inf), -1)
    worst = np.unravel_index(np.argmax(distance), distance.shape)
    return (f"{np.count_nonzero(wrong)} of {wrong.size} elements differ, most at {tuple(map(int, worst))}: "
            f"{result[worst]!r} where scipy has {real[worst]!r}, {distance[worst] / span:.2g} of the range "
            f"({allowed / span:.0e} allowed)")
