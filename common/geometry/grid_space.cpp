#include "common/geometry/grid_space.hpp"

#include <cmath>

namespace slab {

AffineMatrix scaled_mm(const AffineMatrix& to_mm, Handedness handedness, std::int64_t x_extent) {
    Point sizes;
    for (std::size_t column = 0; column < 3; ++column) {
        sizes[column] = std::hypot(to_mm.rows[0][column], to_mm.rows[1][column], to_mm.rows[2][column]);
    }
    AffineMatrix scaled = diagonal(sizes);
    if (handedness == Handedness::of_world && determinant(to_mm) > 0.0) {
        scaled.rows[0][0] = -sizes[0];
        scaled.rows[0][3] = static_cast<double>(x_extent - 1) * sizes[0];
    }
    return scaled;
}

Point middle_of(const AffineMatrix& to_mm, const std::array<std::int64_t, 3>& extents) {
    Point middle;
    for (std::size_t row = 0; row < 3; ++row) {
        middle[row] = to_mm.rows[row][3];
        for (std::size_t column = 0; column < 3; ++column) {
            middle[row] += to_mm.rows[row][column] * static_cast<double>(extents[column] - 1) / 2.0;
        }
    }
    return middle;
}

}  // namespace slab
