#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/kernel_registry.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace slab;
using namespace slab::kernels;

// Those that rounding could get wrong: squares and their neighbours, neighbours of halfway points, the ends of the
// exponents; and any bits at all, among which are NaNs, infinities and negative numbers. Runs of zeros between.
std::vector<double> radicands() {
    std::mt19937_64 random(20261122);
    std::vector<double> values;
    const auto add_with_neighbours = [&values](double value) {
        values.push_back(value);
        values.push_back(std::nextafter(value, 0.0));
        values.push_back(std::nextafter(value, std::numeric_limits<double>::infinity()));
    };
    for (int i = 0; i < 100000; ++i) {
        values.push_back(std::bit_cast<double>(random()));
        const auto root = static_cast<double>(random() >> 38);
        add_with_neighbours(root * root);
        const double odd = static_cast<double>(random() >> 11) * 0x1p-53 + 1.0;  // of all the mantissa's bits
        const double halfway = odd + std::numeric_limits<double>::epsilon() / 2;
        add_with_neighbours(odd * odd);
        values.push_back(std::fma(odd, halfway, odd * (halfway - odd)));
        if (i % 97 == 0) {
            values.insert(values.end(), i % 61, i % 2 == 0 ? 0.0 : -0.0);
        }
    }
    for (int exponent = -1074; exponent <= 1023; ++exponent) {
        add_with_neighbours(std::ldexp(1.0, exponent));
    }
    return values;
}

}  // namespace

TEST_CASE("square roots of doubles are rounded to nearest at every instruction set, zeros keep their sign") {
    const std::vector<double> values = radicands();
    for (const std::string& level : simd_levels()) {
        if (level == "scalar") {
            continue;
        }
        INFO("at ", level);
        REQUIRE(select_simd_level(level.c_str()));
        const auto loop = expression::simd_functions().find({.operation = expression::Operation::square_root,
                                                             .type = DType::float64,
                                                             .result_type = DType::float64,
                                                             .operand_count = 1});
        // Blocks of several lengths, so that every element takes each way through the loop.
        for (const std::size_t block : {std::size_t{1}, std::size_t{29}, std::size_t{512}}) {
            std::vector<double> roots(values.size());
            for (std::size_t i = 0; i < values.size(); i += block) {
                const std::size_t count = std::min(block, values.size() - i);
                const auto* const from = reinterpret_cast<const std::byte*>(values.data() + i);
                loop(reinterpret_cast<std::byte*>(roots.data() + i), &from, static_cast<std::int64_t>(count));
            }
            std::size_t different = 0;
            for (std::size_t i = 0; i < values.size(); ++i) {
                const double expected = std::sqrt(values[i]);
                const bool is_same = std::isnan(expected) ? std::isnan(roots[i])
                                                          : std::bit_cast<std::uint64_t>(expected) ==
                                                                std::bit_cast<std::uint64_t>(roots[i]);
                different += is_same ? 0 : 1;
            }
            CHECK(different == 0);
        }
    }
    select_simd_level(nullptr);
}
