"""Plug-ins for tests, built as their authors would: one call of the C compiler."""

import pathlib
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "tests/plugins"
EXAMPLE = REPOSITORY / "examples/plugin"


def build_plugin(library, source="sound.c", *definitions):
    """Compiles a source of tests/plugins into the shared library `library`: its path. definitions: "NAME=VALUE"."""
    subprocess.run(["cc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-I", REPOSITORY / "common/plugin",
                    *(f"-D{definition}" for definition in definitions), "-o", library, SOURCES / source, "-lm"],
                   check=True, capture_output=True, timeout=60)
    library.chmod(0o755)  # whatever the umask is: one that others may write is refused
    return library
