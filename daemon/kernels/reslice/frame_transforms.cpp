#include "daemon/kernels/reslice/frame_transforms.hpp"

#include "common/geometry/grid_space.hpp"
#include "common/geometry/rigid_motion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace slab::kernels {
namespace {

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

// Values per axis in the user's order, from one for all or three.
Expected<Point> three_of(const PlanRequest& request, std::string_view name, double fallback) {
    const auto* given = request.parameters.get<std::vector<double>>(name);
    if (given == nullptr) {
        return Point{fallback, fallback, fallback};
    }
    if (given->size() != 3 && (given->size() != 1 || name == "centre")) {
        return std::unexpected(usage(fmt::format("{} takes three numbers", name),
                                     fmt::format("{} are given", given->size()),
                                     "Give one for each axis of space, such as 3,3,3.5."));
    }
    Point point;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::size_t place = request.axes == AxisOrder::reversed ? given->size() - 1 - axis : axis;
        point[axis] = given->size() == 1 ? given->front() : (*given)[place];
        if (!std::isfinite(point[axis])) {
            return std::unexpected(usage(fmt::format("{} has a number that is not finite", name),
                                         fmt::format("number {} is {}", axis, point[axis]),
                                         "Give finite numbers."));
        }
    }
    return point;
}

Expected<void> check_finite(const Table& table, std::string_view name) {
    for (std::size_t i = 0; i < table.values.size(); ++i) {
        if (!std::isfinite(table.values[i])) {
            const auto at = static_cast<std::int64_t>(i);
            return std::unexpected(
                usage(fmt::format("{} holds a number that is not finite", name),
                      fmt::format("row {}, column {} (counted from 0) is {}", at / table.columns,
                                  at % table.columns, table.values[i]),
                      "Give finite numbers; a frame without an estimate may have the identity."));
        }
    }
    return {};
}

// Rows of 4, in a table of 4 columns or 16 or 12; at: the first number.
Expected<AffineMatrix> matrix_at(const Table& table, std::size_t at, bool has_last_row,
                                 const std::string& whose) {
    AffineMatrix matrix;
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 4; ++column) {
            matrix.rows[row][column] = table.values[at + 4 * row + column];
        }
    }
    for (std::size_t column = 0; has_last_row && column < 4; ++column) {
        const double value = table.values[at + 12 + column];
        if (value != (column == 3 ? 1.0 : 0.0)) {
            return std::unexpected(usage(fmt::format("the last row of {} must be 0 0 0 1", whose),
                                         fmt::format("its element {} is {}", column, value),
                                         "Give affine matrices; perspective is not known."));
        }
    }
    return matrix;
}

// What the input's file says, in a table as the parameter is. Its columns are the first three axes: those of space, unless
// frames come first.
std::optional<Table> affine_of_file(const PlanRequest& request) {
    const auto* batch = request.parameters.get<std::string>("batch");
    const auto world = request.world_of(0);
    if (!world || request.parameters.has("voxel_size") || (batch != nullptr && *batch == "first")) {
        return std::nullopt;
    }
    Table table{.rows = 3, .columns = 4, .values = {}};
    for (const auto& row : *world) {
        table.values.insert(table.values.end(), row.begin(), row.end());
    }
    return table;
}

}  // namespace

Expected<AffineMatrix> grid_to_mm(const PlanRequest& request) {
    const auto* affine = request.parameters.get<Table>("affine");
    const auto of_file = affine == nullptr ? affine_of_file(request) : std::nullopt;
    affine = of_file ? &*of_file : affine;
    const std::string whose = of_file ? "the input's affine" : "affine";
    if (affine == nullptr) {
        const auto sizes = three_of(request, "voxel_size", 1.0);
        if (!sizes) {
            return std::unexpected(sizes.error());
        }
        if (std::ranges::any_of(*sizes, [](double size) { return size <= 0.0; })) {
            return std::unexpected(
                usage("voxel_size must be above 0",
                      fmt::format("it is {}, {}, {}", (*sizes)[0], (*sizes)[1], (*sizes)[2]),
                      "Give sizes in mm; which way an axis runs is told by affine."));
        }
        return diagonal(*sizes);
    }
    if (request.parameters.has("voxel_size")) {
        return std::unexpected(usage("voxel_size and affine say the same thing twice", "both are given",
                                     "Give affine alone; it holds the voxels' sizes."));
    }
    const bool is_matrix = affine->columns == 4 && (affine->rows == 4 || affine->rows == 3);
    if (!is_matrix) {
        return std::unexpected(
            usage("affine takes a 4 x 4 matrix",
                  fmt::format("a table of {} x {} is given", affine->rows, affine->columns),
                  "Give the map from voxels to mm, as nibabel's img.affine."));
    }
    if (const auto finite = check_finite(*affine, whose); !finite) {
        return std::unexpected(finite.error());
    }
    auto matrix = matrix_at(*affine, 0, affine->rows == 4, "affine");
    if (matrix && is_singular(*matrix)) {
        return std::unexpected(usage(whose + " is singular: it maps space to a plane",
                                     fmt::format("its determinant is {}", determinant(*matrix)),
                                     of_file ? "Give affine, or voxel_size, instead of what the file says."
                                             : "Give the map from voxels to mm, as nibabel's img.affine."));
    }
    return matrix;
}

namespace {

bool has_affine(const PlanRequest& request) {
    return request.parameters.has("affine") || affine_of_file(request);
}

Expected<void> check_columns(const Table& table, const std::string* convention) {
    const bool are_motions = table.columns == 6;
    const bool are_matrices = table.columns == 16 || table.columns == 12 || table.columns == 4;
    if (!are_motions && !are_matrices) {
        return std::unexpected(usage("the table of transforms has rows of a length that means nothing",
                                     fmt::format("it has {} columns; known are 6 (a rigid motion), 16 and 12 "
                                                 "(a matrix in one row), 4 (a matrix in "
                                                 "four rows)",
                                                 table.columns),
                                     "Give one of these; AFNI's -dfile has more columns than its -1Dfile, of "
                                     "which 6 are the motion."));
    }
    if (are_motions && convention == nullptr) {
        return std::unexpected(usage("six numbers a frame need a convention",
                                     "SPM, FSL and AFNI mean other orders, units, signs and centres by them",
                                     "Give convention spm (rp_*.txt), fsl (.par) or afni (.1D)."));
    }
    if (are_matrices && convention != nullptr) {
        return std::unexpected(
            usage("two conventions at once",
                  fmt::format("the transforms are matrices, which are in mm of the world as they are; "
                              "convention {} is for six numbers a frame",
                              *convention),
                  "Leave convention out."));
    }
    if (table.columns == 4 && table.rows % 4 != 0) {
        return std::unexpected(
            usage("the matrices of transforms are not whole",
                  fmt::format("{} rows of 4 numbers are given, a matrix has four rows", table.rows),
                  "Give four rows for each frame, the last of each 0 0 0 1."));
    }
    return {};
}

}  // namespace

Expected<FrameTransforms> frame_transforms(const PlanRequest& request,
                                           const std::array<std::int64_t, 3>& extents) {
    const auto* table = request.parameters.get<Table>("transforms");
    const auto* convention = request.parameters.get<std::string>("convention");
    if (table == nullptr) {
        return std::unexpected(usage("reslice needs transforms", "none are given",
                                     "Give a table with one rigid motion or matrix for each frame."));
    }
    if (const auto columns = check_columns(*table, convention); !columns) {
        return std::unexpected(columns.error());
    }
    if (const auto finite = check_finite(*table, "transforms"); !finite) {
        return std::unexpected(finite.error());
    }
    FrameTransforms transforms;
    auto to_mm = grid_to_mm(request);
    if (!to_mm) {
        return std::unexpected(to_mm.error());
    }
    transforms.to_mm = *to_mm;
    const bool are_motions = convention != nullptr;
    const auto known = are_motions ? motion_convention_named(*convention) : MotionConvention::spm;
    if (!known) {
        return std::unexpected(usage(fmt::format("there is no convention {}", *convention),
                                     "known are spm, fsl and afni", "Choose one of them."));
    }
    const MotionConvention named = *known;
    const bool has_centre = request.parameters.has("centre");
    auto centre = three_of(request, "centre", 0.0);
    if (!centre) {
        return std::unexpected(centre.error());
    }
    if (has_centre && (!are_motions || named == MotionConvention::spm)) {
        return std::unexpected(
            usage("centre has no meaning here",
                  are_motions ? "SPM turns about the world's origin" : "matrices have no centre of their own",
                  "Leave centre out."));
    }
    if (!has_centre && named == MotionConvention::fsl) {
        return std::unexpected(
            usage("FSL's motions need a centre",
                  "mcflirt turns about the centre of gravity of the reference, which is not in its .par",
                  "Give centre: what fslstats REFERENCE -c prints, or use its matrices (-mats)."));
    }
    if (named == MotionConvention::fsl) {
        transforms.to_mm = scaled_mm(
            transforms.to_mm, has_affine(request) ? Handedness::of_world : Handedness::unknown, extents[0]);
    } else if (!has_centre) {
        centre = middle_of(transforms.to_mm, extents);
    }
    const std::size_t numbers = table->columns == 4 ? 16 : static_cast<std::size_t>(table->columns);
    for (std::size_t at = 0; at < table->values.size(); at += numbers) {
        const std::size_t frame = at / numbers;
        if (are_motions) {
            MotionRow row{};
            std::copy_n(table->values.begin() + static_cast<std::ptrdiff_t>(at), row.size(), row.begin());
            transforms.motions.push_back(motion_matrix(named, row, *centre));
            continue;
        }
        const auto matrix =
            matrix_at(*table, at, numbers == 16, fmt::format("the matrix of frame {}", frame));
        if (!matrix) {
            return std::unexpected(matrix.error());
        }
        if (is_singular(*matrix)) {
            return std::unexpected(
                usage(fmt::format("the transform of frame {} is singular", frame),
                      fmt::format("its determinant is {}: it has no inverse, and frames are resliced by "
                                  "the inverse",
                                  determinant(*matrix)),
                      "Correct the matrix, or give the identity for this frame (counted from 0)."));
        }
        transforms.motions.push_back(*matrix);
    }
    return transforms;
}

}  // namespace slab::kernels
