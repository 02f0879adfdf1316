#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace slab {

// An affine map of space: the three upper rows of a 4 x 4 matrix whose last row is 0 0 0 1.
struct AffineMatrix {
    std::array<std::array<double, 4>, 3> rows{{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
};

using Point = std::array<double, 3>;

inline Point applied(const AffineMatrix& matrix, const Point& to) {
    Point point{};
    for (std::size_t row = 0; row < 3; ++row) {
        const auto& m = matrix.rows[row];
        point[row] = m[0] * to[0] + m[1] * to[1] + m[2] * to[2] + m[3];
    }
    return point;
}

// First the right one, then the left one.
AffineMatrix operator*(const AffineMatrix& left, const AffineMatrix& right);

double determinant(const AffineMatrix& matrix);

// Whether it squeezes space flat: the determinant is that of rows that lie in a plane but for rounding (below 1e-12 of
// what the rows' lengths allow).
bool is_singular(const AffineMatrix& matrix);

// Of one that is not singular.
AffineMatrix inverse(const AffineMatrix& matrix);

AffineMatrix shift(const Point& by);
AffineMatrix diagonal(const Point& factors);

// By minus the right-hand rule's angle about an axis: of x, [1 0 0; 0 c s; 0 -s c].
AffineMatrix turn_back(int axis, double radians);

// The same with another fixed point.
AffineMatrix about(const Point& centre, const AffineMatrix& matrix);

}  // namespace slab
