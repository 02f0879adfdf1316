#include "common/geometry/grid_space.hpp"
#include "common/geometry/motion_parameters.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

namespace {

using namespace slab;

constexpr std::array conventions{MotionConvention::spm, MotionConvention::fsl, MotionConvention::afni};

double largest_difference(const AffineMatrix& a, const AffineMatrix& b) {
    double largest = 0.0;
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 4; ++column) {
            largest = std::max(largest, std::abs(a.rows[row][column] - b.rows[row][column]));
        }
    }
    return largest;
}

AffineMatrix random_motion(std::mt19937_64& random, double most_radians) {
    std::uniform_real_distribution<double> angle(-most_radians, most_radians);
    std::uniform_real_distribution<double> mm(-30, 30);
    return shift({mm(random), mm(random), mm(random)}) * turn_back(2, angle(random)) *
           turn_back(0, angle(random)) * turn_back(1, angle(random));
}

}  // namespace

TEST_CASE("a motion of any size comes back from its parameters in every convention") {
    std::mt19937_64 random(7);
    const Point centre{-90, 20, 45.5};
    for (const double most_radians : {0.0, 1e-6, 0.02, 0.5, std::numbers::pi}) {
        for (int i = 0; i < 200; ++i) {
            const AffineMatrix motion = random_motion(random, most_radians);
            for (const MotionConvention convention : conventions) {
                CAPTURE(most_radians);
                CAPTURE(static_cast<int>(convention));
                const MotionRow row = motion_parameters(convention, motion, centre);
                CHECK(largest_difference(motion_matrix(convention, row, centre), motion) < 1e-11);
            }
        }
    }
}

TEST_CASE("parameters come back as they were given") {
    const Point centre{1, 2, 3};
    const MotionRow row{0.3,  -0.2, 0.1,
                        -1.5, 0.7,  -0.4};  // all are degrees, radians or mm of the allowed range
    for (const MotionConvention convention : conventions) {
        const MotionRow back = motion_parameters(convention, motion_matrix(convention, row, centre), centre);
        for (std::size_t i = 0; i < 6; ++i) {
            CAPTURE(static_cast<int>(convention));
            CAPTURE(i);
            CHECK(back[i] == doctest::Approx(row[i]).epsilon(1e-13));
        }
    }
}

TEST_CASE("where two angles are one, the matrix comes back all the same") {
    constexpr double quarter = std::numbers::pi / 2;
    for (const double sign : {-1.0, 1.0}) {
        for (int axis = 0; axis < 3; ++axis) {
            const AffineMatrix motion =
                shift({1, 2, 3}) * turn_back(0, 0.3) * turn_back(axis, sign * quarter) * turn_back(2, 0.4);
            for (const MotionConvention convention : conventions) {
                const MotionRow row = motion_parameters(convention, motion, {5, 6, 7});
                CHECK(largest_difference(motion_matrix(convention, row, {5, 6, 7}), motion) < 1e-12);
            }
        }
    }
}

// What a writer of FSL's parameters does and reslice undoes: the motion of the world as one of scaled mm.
TEST_CASE("a motion of the world goes through FSL's scaled mm and back, flipped and tilted grids too") {
    std::mt19937_64 random(11);
    const std::array<std::int64_t, 3> extents{64, 60, 35};
    for (const double flip : {-1.0, 1.0}) {
        for (const double tilt : {0.0, 0.21}) {
            const AffineMatrix to_mm = shift({flip * -90, -110, -60}) * turn_back(0, tilt) *
                                       turn_back(1, tilt / 2) * diagonal({flip * 3.0, 3.0, 3.6});
            const AffineMatrix scaled = scaled_mm(to_mm, Handedness::of_world, extents[0]);
            const AffineMatrix world_to_scaled = scaled * inverse(to_mm);
            const Point centre = middle_of(scaled, extents);
            for (int i = 0; i < 50; ++i) {
                const AffineMatrix motion = random_motion(random, 0.1);
                const AffineMatrix in_scaled = world_to_scaled * motion * inverse(world_to_scaled);
                REQUIRE(strain(in_scaled) < 1e-12);
                const MotionRow row = motion_parameters(MotionConvention::fsl, in_scaled, centre);
                const AffineMatrix read = inverse(world_to_scaled) *
                                          motion_matrix(MotionConvention::fsl, row, centre) * world_to_scaled;
                CHECK(largest_difference(read, motion) < 1e-9);
            }
        }
    }
}

TEST_CASE("x of FSL's scaled mm is counted from the other end where the grid is right-handed") {
    const AffineMatrix right_handed = diagonal({2, 3, 4});

    CHECK(scaled_mm(right_handed, Handedness::of_world, 10).rows[0] == std::array<double, 4>{-2, 0, 0, 18});
    CHECK(scaled_mm(right_handed, Handedness::unknown, 10).rows[0] == std::array<double, 4>{2, 0, 0, 0});
    CHECK(scaled_mm(diagonal({-2, 3, 4}), Handedness::of_world, 10).rows[0] ==
          std::array<double, 4>{2, 0, 0, 0});
}

TEST_CASE("a matrix that is rigid but for a little has the parameters of the rotation next to it") {
    const AffineMatrix rigid = turn_back(0, 0.1) * turn_back(1, 0.2);
    AffineMatrix strained = rigid * diagonal({1 + 1e-5, 1, 1 - 1e-5});

    const MotionRow row = motion_parameters(MotionConvention::spm, strained, {0, 0, 0});

    CHECK(largest_difference(motion_matrix(MotionConvention::spm, row, {0, 0, 0}), rigid) < 1e-9);
    CHECK(strain(strained) == doctest::Approx(2e-5).epsilon(1e-3));
}
