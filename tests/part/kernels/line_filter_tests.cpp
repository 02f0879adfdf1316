#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/interpolation/line_filter.hpp"
#include "daemon/kernels/interpolation/spline.hpp"
#include "daemon/kernels/kernel_registry.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

namespace {

using namespace slab;
using namespace slab::kernels;

using Fill = void (*)(const LineFilter&, const TileCall&) noexcept;
using Bytes = std::vector<std::byte>;

struct FilterCase {
    ArrayDescription source;
    int axis;
    int order;
    Boundary boundary;
};

// The filter's workspace from random samples, filled tile by tile.
struct FilterRun {
    explicit FilterRun(const FilterCase& c, std::uint64_t seed = 1) : source(c.source) {
        filter = spline_prefilter(c.axis, 0, c.order, c.boundary, 2.5,
                                  working_type(source.dtype, Precision::automatic, 3), table);
        target = line_filter_workspace(filter, source).array;
        std::mt19937_64 random(seed);
        samples.resize(static_cast<std::size_t>(byte_count(source)));
        std::uniform_real_distribution<double> values(-100.0, 100.0);
        const std::int64_t parts = parts_of(source.dtype);
        for (std::int64_t i = 0; i < element_count(source.shape) * parts; ++i) {
            store_element(values(random), samples.data(), source.dtype, i);
        }
    }

    Bytes result(Fill fill, const std::vector<Box>& tiles) const {
        Bytes bytes(static_cast<std::size_t>(byte_count(target)), std::byte{0xEE});
        alignas(64) static std::byte scratch[scratch_bytes];
        const ConstArrayView input{samples.data(), source.dtype, source.shape};
        for (const Box& tile : tiles) {
            fill(filter, {nullptr,
                          {&input, 1},
                          {bytes.data(), target.dtype, target.shape},
                          tile,
                          scratch,
                          0,
                          {},
                          table});
        }
        return bytes;
    }

    double value(const Bytes& bytes, std::int64_t part) const {
        return load_element<double>(bytes.data(), target.dtype, part);
    }

    ArrayDescription source;
    ArrayDescription target;
    LineFilter filter;
    Bytes samples;
    std::vector<std::byte> table;
};

std::vector<Box> halves(const Shape& shape) {
    std::vector<Box> tiles{whole(shape)};
    for (int axis = 0; axis < shape.rank; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        std::vector<Box> finer;
        for (Box tile : tiles) {
            const std::int64_t middle = tile.begin[a] + (tile.extent(axis) * 3) / 7;
            Box first = tile;
            first.end[a] = middle;
            if (middle > tile.begin[a]) {
                finer.push_back(first);
            }
            tile.begin[a] = middle;
            finer.push_back(tile);
        }
        tiles = finer;
    }
    return tiles;
}

std::vector<FilterCase> filter_cases() {
    std::vector<FilterCase> cases;
    const Shape shapes[] = {{1},      {2},       {37},         {700},      {5, 6},        {130, 7},
                            {7, 130}, {9, 8, 3}, {6, 4, 3, 2}, {5, 3, 67}, {3, 41, 2, 33}};
    int turn = 0;
    for (const Shape& shape : shapes) {
        for (int axis = 0; axis < shape.rank; ++axis) {
            for (const DType dtype : {DType::float32, DType::float64, DType::int16, DType::complex64}) {
                cases.push_back(
                    {{dtype, shape, MemoryOrder::c}, axis, 2 + turn % 4, static_cast<Boundary>(turn % 7)});
                ++turn;
            }
        }
    }
    return cases;
}

}  // namespace

TEST_CASE("the line filter's fast code agrees with the definition, and its tiling does not show") {
    for (const FilterCase& c : filter_cases()) {
        const FilterRun run(c);
        const Bytes expected = run.result(filter_lines_scalar, {whole(run.target.shape)});
        const double allowed = run.filter.type == WorkingType::float32 ? 100.0 * 0x1p-20 : 100.0 * 0x1p-48;
        const std::int64_t parts = element_count(run.target.shape) * parts_of(run.target.dtype);
        for (const std::string& level : simd_levels()) {
            if (level == "scalar") {
                continue;
            }
            REQUIRE(select_simd_level(level.c_str()));
            const Bytes result = run.result(filter_lines_simd, {whole(run.target.shape)});
            INFO(to_text(c.source.shape), " axis ", c.axis, " ", name_of(c.source.dtype), " order ", c.order,
                 " boundary ", static_cast<int>(c.boundary), " at ", level);
            double worst = 0.0;
            for (std::int64_t i = 0; i < parts; ++i) {
                worst = std::max(worst, std::abs(run.value(result, i) - run.value(expected, i)));
            }
            CHECK(worst <= allowed);
            CHECK((run.result(filter_lines_simd, halves(run.target.shape)) == result));
        }
        select_simd_level(nullptr);
    }
}

TEST_CASE(
    "interpolated values become integers by rounding half away from zero and clamping, a NaN becomes 0") {
    CHECK(rounded<std::uint8_t>(2.5) == 3);
    CHECK(rounded<std::uint8_t>(2.4999999999) == 2);
    CHECK(rounded<std::uint8_t>(-7.0) == 0);
    CHECK(rounded<std::uint8_t>(255.6F) == 255);
    CHECK(rounded<std::int16_t>(-2.5F) == -3);
    CHECK(rounded<std::int8_t>(-1e30) == -128);
    CHECK(rounded<std::uint32_t>(4294967295.4) == 4294967295U);
    CHECK(rounded<std::int32_t>(8388609.0F) == 8388609);
    CHECK(rounded<std::int64_t>(1e19) == std::numeric_limits<std::int64_t>::max());
    CHECK(rounded<std::int64_t>(-1e19) == std::numeric_limits<std::int64_t>::min());
    CHECK(rounded<std::uint64_t>(0x1p63) == std::uint64_t{1} << 63);
    CHECK(rounded<std::int64_t>(0x1p52 + 1.0) == (std::int64_t{1} << 52) + 1);
    CHECK(rounded<std::int32_t>(std::numeric_limits<double>::quiet_NaN()) == 0);
    CHECK(as_element<Bool>(0.999).byte == 0);
    CHECK(as_element<Bool>(1.0).byte == 1);
}
