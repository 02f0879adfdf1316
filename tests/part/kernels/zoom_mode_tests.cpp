#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/kernels/zoom/zoom.hpp"
#include "daemon/kernels/zoom/zoom_coordinates.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <vector>

namespace {

using namespace slab;
using namespace slab::kernels;

using Bytes = std::vector<std::byte>;
using Fill = void (*)(const TileCall&) noexcept;

struct ZoomRun {
    ConstArrayView input;
    ArrayDescription output;
    Program program;
};

ZoomProgram grid_program(Boundary boundary, double cval) {
    return {ZoomConvention::scipy_grid, {}, 0, boundary, cval};
}

Bytes random_bytes(std::size_t count, std::mt19937_64& random) {
    Bytes bytes(count);
    for (std::byte& byte : bytes) {
        byte = static_cast<std::byte>(random());
    }
    return bytes;
}

// Cut in two at a random place of each axis.
std::vector<Box> random_tiles(const Shape& shape, std::mt19937_64& random) {
    std::vector<Box> tiles{whole(shape)};
    for (std::size_t a = 0; a < static_cast<std::size_t>(shape.rank); ++a) {
        const auto at = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(shape.extents[a]));
        const std::size_t count = tiles.size();
        for (std::size_t i = 0; at > 0 && i < count; ++i) {
            tiles.push_back(tiles[i]);
            tiles.back().begin[a] = at;
            tiles[i].end[a] = at;
        }
    }
    return tiles;
}

Bytes filled(const ZoomRun& run, Fill fill, const std::vector<Box>& tiles) {
    static std::vector<std::byte> memory(scratch_bytes + 64);
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    const std::span<std::byte> scratch(memory.data() + (64 - address % 64), scratch_bytes);
    Bytes output(static_cast<std::size_t>(byte_count(run.output)), std::byte{0xA5});
    for (const Box& tile : tiles) {
        fill({.program = &run.program,
              .inputs = {&run.input, 1},
              .target = {output.data(), run.output.dtype, run.output.shape},
              .tile = tile,
              .scratch = scratch});
    }
    return output;
}

std::vector<std::uint8_t> zoomed_bytes(const std::vector<std::uint8_t>& input, const Shape& from,
                                       const Shape& to, Boundary boundary, double cval) {
    const ZoomRun run{{reinterpret_cast<const std::byte*>(input.data()), DType::uint8, from},
                      {DType::uint8, to, MemoryOrder::c},
                      Program(grid_program(boundary, cval))};
    const Bytes output = filled(run, fill_zoom_scalar, {whole(to)});
    std::vector<std::uint8_t> values(output.size());
    std::memcpy(values.data(), output.data(), output.size());
    return values;
}

}  // namespace

// scipy 1.10: zoom(numpy.arange(1, 7, dtype="u1").reshape(2, 3), 2, order=0, mode=mode, cval=99.5, grid_mode=True)
TEST_CASE(
    "constant shows cval where the coordinate of any axis lies outside, wrap the other end of each axis") {
    const std::vector<std::uint8_t> input{1, 2, 3, 4, 5, 6};
    CHECK(zoomed_bytes(input, {2, 3}, {4, 6}, Boundary::constant, 99.5) ==
          std::vector<std::uint8_t>{100, 100, 100, 100, 100, 100, 100, 1,   2,   2,   3,   100,
                                    100, 4,   5,   5,   6,   100, 100, 100, 100, 100, 100, 100});
    CHECK(zoomed_bytes(input, {2, 3}, {4, 6}, Boundary::wrap, 99.5) ==
          std::vector<std::uint8_t>{6, 4, 5, 5, 6, 4, 3, 1, 2, 2, 3, 1, 6, 4, 5, 5, 6, 4, 3, 1, 2, 2, 3, 1});
}

TEST_CASE("every SIMD level and any tiling give the definition's bytes in every mode") {
    struct Sizes {
        Shape input;
        Shape output;
    };
    const Sizes all_sizes[] = {
        {{1}, {37}},
        {{5}, {16}},
        {{3000}, {9000}},
        {{30000}, {60000}},
        {{30000}, {15001}},
        {{2}, {50000}},
        {{7, 130}, {14, 130}},
        {{7, 130}, {7, 163}},
        {{31, 65}, {12, 162}},
        {{1, 9}, {5, 27}},
        {{5, 6, 7}, {10, 12, 14}},
        {{6, 9, 3}, {12, 27, 3}},
        {{6, 9, 3}, {12, 27, 7}},
        {{3, 4, 5, 6}, {5, 6, 8, 9}},
        {{2, 3, 4, 3, 5}, {4, 3, 2, 3, 15}},
        // Streamed.
        {{5, 64, 512}, {10, 128, 1024}},
        {{3, 61, 1033}, {6, 244, 2000}},
        {{5, 30, 3000}, {10, 60, 3000}},
    };
    std::mt19937_64 random(11);
    for (const DType dtype :
         {DType::uint8, DType::uint16, DType::float32, DType::float64, DType::complex128}) {
        for (const Sizes& sizes : all_sizes) {
            const ArrayDescription input{dtype, sizes.input, MemoryOrder::c};
            const Bytes content = random_bytes(static_cast<std::size_t>(byte_count(input)), random);
            for (const std::string& name : boundary_names()) {
                const ZoomRun run{{content.data(), dtype, sizes.input},
                                  {dtype, sizes.output, MemoryOrder::c},
                                  Program(grid_program(*boundary_named(name), 41.0))};
                const Bytes expected = filled(run, fill_zoom_scalar, {whole(sizes.output)});
                for (const std::string& level : simd_levels()) {
                    INFO(name, " ", to_text(sizes.input), " -> ", to_text(sizes.output), " ", name_of(dtype),
                         " ", level);
                    if (level != "scalar") {
                        REQUIRE(select_simd_level(level.c_str()));
                        const bool is_same_whole =
                            filled(run, fill_zoom_simd, {whole(sizes.output)}) == expected;
                        CHECK(is_same_whole);
                        const bool is_same_tiled =
                            filled(run, fill_zoom_simd, random_tiles(sizes.output, random)) == expected;
                        CHECK(is_same_tiled);
                    }
                }
                select_simd_level(nullptr);
            }
        }
    }
}
