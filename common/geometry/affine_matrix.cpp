#include "common/geometry/affine_matrix.hpp"

#include <cmath>

namespace slab {

AffineMatrix operator*(const AffineMatrix& left, const AffineMatrix& right) {
    AffineMatrix product;
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 4; ++column) {
            double sum = 0.0;
            for (std::size_t i = 0; i < 3; ++i) {
                sum += left.rows[row][i] * right.rows[i][column];
            }
            product.rows[row][column] = column == 3 ? sum + left.rows[row][3] : sum;
        }
    }
    return product;
}

double determinant(const AffineMatrix& matrix) {
    const auto& [a, b, c] = matrix.rows;
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) +
           a[2] * (b[0] * c[1] - b[1] * c[0]);
}

bool is_singular(const AffineMatrix& matrix) {
    double lengths = 1.0;
    for (const auto& row : matrix.rows) {
        lengths *= std::hypot(row[0], row[1], row[2]);
    }
    return !(std::abs(determinant(matrix)) > 1e-12 * lengths);
}

AffineMatrix inverse(const AffineMatrix& matrix) {
    const auto& m = matrix.rows;
    const double scale = 1.0 / determinant(matrix);
    AffineMatrix result;
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 3; ++column) {
            const std::size_t r1 = (column + 1) % 3;  // the cofactor of the transposed place
            const std::size_t r2 = (column + 2) % 3;
            const std::size_t c1 = (row + 1) % 3;
            const std::size_t c2 = (row + 2) % 3;
            result.rows[row][column] = (m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]) * scale;
        }
    }
    for (auto& row : result.rows) {
        row[3] = -(row[0] * m[0][3] + row[1] * m[1][3] + row[2] * m[2][3]);
    }
    return result;
}

AffineMatrix shift(const Point& by) {
    AffineMatrix matrix;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        matrix.rows[axis][3] = by[axis];
    }
    return matrix;
}

AffineMatrix diagonal(const Point& factors) {
    AffineMatrix matrix;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        matrix.rows[axis][axis] = factors[axis];
    }
    return matrix;
}

AffineMatrix turn_back(int axis, double radians) {
    const auto a = static_cast<std::size_t>((axis + 1) % 3);
    const auto b = static_cast<std::size_t>((axis + 2) % 3);
    AffineMatrix matrix;
    matrix.rows[a][a] = matrix.rows[b][b] = std::cos(radians);
    matrix.rows[a][b] = std::sin(radians);
    matrix.rows[b][a] = -std::sin(radians);
    return matrix;
}

AffineMatrix about(const Point& centre, const AffineMatrix& matrix) {
    return shift(centre) * matrix * shift({-centre[0], -centre[1], -centre[2]});
}

}  // namespace slab
