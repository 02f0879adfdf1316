#include "daemon/kernels/kernel_registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace slab::kernels;

TEST_CASE("a parameter is absent until it is set, and null when asked for as another type") {
    ParameterValues values;
    CHECK_FALSE(values.has("order"));
    values.set("order", std::int64_t{3});
    CHECK(values.has("order"));
    CHECK(values.get<double>("order") == nullptr);
    REQUIRE(values.get<std::int64_t>("order") != nullptr);
    CHECK(*values.get<std::int64_t>("order") == 3);
}

TEST_CASE("a parameter that is set twice has its last value") {
    ParameterValues values;
    values.set("order", std::int64_t{3});
    values.set("order", std::int64_t{1});
    CHECK(*values.get<std::int64_t>("order") == 1);
}

TEST_CASE("reversed axes turn per-axis values around and leave the others") {
    ParameterValues values;
    values.set("factor", std::vector<double>{1, 2, 3});
    values.set("shape", std::vector<std::int64_t>{7});
    values.set("order", std::int64_t{1});
    values.reverse_axes();
    CHECK(*values.get<std::vector<double>>("factor") == std::vector<double>{3, 2, 1});
    CHECK(*values.get<std::vector<std::int64_t>>("shape") == std::vector<std::int64_t>{7});
    CHECK(*values.get<std::int64_t>("order") == 1);
}

TEST_CASE("every kernel is found by its name, and names are not used twice") {
    std::set<std::string> names;
    for (const Kernel& kernel : all_kernels()) {
        const std::string& name = kernel.describe().name;
        CHECK(find_kernel(name) != nullptr);
        CHECK(names.insert(name).second);
    }
    CHECK(find_kernel("no such kernel") == nullptr);
}

TEST_CASE("every kernel says what it does, in full, with an example that names it") {
    for (const Kernel& kernel : all_kernels()) {
        const KernelDescription& description = kernel.describe();
        CHECK_FALSE(description.summary.empty());
        CHECK_FALSE(description.details.empty());
        CHECK_FALSE(description.inputs.empty());
        CHECK(description.example.find("slab run " + description.name) == 0);
    }
}

TEST_CASE("a choice's default is one of its choices, and no parameter is a Python keyword") {
    for (const Kernel& kernel : all_kernels()) {
        for (const ParameterDescription& parameter : kernel.describe().parameters) {
            CHECK_FALSE(parameter.help.empty());
            for (const char* word : {"lambda", "from", "in", "is", "as", "with", "global", "class", "def"}) {
                CHECK(parameter.name != word);
            }
            if (parameter.type == ParameterType::choice && !parameter.fallback.empty()) {
                CHECK(std::ranges::find(parameter.choices, parameter.fallback) != parameter.choices.end());
            }
        }
    }
}
