"""scipy's own tests of interpolation and of filters, as installed with it, with slabd in scipy's place.

Of the modules of scipy.ndimage.tests every test runs, but those named here.
"""

import importlib
import inspect
import itertools
import unittest
import unittest.mock

from slab_as_ndimage import SlabAsNdimage
from slab_filters_as_ndimage import SlabFilters
from slab_harness import SharedDaemonTestCase

LEFT_OUT = {
    "test_interpolation": {
        "test_geometric_transform13": "x // 2 is no affine map, and slabd has no kernel of free coordinates",
        "test_map_coordinates_large_data": "7 GB of input, for an overflow in a loop that we do not have",
        "test_spline01": "an array of no dimensions: slabd has none in which one could interpolate",
        "test_spline03": "an array of no dimensions",
        "test_zoom_grid_mode_warnings": "that scipy warns: slabd does not",
    },
    "test_splines": {},
    "test_filters": {
        "test_correlate09": "an empty array: slabd takes none",
        "test_correlate10": "an empty array",
        "test_uniform05": "an empty array",
        "test_uniform02": "a window of no elements, which scipy passes over: slabd refuses it",
        "test_orders_gauss": "the third derivative: slabd knows two",
        "test_multiple_modes": "axis by axis equal to the last bit to all axes at once, which slabd adds up in another order",
        "test_gaussian_filter": "float16, which numpy computes with and slabd's arrays are not of",
    },
}
IN_SCIPYS_PLACE = {"test_interpolation": SlabAsNdimage, "test_splines": SlabAsNdimage, "test_filters": SlabFilters}


def cases_of(function):
    """The keyword arguments of each call that pytest would make of a parametrized test."""
    choices = []
    for mark in getattr(function, "pytestmark", []):
        if mark.name == "parametrize":
            names, values = mark.args
            names = [name.strip() for name in names.split(",")]
            choices.append([dict(zip(names, value if len(names) > 1 else [value])) for value in values])
    for chosen in itertools.product(*choices):
        yield {name: value for part in chosen for name, value in part.items()}


def functions_of(module):
    for name, value in vars(module).items():
        if inspect.isclass(value) and name.startswith("Test"):
            for method in vars(value):
                if method.startswith("test"):
                    yield method, getattr(value(), method)
        elif inspect.isfunction(value) and name.startswith("test"):
            yield name, value


class ScipysOwnTests(SharedDaemonTestCase):
    def run_cases(self, module, function):
        in_place = IN_SCIPYS_PLACE[module.__name__.rpartition(".")[2]]
        with unittest.mock.patch.object(module, "ndimage", in_place(self.slabd)):
            for arguments in cases_of(function):
                with self.subTest(**{name: str(value) for name, value in arguments.items()}):
                    function(**arguments)


class TheList(unittest.TestCase):
    def test_what_is_left_out_exists(self):
        for name, left_out in LEFT_OUT.items():
            module = importlib.import_module(f"scipy.ndimage.tests.{name}")
            self.assertEqual(set(left_out) - {function for function, _ in functions_of(module)}, set())


def add_tests():
    for module_name, left_out in LEFT_OUT.items():
        module = importlib.import_module(f"scipy.ndimage.tests.{module_name}")
        for name, function in functions_of(module):
            if name in left_out:
                continue
            def test(self, module=module, function=function):
                self.run_cases(module, function)
            setattr(ScipysOwnTests, f"{name}_of_{module_name}", test)


add_tests()

if __name__ == "__main__":
    unittest.main()
