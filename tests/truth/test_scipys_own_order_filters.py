"""scipy's own tests of filters that name a minimum, median or maximum filter, with slabd in scipy's place."""

import importlib
import inspect
import re
import unittest
import unittest.mock

import test_scipys_own_tests as own
from slab_harness import SharedDaemonTestCase
from slab_order_filters import SlabOrderFilters

MODULE = importlib.import_module("scipy.ndimage.tests.test_filters")
OURS = re.compile(r"(minimum|median|maximum)_filter")


class ScipysOwnTestsOfOrderFilters(SharedDaemonTestCase):
    pass


class TheList(unittest.TestCase):
    def test_there_are_such_tests(self):
        names = [name for name in vars(ScipysOwnTestsOfOrderFilters) if name.startswith("test")]
        self.assertGreater(len(names), 25)


def add_tests():
    for name, function in own.functions_of(MODULE):
        if not OURS.search(inspect.getsource(function)):
            continue
        def test(self, function=function):
            with unittest.mock.patch.object(MODULE, "ndimage", SlabOrderFilters(self.slabd)):
                for arguments in own.cases_of(function):
                    with self.subTest(**{key: str(value) for key, value in arguments.items()}):
                        function(**arguments)
        setattr(ScipysOwnTestsOfOrderFilters, name, test)


add_tests()

if __name__ == "__main__":
    unittest.main()
