#include "daemon/kernels/zoom/spline_zoom.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace slab::kernels {
namespace {

// scipy.ndimage's filters know no difference between constant and grid-constant, nor between wrap and grid-wrap.
Boundary filter_boundary(Boundary boundary) {
    switch (boundary) {
    case Boundary::constant: return Boundary::grid_constant;
    case Boundary::wrap: return Boundary::grid_wrap;
    default: return boundary;
    }
}

bool changes(const SplineZoomProgram& program, const Shape& input, const Shape& output, int axis) {
    return spline_axis(program, axis, input[axis], output[axis]).is_interpolated;
}

// h[0], h[1], ... of a Gaussian as scipy.ndimage makes it: cut off at four sigma, of sum 1.
std::vector<double> gaussian_taps(double sigma) {
    const auto radius = static_cast<std::int64_t>(4.0 * sigma + 0.5);
    std::vector<double> taps;
    double sum = 0.0;
    for (std::int64_t i = 0; i <= radius; ++i) {
        const auto x = static_cast<double>(i);
        taps.push_back(std::exp(-0.5 / (sigma * sigma) * x * x));
        sum += i == 0 ? taps.back() : 2.0 * taps.back();
    }
    for (double& tap : taps) {
        tap /= sum;
    }
    return taps;
}

// The phases before the last, as they are added.
class Phases {
  public:
    Phases(const ArrayDescription& input, SplineZoomProgram& program, KernelPlan& plan)
        : array_(input), program_(program), plan_(plan) {}

    std::size_t source() const { return plan_.workspaces.size(); }

    void add(const LineFilter& filter) {
        program_.filters[static_cast<std::size_t>(program_.filter_count++)] = filter;
        plan_.workspaces.push_back(line_filter_workspace(filter, array_));
        array_ = plan_.workspaces.back().array;
    }

  private:
    ArrayDescription array_;
    SplineZoomProgram& program_;
    KernelPlan& plan_;
};

// scikit-image's rule for resize: sigma = (n_in / n_out - 1) / 2 of each axis that shrinks.
Expected<void> add_gaussians(const SplineZoomRequest& request, const Shape& input, KernelPlan& plan,
                             Phases& phases) {
    for (int axis = 0; axis < input.rank; ++axis) {
        const double ratio = static_cast<double>(input[axis]) / static_cast<double>(plan.output.shape[axis]);
        const double sigma = std::max(0.0, (ratio - 1.0) / 2.0);
        const double radius = std::floor(4.0 * sigma + 0.5);
        if (radius < 1.0) {
            continue;
        }
        if (radius > static_cast<double>(most_filter_radius)) {
            return std::unexpected(Error{
                ErrorKind::usage, "the zoom shrinks too much to be anti-aliased at once",
                fmt::format("axis {} shrinks {:.6g} times, which takes a Gaussian of {:.0f} elements to "
                            "either side; {} is the most",
                            axis, ratio, radius, most_filter_radius),
                "Shrink in two steps, or without antialias."});
        }
        LineFilter filter;
        filter.axis = axis;
        filter.source = phases.source();
        filter.boundary = filter_boundary(request.zoom.boundary);
        filter.cval = request.zoom.cval;
        filter.radius = static_cast<std::int64_t>(radius);
        filter.table_begin = append_to_table(plan.table, gaussian_taps(sigma));
        filter.type = request.type;
        phases.add(filter);
    }
    return {};
}

int last_that_changes(const SplineZoomProgram& program, const Shape& input, const Shape& output) {
    int last = 0;
    for (int axis = 0; axis < input.rank; ++axis) {
        last = changes(program, input, output, axis) ? axis : last;
    }
    return last;
}

// Parts of one index along the axis.
std::int64_t faster_parts(const ArrayDescription& array, int axis) {
    std::int64_t parts = parts_of(array.dtype);
    for (int faster = axis + 1; faster < array.shape.rank; ++faster) {
        parts *= array.shape[faster];
    }
    return parts;
}

// The slowest axis first: only the input is then read with the long halo when bands stream.
void add_prefilters(const SplineZoomRequest& request, const ArrayDescription& input, KernelPlan& plan,
                    Phases& phases, SplineZoomProgram& program) {
    const int last = last_that_changes(program, input.shape, plan.output.shape);
    const bool is_folded = faster_parts(plan.output, last) < folded_parts;
    for (int axis = 0; axis < input.shape.rank; ++axis) {
        if (!changes(program, input.shape, plan.output.shape, axis)) {
            continue;
        }
        const bool is_of_rows = axis == last && is_folded;
        const LineFilter filter = spline_prefilter(
            axis, phases.source(), request.zoom.order, request.zoom.boundary, request.zoom.cval, request.type,
            plan.table, is_of_rows ? geometric_radius(request.zoom.order, request.type) : 0);
        if (is_of_rows) {
            program.row_filter_axis = axis;
            program.row_filter = filter;
        } else {
            program.padding[static_cast<std::size_t>(axis)] = filter.padding;
            phases.add(filter);
        }
    }
}

// Long along the slowest axis that changes, which costs no memory and reads its halo seldom; along the others what the
// tile function can keep in its rings at once, in whole rows where they are short.
TilePreference tiles_for(const SplineZoomProgram& program, const Shape& input,
                         const ArrayDescription& output) {
    const Shape& shape = output.shape;
    const auto part_bytes = program.type == WorkingType::float32 ? std::int64_t{4} : std::int64_t{8};
    const std::int64_t parts = parts_of(output.dtype);
    const std::int64_t row = spline_row_bytes / part_bytes / parts;
    const int last = last_that_changes(program, input, shape);
    int sums = faster_parts(output, last) < folded_parts ? -1 : 0;  // the last is then summed up within rows
    for (int axis = 0; axis < shape.rank; ++axis) {
        sums += changes(program, input, shape, axis) ? 1 : 0;
    }
    const std::int64_t block = spline_block_bytes(sums) / part_bytes / (program.zoom.order + 1) / parts;
    int slowest = 0;
    while (slowest + 1 < shape.rank && !changes(program, input, shape, slowest)) {
        ++slowest;
    }
    TilePreference tiles;
    std::int64_t elements = 1;
    for (int axis = shape.rank; axis-- > 0;) {
        std::int64_t extent = 1;
        if (axis == shape.rank - 1) {
            const std::int64_t pieces = (shape[axis] - 1) / row + 1;
            extent = std::min(shape[axis], ((shape[axis] - 1) / pieces / 64 + 1) * 64);
            extent = axis == slowest ? std::min<std::int64_t>(shape[axis], 16 * row) : extent;
        } else if (axis == slowest) {
            // About 8 MiB, and not so few tiles that workers wait for the last one.
            const std::int64_t most = std::max<std::int64_t>(8, (2048 * 1024) / elements);
            extent = std::min({shape[axis], most, std::max<std::int64_t>(8, shape[axis] / 8)});
            // A thin tile of planes would make most of its sums for its halo.
            tiles.least[static_cast<std::size_t>(axis)] =
                sums > 1 ? extent : std::min<std::int64_t>(extent, 256);
        } else if (axis > slowest) {
            extent = std::clamp<std::int64_t>(block / elements, 1,
                                              std::min<std::int64_t>(shape[axis], spline_block_rows));
        }
        tiles.brick[static_cast<std::size_t>(axis)] = extent;
        elements *= extent;
    }
    return tiles;
}

// The definition multiplies and adds, the fast code does both at once; a prefilter may enlarge what either rounds.
double tolerance_of(const SplineZoomRequest& request, DType dtype) {
    if (request.type == WorkingType::float32) {
        return request.zoom.order <= 3 ? 0x1p-19 : 0x1p-15;
    }
    return part_dtype(dtype) == DType::float32 ? 0x1p-22 : 0x1p-46;  // rounded to float32 in the end
}

}  // namespace

SplineAxis spline_axis(const SplineZoomProgram& program, int axis, std::int64_t n_in, std::int64_t n_out) {
    const std::int64_t padding = program.padding[static_cast<std::size_t>(axis)];
    const bool is_padded_row =
        axis == program.row_filter_axis && coefficient_padding(program.zoom.boundary) > 0;
    const ZoomAxis zoom = zoom_axis(program.zoom, axis, n_in, n_out);
    return {zoom,
            program.zoom.order,
            program.zoom.boundary,
            program.has_given_coefficients || !is_unchanged(zoom),
            padding > 0 || is_padded_row,
            padding};
}

Expected<void> plan_spline_zoom(const SplineZoomRequest& request, const ArrayDescription& input,
                                KernelPlan& plan) {
    SplineZoomProgram program{};
    program.zoom = request.zoom;
    program.type = request.type;
    program.has_given_coefficients = !request.is_prefiltered && request.zoom.order >= 2;
    Phases phases(input, program, plan);
    if (request.is_antialiased) {
        const Expected<void> added = add_gaussians(request, input.shape, plan, phases);
        if (!added) {
            return added;
        }
    }
    if (request.is_prefiltered && request.zoom.order >= 2) {
        add_prefilters(request, input, plan, phases, program);
    }
    for (const Workspace& workspace : plan.workspaces) {
        if (!checked_byte_count(workspace.array)) {
            return std::unexpected(
                Error{ErrorKind::usage, "the zoom's coefficients do not fit in 63 bits",
                      fmt::format("they would have the shape {} of {}", to_text(workspace.array.shape),
                                  name_of(workspace.array.dtype)),
                      "Give a smaller array, or order 1."});
        }
    }
    read_by_next_phase(plan.workspaces, 0);
    plan.program = Program(program);
    plan.tiles = tiles_for(program, input.shape, plan.output);
    plan.tolerance = tolerance_of(request, input.dtype);
    return {};
}

AxisRange spline_zoom_band_reads(const BandQuery& query) {
    const auto program = query.plan->program.as<SplineZoomProgram>();
    const Shape& input = query.inputs[0];
    const auto shape_of = [&](std::size_t source) -> const Shape& {
        return source == 0 ? input : query.plan->workspaces[source - 1].array.shape;
    };
    const int axis = query.output_axis;
    if (query.source_axis != axis) {
        return {0, shape_of(query.source)[query.source_axis]};
    }
    const SplineAxis spline = spline_axis(program, axis, input[axis], query.plan->output.shape[axis]);
    AxisRange reads = spline.is_interpolated ? tap_reads(spline, query.rows) : query.rows;
    if (axis == program.row_filter_axis) {
        // Rows that are filtered as they are loaded may have coefficients beyond their ends: a margin as wide as that.
        const std::int64_t beyond = coefficient_padding(program.zoom.boundary);
        reads = line_filter_reads(program.row_filter, input[axis], {reads.begin, reads.end + 2 * beyond});
    }
    for (auto source = static_cast<std::size_t>(program.filter_count); source > query.source; --source) {
        const LineFilter& filter = program.filters[source - 1];
        if (filter.axis == axis) {
            reads = line_filter_reads(filter, shape_of(source - 1)[axis], reads);
        }
    }
    return reads;
}

}  // namespace slab::kernels
