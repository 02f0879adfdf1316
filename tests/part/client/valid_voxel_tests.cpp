#include "client/motion/valid_voxels.hpp"
#include "common/geometry/affine_matrix.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace slab {
namespace {

const MotionGrid flat_grid{.to_mm = diagonal({2, 3, 4}), .extents = {5, 6, 7}};

// Voxel by voxel, without the intervals.
std::vector<std::uint8_t> by_definition(const std::vector<FrameMotion>& motion, const MotionGrid& grid,
                                        MemoryOrder order) {
    const auto& n = grid.extents;
    std::vector<std::uint8_t> valid(static_cast<std::size_t>(n[0] * n[1] * n[2]), 1);
    for (const FrameMotion& frame : motion) {
        const AffineMatrix map = inverse(grid.to_mm) * inverse(frame.to_reference) * grid.to_mm;
        for (std::int64_t x = 0; x < n[0]; ++x) {
            for (std::int64_t y = 0; y < n[1]; ++y) {
                for (std::int64_t z = 0; z < n[2]; ++z) {
                    bool is_inside = true;
                    for (std::size_t axis = 0; axis < 3; ++axis) {
                        const auto& row = map.rows[axis];
                        const double place = row[0] * static_cast<double>(x) +
                                             row[1] * static_cast<double>(y) +
                                             row[2] * static_cast<double>(z) + row[3];
                        is_inside =
                            is_inside && place > -1e-8 && place < static_cast<double>(n[axis] - 1) + 1e-8;
                    }
                    const std::int64_t at =
                        order == MemoryOrder::c ? (x * n[1] + y) * n[2] + z : (z * n[1] + y) * n[0] + x;
                    valid[static_cast<std::size_t>(at)] &= is_inside ? 1 : 0;
                }
            }
        }
    }
    return valid;
}

std::size_t count_of(const std::vector<std::uint8_t>& valid) {
    return static_cast<std::size_t>(std::ranges::count(valid, 1));
}

}  // namespace

TEST_CASE("where nothing moves every voxel is valid, and where a frame is elsewhere none is") {
    std::vector<FrameMotion> motion(3);
    CHECK(count_of(valid_voxels(motion, flat_grid, MemoryOrder::fortran)) == 5 * 6 * 7);
    motion[1].to_reference = shift({100, 0, 0});
    CHECK(count_of(valid_voxels(motion, flat_grid, MemoryOrder::fortran)) == 0);
    motion[1].has_converged = false;
    CHECK(count_of(valid_voxels(motion, flat_grid, MemoryOrder::fortran)) == 5 * 6 * 7);
}

TEST_CASE("a shift of two voxels takes two planes away") {
    std::vector<FrameMotion> motion(2);
    motion[1].to_reference = shift({4, 0, 0});
    CHECK(count_of(valid_voxels(motion, flat_grid, MemoryOrder::fortran)) == 3 * 6 * 7);
}

TEST_CASE("intervals along rows are what voxel after voxel says, in both memory orders") {
    std::mt19937 random(5);
    std::uniform_real_distribution<double> angle(-0.3, 0.3);
    std::uniform_real_distribution<double> way(-3, 3);
    for (int repetition = 0; repetition < 200; ++repetition) {
        std::vector<FrameMotion> motion(2);
        for (FrameMotion& frame : motion) {
            frame.to_reference = shift({way(random), way(random), way(random)}) *
                                 turn_back(0, angle(random)) * turn_back(2, angle(random));
        }
        for (const MemoryOrder order : {MemoryOrder::c, MemoryOrder::fortran}) {
            CHECK(valid_voxels(motion, flat_grid, order) == by_definition(motion, flat_grid, order));
        }
    }
}

}  // namespace slab
