#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/agreement/plugin_cases.hpp"

#include <doctest/doctest.h>

int main(int argc, char** argv) {
    slab::agreement::register_plugin(SLABD_EXAMPLE_PLUGIN);
    slab::agreement::register_plugin(SLABD_SOUND_PLUGIN);
    return doctest::Context(argc, argv).run();
}
