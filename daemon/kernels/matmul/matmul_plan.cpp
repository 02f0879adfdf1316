#include "daemon/kernels/matmul/blas_library.hpp"
#include "daemon/kernels/matmul/matmul_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace slab::kernels {
namespace {

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

std::optional<Error> check_arrays(const PlanRequest& request) {
    const ArrayDescription& a = request.inputs[0];
    const ArrayDescription& b = request.inputs[1];
    if (a.dtype != b.dtype) {
        return usage(
            "matmul takes two arrays of the same dtype",
            fmt::format("a is {}, b is {}", name_of(a.dtype), name_of(b.dtype)),
            fmt::format("Convert one of them first (in numpy: b.astype(\"{}\")).", name_of(a.dtype)));
    }
    if (a.dtype < DType::float32) {
        return usage("matmul multiplies real and complex numbers",
                     fmt::format("the arrays are {}, and OpenBLAS has no product of those", name_of(a.dtype)),
                     "Convert both to float32 (exact up to 2^24) or float64 (up to 2^53).");
    }
    for (const ArrayDescription* array : {&a, &b}) {
        const int rank = array->shape.rank;
        if (rank == 0) {
            return usage("matmul takes no single numbers", "an array has the shape ()",
                         "Give vectors, matrices or stacks of matrices.");
        }
        if (rank > 2 && request.axes == AxisOrder::reversed) {
            return usage("matmul takes no stacks of matrices in Fortran order",
                         "their matrices lie interleaved in memory",
                         "Convert them, in Python with numpy.ascontiguousarray.");
        }
    }
    if (a.shape.rank == 1 && b.shape.rank == 1) {
        return usage("the product of two vectors is one number",
                     fmt::format("both arrays are vectors, of {} and {}", to_text(a.shape), to_text(b.shape)),
                     "Give one of them as a matrix of one row or column, or use numpy.dot.");
    }
    if (!blas_is_installed()) {
        return Error{ErrorKind::refused, "matmul has no library to multiply with",
                     fmt::format("{} is missing", blas_path()), "Install the package libopenblas0-serial."};
    }
    return std::nullopt;
}

// A shape as the user gave it.
std::string as_given(const PlanRequest& request, const Shape& shape) {
    return to_text(request.axes == AxisOrder::reversed ? reversed(shape) : shape);
}

std::optional<Error> check_inner_size(const PlanRequest& request, std::int64_t a_inner,
                                      std::int64_t b_inner) {
    if (a_inner != b_inner) {
        const bool is_turned = request.axes == AxisOrder::reversed;
        return usage("the inner sizes of the matrices differ",
                     fmt::format("a is {}, b is {}: rows of {} cannot meet columns of {}",
                                 as_given(request, request.inputs[0].shape),
                                 as_given(request, request.inputs[1].shape), is_turned ? b_inner : a_inner,
                                 is_turned ? a_inner : b_inner),
                     "The columns of a must be as many as the rows of b.");
    }
    return std::nullopt;
}

// The stacks before the matrices, broadcast against each other.
std::optional<Error> add_stacks(const PlanRequest& request, const std::array<const Shape*, 2>& shapes,
                                MatmulProgram& program, Shape& output) {
    const auto stack_of = [](const Shape& shape) { return std::max(shape.rank - 2, 0); };
    program.stack_rank = std::max(stack_of(*shapes[0]), stack_of(*shapes[1]));
    output.rank = program.stack_rank;
    std::array<std::int64_t, 2> stride{program.m * program.k, program.k * program.n};
    for (int axis = program.stack_rank; axis-- > 0;) {
        const auto at = static_cast<std::size_t>(axis);
        std::array<std::int64_t, 2> extent{1, 1};
        for (std::size_t i = 0; i < 2; ++i) {
            const int own = axis - (program.stack_rank - stack_of(*shapes[i]));
            extent[i] = own < 0 ? 1 : (*shapes[i])[own];
            program.stack_stride[i][at] = extent[i] == 1 ? 0 : stride[i];
            stride[i] *= extent[i];
        }
        if (extent[0] != extent[1] && extent[0] != 1 && extent[1] != 1) {
            return usage("the stacks of matrices do not broadcast",
                         fmt::format("a is {}, b is {}: {} meets {}", to_text(request.inputs[0].shape),
                                     to_text(request.inputs[1].shape), extent[0], extent[1]),
                         "Before the matrices sizes must be equal, or 1.");
        }
        output.extents[at] = std::max(extent[0], extent[1]);
    }
    return std::nullopt;
}

// Blocks as large as scratch, of which calls of OpenBLAS lose nothing to speak of (less than 5 % from 512 x 1024
// on, 10 to 15 % at 256 x 512: measured, on an Emerald Rapids); smaller where there would be too few for the workers, or
// where one would take long.
void choose_blocks(MatmulProgram& program, DType dtype, std::int64_t stacks) {
    constexpr std::int64_t enough_blocks = 32;
    constexpr std::int64_t least_edge = 128;
    constexpr double longest = 4e10;  // multiplications and additions; some seconds
    const std::int64_t most_columns = dtype == DType::complex128 ? 512 : 1024;
    const std::int64_t most_elements = static_cast<std::int64_t>(scratch_bytes / size_of(dtype));
    std::int64_t rows = std::min(program.m, most_elements / std::min(program.n, most_columns));
    std::int64_t columns = std::min(program.n, rows < most_columns ? most_elements / rows : most_columns);
    const auto along = [](std::int64_t size, std::int64_t block) { return (size + block - 1) / block; };
    for (;;) {
        const double work =
            2.0 * static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(program.k);
        const bool is_small = std::max(rows, columns) <= least_edge;
        const bool are_few =
            along(program.m, rows) * along(program.n, columns) < (enough_blocks + stacks - 1) / stacks;
        if (!(work > longest && rows * columns > 1) && (is_small || !are_few)) {
            break;
        }
        (rows >= columns ? rows : columns) /= 2;
    }
    program.block_rows = rows;
    program.block_columns = columns;
}

}  // namespace

Expected<KernelPlan> plan_matmul(const PlanRequest& request) {
    if (const auto error = check_arrays(request)) {
        return std::unexpected(*error);
    }
    MatmulProgram program;
    if (request.axes == AxisOrder::reversed) {
        program.input = {1, 0};
    }
    const Shape& a = request.inputs[program.input[0]].shape;
    const Shape& b = request.inputs[program.input[1]].shape;
    program.m = a.rank == 1 ? 1 : a[a.rank - 2];
    program.k = a[a.rank - 1];
    program.n = b.rank == 1 ? 1 : b[b.rank - 1];
    if (const auto error = check_inner_size(request, program.k, b.rank == 1 ? b[0] : b[b.rank - 2])) {
        return std::unexpected(*error);
    }
    if (std::max({program.m, program.n, program.k}) > most_blas_size) {
        return std::unexpected(usage("a matrix is too long for OpenBLAS",
                                     fmt::format("a is {}, b is {}; {} is the most along an axis",
                                                 as_given(request, request.inputs[0].shape),
                                                 as_given(request, request.inputs[1].shape), most_blas_size),
                                     "Multiply pieces of it."));
    }
    KernelPlan plan;
    const DType dtype = request.inputs[0].dtype;
    plan.output = {dtype, {}, MemoryOrder::c};
    Shape& output = plan.output.shape;
    if (const auto error = add_stacks(request, {&a, &b}, program, output)) {
        return std::unexpected(*error);
    }
    const auto stacks = checked_element_count(output);
    if (a.rank > 1) {
        program.row_axis = output.rank;
        output[output.rank++] = program.m;
    }
    if (b.rank > 1) {
        program.column_axis = output.rank;
        output[output.rank++] = program.n;
    }
    if (!stacks || !checked_byte_count(plan.output)) {
        return std::unexpected(
            usage("the output's size does not fit in 63 bits",
                  fmt::format("it would have the shape {} of {}", to_text(output), name_of(dtype)),
                  "Give smaller arrays."));
    }
    choose_blocks(program, dtype, *stacks);
    plan.program = Program(program);
    const auto set_brick = [&plan](int axis, std::int64_t extent) {
        if (axis >= 0) {
            plan.tiles.brick[static_cast<std::size_t>(axis)] = extent;
            plan.tiles.least[static_cast<std::size_t>(axis)] = extent;
        }
    };
    set_brick(program.row_axis, program.block_rows);
    set_brick(program.column_axis, program.block_columns);
    const int band_axis = band_axis_of(output);
    plan.band_step = band_axis == program.row_axis      ? program.block_rows
                     : band_axis == program.column_axis ? program.block_columns
                                                        : 1;
    // Of k products, each of at most the largest magnitude squared, k - 1 sums: for inputs of magnitude up to 1.
    const bool is_single = dtype == DType::float32 || dtype == DType::complex64;
    plan.tolerance = 4.0 * static_cast<double>(program.k) *
                     (is_single ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                : std::numeric_limits<double>::epsilon());
    plan.grid.change = OutputGrid::Change::lost;
    return plan;
}

AxisRange matmul_reads(const BandQuery& query) {
    const auto program = query.plan->program.as<MatmulProgram>();
    const std::size_t operand = query.source == program.input[0] ? 0 : 1;
    const Shape& shape = query.inputs[query.source];
    const AxisRange whole{0, shape[query.source_axis]};
    if (query.output_axis == program.row_axis) {
        return operand == 0 && query.source_axis == shape.rank - 2 ? query.rows : whole;
    }
    if (query.output_axis == program.column_axis) {
        return operand == 1 && shape.rank > 1 && query.source_axis == shape.rank - 1 ? query.rows : whole;
    }
    const int own = query.output_axis - (program.stack_rank - (shape.rank - 2));
    return own == query.source_axis && shape.rank > 2 && shape[own] > 1 ? query.rows : whole;
}

}  // namespace slab::kernels
