"""numpy as the judge of expressions: what it makes of them, and how near a result must come."""

import numpy as np

DTYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16")
FLOAT32, FLOAT64 = 2e-6, 1e-12

RENAMED = {"min": "minimum", "max": "maximum", "mod": "remainder"}
FUNCTIONS = ("sqrt exp expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh abs sign floor ceil "
             "rint trunc minimum maximum min max clip where isnan isinf isfinite conj real imag angle hypot power mod").split()
TYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "complex64",
         "complex128")


def _single_for_half(function):
    """slabd has no float16: where numpy computes in it, it computes in float32."""
    def computed(*arguments):
        result = function(*arguments)
        if getattr(result, "dtype", None) != np.float16:
            return result
        return function(*(np.asarray(argument).astype("f4") if np.asarray(argument).dtype.kind in "bui" else argument
                          for argument in arguments))
    return computed


NAMES = {name: _single_for_half(getattr(np, RENAMED.get(name, name))) for name in FUNCTIONS}
NAMES |= {name: (lambda dtype: lambda x: np.asarray(x).astype(dtype) if isinstance(x, np.ndarray) else np.dtype(dtype).type(x))(
    "?" if name == "bool" else name) for name in TYPES}
NAMES |= {"pi": np.pi, "e": np.e, "inf": np.inf, "nan": np.nan}


def evaluated(expression, *arrays):
    """The expression by numpy, of as many arrays as there are, broadcast; numpy's warnings are none of ours."""
    names = dict(NAMES)
    names.update(zip("abcdefghijklmnop", arrays))
    with np.errstate(all="ignore"):
        result = eval(expression, {"__builtins__": {}}, names)
    return np.broadcast_to(result, np.broadcast_shapes(*(array.shape for array in arrays)))


def random_values(rng, shape, dtype, specials=True):
    """Small and large integers with the ends of the type; reals around 0, with infinities, NaN and zeros of both signs."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        values = rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
        small = rng.integers(-9 if dtype.kind == "i" else 0, 10, shape).astype(dtype)
        values = np.where(rng.random(shape) < 0.6, small, values)
        ends = np.array([limits.min, limits.max, 0, 1, limits.max - 1], dtype)
        return np.where(rng.random(shape) < 0.1, rng.choice(ends, shape), values)
    if dtype.kind == "c":
        part = np.empty(0, dtype).real.dtype
        values = np.empty(shape, dtype)
        values.real, values.imag = (random_values(rng, shape, part, specials) for _ in range(2))
        return values
    values = (rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 4, shape)).astype(dtype)
    if specials:
        odd = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, np.finfo(dtype).max, np.finfo(dtype).tiny,
                        np.finfo(dtype).tiny / 8, 1e6, -1e5], dtype)
        values = np.where(rng.random(shape) < 0.15, rng.choice(odd, shape), values)
    return values


def difference(result, expected, tolerance=None, absolute=0.0):
    """None, or what is wrong. Exactly equal (a NaN is a NaN), or within a tolerance relative to the expected value; by default
    that of the type."""
    if result.dtype != expected.dtype:
        return f"the dtype is {result.dtype}, numpy's {expected.dtype}"
    if result.shape != expected.shape:
        return f"the shape is {result.shape}, numpy's {expected.shape}"
    if expected.dtype.kind in "fc":
        return _far_off(_parts(result), _parts(expected), tolerance, absolute)
    wrong = result != expected
    return _told(result, expected, wrong) if wrong.any() else None


def _parts(array):
    return array if array.dtype.kind == "f" else np.stack([array.real, array.imag], -1)


def _far_off(result, expected, tolerance, absolute):
    if tolerance is None:
        tolerance = FLOAT32 if expected.dtype.itemsize == 4 else FLOAT64
    with np.errstate(all="ignore"):
        near = np.abs(result.astype("f8") - expected.astype("f8")) <= tolerance * np.abs(expected.astype("f8")) + absolute
    wrong = ~(near | (result == expected) | (np.isnan(result) & np.isnan(expected)))
    return _told(result, expected, wrong) if wrong.any() else None


def _told(result, expected, wrong):
    first = tuple(int(index) for index in np.argwhere(wrong)[0]) if wrong.ndim else ()
    return (f"{np.count_nonzero(wrong)} of {wrong.size} elements differ, the first at {first}: {result[first]!r} where numpy has "
            f"{expected[first]!r}")
