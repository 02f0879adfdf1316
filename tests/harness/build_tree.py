"""Where the programs and the Python module under test are. After importing this, `import slab` finds the latter."""

import os
import pathlib
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SLABD_BUILD", REPOSITORY / "build"))
SLABD = BUILD / "daemon/slabd"
SLAB = BUILD / "client/slab"
SLABD_WITH_TEST_KERNELS = BUILD / "tests/process/slabd_with_test_kernels"

sys.path.insert(0, str(REPOSITORY / "client/python"))
import slab  # noqa: E402,F401  (the module under test, not an installed one)

# A daemon that a test kills is waited for only by the tests of that.
os.environ["SLABD_RECONNECT"] = "0"
