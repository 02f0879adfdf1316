#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "tests/part/client/scratch_folder.hpp"

#include <cstdlib>

// Both are read once a process, at the first pause point and the first recorded write: before any test.
int main(int argc, char** argv) {
    const slab::test::ScratchFolder pauses;
    const slab::test::ScratchFolder recordings;
    ::setenv("SLABD_PAUSE_DIR", (pauses / "").c_str(), 1);
    ::setenv("SLABD_RECORD_DIR", (recordings / "").c_str(), 0);
    return doctest::Context(argc, argv).run();
}
