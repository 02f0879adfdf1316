#include "daemon/kernels/affine/affine.hpp"
#include "daemon/kernels/sampling/sampling_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace slab::kernels {
namespace {

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

// In the user's index order.
struct AffineMap {
    std::array<std::array<double, space_axes>, space_axes> matrix{};
    std::array<double, space_axes> offset{};
    bool has_offset = false;
};

Error wrong_size(const Table& table, std::int64_t n) {
    const std::string given = table.columns == 1
                                  ? fmt::format("{} numbers are", table.rows)
                                  : fmt::format("a table of {} x {} is", table.rows, table.columns);
    return usage(
        "the matrix does not fit the array",
        fmt::format("{} given, the array has {} dimension{}", given, n, n == 1 ? "" : "s"),
        fmt::format("Give {0} numbers (a diagonal), {0} x {0}, {0} x {1}, or {1} x {1} numbers.", n, n + 1));
}

Expected<AffineMap> map_of(const Table* table, int rank) {
    if (table == nullptr) {
        return std::unexpected(
            usage("affine needs a matrix", "none is given",
                  "Give the matrix from output indices to input coordinates, as a file or as 1,0;0,1."));
    }
    for (std::size_t i = 0; i < table->values.size(); ++i) {
        if (!std::isfinite(table->values[i])) {
            const auto at = static_cast<std::int64_t>(i);
            return std::unexpected(usage("the matrix has an element that is not finite",
                                         fmt::format("row {}, column {} is {}", at / table->columns,
                                                     at % table->columns, table->values[i]),
                                         "Give finite numbers."));
        }
    }
    const std::int64_t n = rank;
    const bool is_square = table->rows == n && table->columns == n;
    const bool is_wide = table->rows == n && table->columns == n + 1;
    const bool is_full = table->rows == n + 1 && table->columns == n + 1;
    const bool is_diagonal =
        (table->columns == 1 && table->rows == n) || (table->rows == 1 && table->columns == n);
    AffineMap map;
    if (!is_square && !is_wide && !is_full && !is_diagonal) {
        return std::unexpected(wrong_size(*table, n));
    }
    const auto element = [&](std::int64_t row, std::int64_t column) {
        return table->values[static_cast<std::size_t>(row * table->columns + column)];
    };
    for (std::int64_t row = 0; row < n; ++row) {
        const auto r = static_cast<std::size_t>(row);
        if (is_diagonal && !is_square) {
            map.matrix[r][r] = table->values[r];
            continue;
        }
        for (std::int64_t column = 0; column < n; ++column) {
            map.matrix[r][static_cast<std::size_t>(column)] = element(row, column);
        }
        map.offset[r] = is_square ? 0.0 : element(row, n);
    }
    map.has_offset = is_wide || is_full;
    for (std::int64_t column = 0; is_full && column <= n; ++column) {
        if (element(n, column) != (column == n ? 1.0 : 0.0)) {
            return std::unexpected(usage("the last row of the matrix must be 0 ... 0 1",
                                         fmt::format("its element {} is {}", column, element(n, column)),
                                         "Give an affine matrix; perspective is not known."));
        }
    }
    return map;
}

template <typename T>
Expected<std::vector<T>> value_per_axis(std::string_view name, const std::vector<T>& given, int rank) {
    const auto n = static_cast<std::size_t>(rank);
    if (given.size() == n) {
        return given;
    }
    if (given.size() == 1) {
        return std::vector<T>(n, given.front());
    }
    return std::unexpected(
        usage(fmt::format("the number of values of {} does not fit the array", name),
              fmt::format("{} values are given, the array has {} dimensions", given.size(), rank),
              fmt::format("Give one value of {} for all axes, or {} values, one for each.", name, rank)));
}

Expected<Shape> output_shape(const Shape& input, const ParameterValues& parameters) {
    const auto* given = parameters.get<std::vector<std::int64_t>>("shape");
    if (given == nullptr) {
        return input;
    }
    const auto extents = value_per_axis("shape", *given, input.rank);
    if (!extents) {
        return std::unexpected(extents.error());
    }
    Shape output = input;
    for (int axis = 0; axis < input.rank; ++axis) {
        const std::int64_t extent = (*extents)[static_cast<std::size_t>(axis)];
        if (extent < 1) {
            return std::unexpected(usage("the output would be empty",
                                         fmt::format("axis {} is to have {} elements", axis, extent),
                                         "Give each axis of the output's shape a size of at least 1."));
        }
        output[axis] = extent;
    }
    return output;
}

// In memory order: the last axis of a C-ordered array is the fastest, of a Fortran-ordered one the first.
PullBack pull_back_of_map(const AffineMap& map, int rank, AxisOrder axes) {
    const auto n = static_cast<std::size_t>(rank);
    const auto user_axis = [&](std::size_t axis) {
        return axes == AxisOrder::reversed ? n - 1 - axis : axis;
    };
    PullBack pull_back;
    for (std::size_t row = 0; row < n; ++row) {
        const std::size_t to = space_axes - n + row;
        for (std::size_t column = 0; column < n; ++column) {
            pull_back.matrix[to][space_axes - n + column] = map.matrix[user_axis(row)][user_axis(column)];
        }
        pull_back.offset[to] = map.offset[user_axis(row)];
    }
    return pull_back;
}

GridMap grid_of(const PullBack& pull_back, int rank) {
    GridMap grid = GridMap::same(rank);
    const std::size_t first = space_axes - static_cast<std::size_t>(rank);
    for (std::size_t row = 0; row < static_cast<std::size_t>(rank); ++row) {
        for (std::size_t column = 0; column < static_cast<std::size_t>(rank); ++column) {
            grid.matrix[row][column] = pull_back.matrix[first + row][first + column];
        }
        grid.offset[row] = pull_back.offset[first + row];
    }
    return grid;
}

}  // namespace

Expected<KernelPlan> plan_affine(const PlanRequest& request) {
    if (request.inputs.size() != 1) {
        return std::unexpected(usage("affine takes one input", fmt::format("{} given", request.inputs.size()),
                                     "Give one array."));
    }
    const Shape& shape = request.inputs[0].shape;
    if (shape.rank < 1 || shape.rank > static_cast<int>(space_axes)) {
        return std::unexpected(usage("affine takes an array of 1 to 3 dimensions",
                                     fmt::format("the input has {} dimensions", shape.rank),
                                     "Give a picture or a volume; a series goes through reslice."));
    }
    auto map = map_of(request.parameters.get<Table>("matrix"), shape.rank);
    if (!map) {
        return std::unexpected(map.error());
    }
    if (const auto* offset = request.parameters.get<std::vector<double>>("offset")) {
        if (map->has_offset) {
            return std::unexpected(usage("the offset is given twice",
                                         "the matrix has a column for it, and offset is given as well",
                                         "Leave offset out, or give the matrix without its last column."));
        }
        auto values = value_per_axis("offset", *offset, shape.rank);
        if (!values) {
            return std::unexpected(values.error());
        }
        if (request.axes == AxisOrder::reversed) {
            std::ranges::reverse(*values);  // back to the user's order, as the matrix
        }
        for (std::size_t axis = 0; axis < values->size(); ++axis) {
            if (!std::isfinite((*values)[axis])) {
                return std::unexpected(usage("the offset has an element that is not finite",
                                             fmt::format("axis {} is {}", axis, (*values)[axis]),
                                             "Give finite numbers."));
            }
            map->offset[axis] = (*values)[axis];
        }
    }
    const auto* order = request.parameters.get<std::int64_t>("order");
    const auto spline = spline_choices(request, order == nullptr ? 3 : *order);
    if (!spline) {
        return std::unexpected(spline.error());
    }
    const auto output = output_shape(shape, request.parameters);
    if (!output) {
        return std::unexpected(output.error());
    }
    const PullBack pull_back = pull_back_of_map(*map, shape.rank, request.axes);
    auto plan =
        plan_sampling({request.inputs[0], *output, 0, shape.rank, *spline, {pull_back}, Masking::each_frame});
    if (plan) {
        plan->grid = OutputGrid::mapped(0, grid_of(pull_back, shape.rank));
    }
    return plan;
}

}  // namespace slab::kernels
