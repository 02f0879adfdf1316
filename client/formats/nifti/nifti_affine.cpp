#include "client/formats/nifti/nifti_affine.hpp"

#include <algorithm>
#include <cmath>

namespace slab {
namespace {

using Rotation = std::array<std::array<double, 3>, 3>;

// Of the quaternion a, b, c, d of length 1 (nifti1.h, "method 2"). a is what the others leave: of half a turn nothing but
// rounding, which as a square root would be a turn of its own; the standard's own code (nifticlib) takes the same bound.
Rotation rotation_of(const NiftiHeader& header) {
    const double rounding = header.version == 1 ? 1e-7 : 1e-15;
    auto [b, c, d] = header.quatern;
    const double squares = b * b + c * c + d * d;
    double a = 0.0;
    if (1.0 - squares < rounding) {
        const double length = std::sqrt(squares);
        b /= length;
        c /= length;
        d /= length;
    } else {
        a = std::sqrt(1.0 - squares);
    }
    return {{{a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
             {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
             {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c}}};
}

// The largest of the four numbers is found first, from the diagonal, and the others divided by it.
std::array<double, 3> quaternion_of(const Rotation& r) {
    const std::array<double, 4> squares{1 + r[0][0] + r[1][1] + r[2][2], 1 + r[0][0] - r[1][1] - r[2][2],
                                        1 - r[0][0] + r[1][1] - r[2][2], 1 - r[0][0] - r[1][1] + r[2][2]};
    const auto largest = static_cast<std::size_t>(std::ranges::max_element(squares) - squares.begin());
    const double half = std::sqrt(squares[largest]);  // twice the number
    std::array<double, 4> q{};
    q[largest] = half / 2;
    switch (largest) {
    case 0:
        q[1] = (r[2][1] - r[1][2]) / (2 * half);
        q[2] = (r[0][2] - r[2][0]) / (2 * half);
        q[3] = (r[1][0] - r[0][1]) / (2 * half);
        break;
    case 1:
        q[0] = (r[2][1] - r[1][2]) / (2 * half);
        q[2] = (r[0][1] + r[1][0]) / (2 * half);
        q[3] = (r[0][2] + r[2][0]) / (2 * half);
        break;
    case 2:
        q[0] = (r[0][2] - r[2][0]) / (2 * half);
        q[1] = (r[0][1] + r[1][0]) / (2 * half);
        q[3] = (r[1][2] + r[2][1]) / (2 * half);
        break;
    default:
        q[0] = (r[1][0] - r[0][1]) / (2 * half);
        q[1] = (r[0][2] + r[2][0]) / (2 * half);
        q[2] = (r[1][2] + r[2][1]) / (2 * half);
        break;
    }
    const double length = std::hypot(std::hypot(q[0], q[1]), std::hypot(q[2], q[3]));
    const double sign = q[0] < 0.0 ? -1.0 : 1.0;  // the header leaves a out: it is not negative
    return {sign * q[1] / length, sign * q[2] / length, sign * q[3] / length};
}

double determinant(const Rotation& m) {
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
           m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

WorldMatrix base_of(const NiftiHeader& header) {
    WorldMatrix world{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const bool exists = static_cast<std::int64_t>(axis) < header.dim[0];
        const double size = std::abs(header.pixdim[axis + 1]) * (axis == 0 ? -1.0 : 1.0);
        const auto extent = static_cast<double>(exists ? header.dim[axis + 1] : 1);
        world[axis][axis] = size;
        world[axis][3] = -size * (extent - 1.0) / 2.0;
    }
    return world;
}

double unit_in_mm(const NiftiHeader& header) {
    switch (header.xyzt_units & 7) {
    case 1: return 1000.0;  // metres
    case 3: return 0.001;   // micrometres
    default: return 1.0;
    }
}

}  // namespace

WorldMatrix sform_of(const NiftiHeader& header) {
    return header.srow;
}

WorldMatrix qform_of(const NiftiHeader& header) {
    const Rotation rotation = rotation_of(header);
    const double qfac = header.pixdim[0] < 0.0 ? -1.0 : 1.0;
    WorldMatrix world{};
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 3; ++column) {
            world[row][column] =
                rotation[row][column] * std::abs(header.pixdim[column + 1]) * (column == 2 ? qfac : 1.0);
        }
        world[row][3] = header.qoffset[row];
    }
    return world;
}

WorldMatrix world_of(const NiftiHeader& header) {
    return header.sform_code > 0   ? sform_of(header)
           : header.qform_code > 0 ? qform_of(header)
                                   : base_of(header);
}

WorldMatrix world_in_mm(const NiftiHeader& header) {
    WorldMatrix world = world_of(header);
    for (auto& row : world) {
        for (double& number : row) {
            number *= unit_in_mm(header);
        }
    }
    return world;
}

double step_length(const WorldMatrix& world, std::size_t axis) {
    return std::hypot(world[0][axis], world[1][axis], world[2][axis]);
}

std::optional<RigidWorld> rigid_world(const WorldMatrix& world) {
    constexpr double most_shear = 1e-5;  // a header of float32 does not tell right angles better
    RigidWorld rigid;
    Rotation rotation{};
    for (std::size_t column = 0; column < 3; ++column) {
        rigid.sizes[column] = step_length(world, column);
        if (!(rigid.sizes[column] > 0.0) || !std::isfinite(rigid.sizes[column])) {
            return std::nullopt;
        }
        for (std::size_t row = 0; row < 3; ++row) {
            rotation[row][column] = world[row][column] / rigid.sizes[column];
        }
    }
    for (std::size_t one = 0; one < 3; ++one) {
        const std::size_t other = (one + 1) % 3;
        double cosine = 0.0;
        for (std::size_t row = 0; row < 3; ++row) {
            cosine += rotation[row][one] * rotation[row][other];
        }
        if (std::abs(cosine) > most_shear || !std::isfinite(world[one][3])) {
            return std::nullopt;
        }
    }
    if (determinant(rotation) < 0.0) {
        rigid.qfac = -1.0;
        for (auto& row : rotation) {
            row[2] = -row[2];
        }
    }
    rigid.quatern = quaternion_of(rotation);
    return rigid;
}

}  // namespace slab
