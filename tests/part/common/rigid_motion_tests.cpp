#include "common/geometry/rigid_motion.hpp"

#include <doctest/doctest.h>

#include <numbers>

namespace {

using namespace slab;

// Quarter turns carry axes to axes: the expected points are read off a drawing.
constexpr double quarter = std::numbers::pi / 2;
constexpr Point origin{0, 0, 0};

Point mapped(MotionConvention convention, const MotionRow& row, const Point& centre, const Point& from) {
    const AffineMatrix matrix = motion_matrix(convention, row, centre);
    Point to{};
    for (std::size_t r = 0; r < 3; ++r) {
        const auto& m = matrix.rows[r];
        to[r] = m[0] * from[0] + m[1] * from[1] + m[2] * from[2] + m[3];
    }
    return to;
}

void check_point(const Point& found, const Point& expected) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
        CAPTURE(axis);
        CHECK(found[axis] == doctest::Approx(expected[axis]).epsilon(1e-14));
    }
}

}  // namespace

TEST_CASE("SPM shifts by the first three numbers") {
    check_point(mapped(MotionConvention::spm, {1, 2, 3, 0, 0, 0}, origin, {10, 20, 30}), {11, 22, 33});
}

TEST_CASE("SPM's pitch and yaw turn against the right hand, its roll with it") {
    check_point(mapped(MotionConvention::spm, {0, 0, 0, quarter, 0, 0}, origin, {0, 1, 0}), {0, 0, -1});
    check_point(mapped(MotionConvention::spm, {0, 0, 0, 0, quarter, 0}, origin, {0, 0, 1}), {1, 0, 0});
    check_point(mapped(MotionConvention::spm, {0, 0, 0, 0, 0, quarter}, origin, {1, 0, 0}), {0, -1, 0});
}

TEST_CASE("SPM turns about z first, then y, then x, then shifts") {
    check_point(mapped(MotionConvention::spm, {5, 0, 0, quarter, 0, quarter}, origin, {1, 0, 0}), {5, 0, 1});
}

TEST_CASE("FSL turns about its centre, against the right hand on every axis, and shifts by the last three "
          "numbers") {
    const Point centre{10, 20, 30};
    check_point(mapped(MotionConvention::fsl, {0, 0, 0, 1, 2, 3}, centre, {4, 5, 6}), {5, 7, 9});
    check_point(mapped(MotionConvention::fsl, {quarter, 0, 0, 0, 0, 0}, centre, {10, 21, 30}), {10, 20, 29});
    check_point(mapped(MotionConvention::fsl, {0, quarter, 0, 0, 0, 0}, centre, {10, 20, 31}), {9, 20, 30});
    check_point(mapped(MotionConvention::fsl, {0, 0, quarter, 0, 0, 0}, centre, {11, 20, 30}), {10, 19, 30});
    check_point(mapped(MotionConvention::fsl, {quarter, 0, quarter, 0, 0, 0}, centre, {11, 20, 30}),
                {10, 20, 31});
}

// NIfTI's x and y run to the right and to the front, AFNI's to the left and to the back.
TEST_CASE("AFNI shifts up, left and back") {
    check_point(mapped(MotionConvention::afni, {0, 0, 0, 1, 2, 3}, origin, {10, 10, 10}), {8, 7, 11});
}

TEST_CASE("AFNI turns by the right hand about up, left and back, in degrees, about the centre") {
    // About up: left goes to the back, so right to the front.
    check_point(mapped(MotionConvention::afni, {90, 0, 0, 0, 0, 0}, {5, 5, 5}, {6, 5, 5}), {5, 6, 5});
    // About left: back goes up, so front goes down.
    check_point(mapped(MotionConvention::afni, {0, 90, 0, 0, 0, 0}, {5, 5, 5}, {5, 6, 5}), {5, 5, 4});
    // About back: up goes to the left.
    check_point(mapped(MotionConvention::afni, {0, 0, 90, 0, 0, 0}, {5, 5, 5}, {5, 5, 6}), {4, 5, 5});
}

TEST_CASE(
    "AFNI turns about the axis from the feet to the head first, and about axes that stay where they are") {
    // Right to the front by roll, the front down by pitch, down to the right by yaw.
    check_point(mapped(MotionConvention::afni, {90, 90, 90, 0, 0, 0}, origin, {1, 0, 0}), {1, 0, 0});
    check_point(mapped(MotionConvention::afni, {90, 90, 0, 0, 0, 0}, origin, {1, 0, 0}), {0, 0, -1});
}

TEST_CASE("an inverse undoes its matrix, and a flat matrix has none") {
    const AffineMatrix matrix =
        motion_matrix(MotionConvention::spm, {1, -2, 3, 0.1, -0.2, 0.3}, origin) * diagonal({2, 3, 4});
    const AffineMatrix product = inverse(matrix) * matrix;
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 4; ++column) {
            CHECK(product.rows[row][column] == doctest::Approx(row == column ? 1.0 : 0.0).epsilon(1e-14));
        }
    }
    CHECK(determinant(matrix) == doctest::Approx(24.0));
    CHECK_FALSE(is_singular(matrix));
    CHECK(is_singular(diagonal({1, 0, 1})));
}
