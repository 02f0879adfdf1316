"""Programs run as another user: the tests that need it need root."""

import os
import shutil
import unittest


def as_user(uid, gid=0):
    """The words before a command that run it as this user, in this group only. Needs root."""
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]


needs_root = unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root and setpriv")
