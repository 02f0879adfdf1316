"""Parameters as JSON can carry them."""

import base64
import math

import numpy as np

from slab.errors import UsageError

LARGEST_EXACT_INTEGER = 2**53
MOST_LISTED_NUMBERS = 10_000
MOST_TABLE_NUMBERS = 1_000_000


def plain(value, name="parameter"):
    """A parameter's value as JSON can carry it: numpy scalars and arrays as Python's, NaN and the like as text; arrays
    of two and three dimensions and lists of rows as a TABLE of the protocol."""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (np.bool_, np.number)):
        return plain(value.tolist(), name)
    if not isinstance(value, np.ndarray) and hasattr(value, "__array__"):  # a pandas frame, a jax array
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        return _plain_array(value, name)
    if isinstance(value, (list, tuple)) and any(isinstance(row, (list, tuple, np.ndarray)) for row in value):
        return _plain_array(_array_of_rows(value, name), name)
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_EXACT_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(element, name) for element in value]
    raise UsageError(f"{name} cannot be a {type(value).__name__}", repr(value)[:100],
                     "Give a number, a text, a boolean, a list of numbers, or a table of them.")


def _plain_array(array, name):
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{name} cannot be an array of {array.dtype}", "parameters are made of real numbers",
                         "Convert it, for instance with astype(float).")
    if array.ndim > 3 or (array.ndim > 0 and array.size == 0):
        raise UsageError(f"{name} cannot be an array of shape {array.shape}",
                         "a table has rows and columns: two dimensions, or three with a matrix for each row",
                         "Reshape it.")
    if array.ndim == 0 or (array.ndim == 1 and array.size <= MOST_LISTED_NUMBERS):
        elements = array.astype(float) if array.dtype.kind == "f" else array
        return plain(elements.tolist(), name)
    table = array.reshape(1 if array.ndim == 1 else len(array), -1)
    if table.size > MOST_TABLE_NUMBERS:
        raise UsageError(f"{name} is too large a table", f"it has {table.size} numbers; {MOST_TABLE_NUMBERS} are the most",
                         "What is that large is an array, an input.")
    packed = np.ascontiguousarray(table, "<f8")
    return {"rows": table.shape[0], "columns": table.shape[1], "float64": base64.b64encode(packed).decode()}


def _array_of_rows(rows, name):
    """Of nested lists, or a list of matrices."""
    lengths = [len(row) if hasattr(row, "__len__") and not isinstance(row, str) else None for row in rows]
    for number, length in enumerate(lengths, 1):
        if length != lengths[0]:
            raise UsageError(f"the rows of {name} differ in length",
                             f"row {number} has {'no length' if length is None else length}, the first "
                             f"{'none' if lengths[0] is None else lengths[0]}",
                             "Give every row equally many numbers.")
    try:
        return np.array(rows)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{name} is no table", str(error)[:200], "Give rows of equally many numbers.") from error
