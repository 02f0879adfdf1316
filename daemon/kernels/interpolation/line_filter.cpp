#include "daemon/kernels/interpolation/line_filter.hpp"

#include "common/array/box_walk.hpp"
#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/interpolation/spline.hpp"

#include <algorithm>

namespace slab::kernels {

std::int64_t append_to_table(std::vector<std::byte>& table, std::span<const double> values) {
    const auto begin = static_cast<std::int64_t>(table.size());
    const std::span<const std::byte> bytes = std::as_bytes(values);
    table.insert(table.end(), bytes.begin(), bytes.end());
    return begin;
}

LineFilter spline_prefilter(int axis, std::size_t source, int order, Boundary boundary, double cval,
                            WorkingType type, std::vector<std::byte>& table, std::int64_t least_radius) {
    const double error = type == WorkingType::float32 ? 0x1p-25 : 0x1p-54;
    const std::vector<double> taps = prefilter_taps(order, error, least_radius);
    LineFilter filter;
    filter.axis = axis;
    filter.source = source;
    filter.padding = coefficient_padding(boundary);
    filter.extension = Extension::spline_input;
    filter.boundary = boundary;
    filter.cval = cval;
    filter.table_begin = append_to_table(table, taps);
    filter.radius = static_cast<std::int64_t>(taps.size()) - 1;
    filter.type = type;
    return filter;
}

Workspace line_filter_workspace(const LineFilter& filter, const ArrayDescription& source) {
    Workspace workspace{{workspace_dtype(source.dtype, filter.type), source.shape, MemoryOrder::c}, {}};
    Shape& shape = workspace.array.shape;
    shape[filter.axis] += 2 * filter.padding;
    const auto axis = static_cast<std::size_t>(filter.axis);
    const int fastest = shape.rank - 1;
    if (filter.axis == fastest) {
        workspace.tiles.brick[axis] = std::min<std::int64_t>(shape[fastest], 8192);
        return workspace;
    }
    // 512 rows for a halo of up to 88, and at most 2 MiB of double.
    workspace.tiles.brick[axis] = std::min<std::int64_t>(shape[filter.axis], 512);
    workspace.tiles.brick[static_cast<std::size_t>(fastest)] = std::min<std::int64_t>(shape[fastest], 512);
    return workspace;
}

std::optional<std::int64_t> extended_index(Extension extension, std::int64_t i, std::int64_t n,
                                           Boundary boundary) {
    return extension == Extension::samples ? map_index(i, n, boundary) : prefilter_index(i, n, boundary);
}

// What the other modes look up beyond an end is a mirror image of what lies at most as far inside.
AxisRange line_filter_reads(const LineFilter& filter, std::int64_t n, AxisRange rows) {
    if (filter.boundary == Boundary::grid_wrap) {
        return {0, n};
    }
    const std::int64_t begin = rows.begin - filter.padding - filter.radius;
    const std::int64_t end = rows.end - filter.padding + filter.radius;
    return {std::clamp<std::int64_t>(begin, 0, n - 1), std::clamp<std::int64_t>(end, 1, n)};
}

namespace {

template <typename T>
void fill_lines(const LineFilter& filter, const TileCall& call) {
    const ConstArrayView& source = source_of(call, filter.source);
    const std::int64_t parts = parts_of(source.dtype);
    const std::int64_t n = source.shape[filter.axis];
    const auto rank = static_cast<std::size_t>(source.shape.rank);
    const auto axis = static_cast<std::size_t>(filter.axis);
    const auto tap = [&](std::int64_t i) {
        double value = 0.0;
        std::memcpy(&value, call.table.data() + filter.table_begin + 8 * (i < 0 ? -i : i), sizeof(value));
        return static_cast<T>(value);
    };
    std::array<std::int64_t, max_rank> index = call.tile.begin;
    do {
        std::int64_t to = 0;
        std::int64_t from = 0;  // of index 0 along the filter's axis
        std::int64_t pitch = parts;
        for (std::size_t a = 0; a < rank; ++a) {
            to = to * call.target.shape.extents[a] + index[a];
            from = from * source.shape.extents[a] + (a == axis ? 0 : index[a]);
            pitch *= a > axis ? source.shape.extents[a] : 1;
        }
        for (std::int64_t part = 0; part < parts; ++part) {
            T sum = 0;
            for (std::int64_t i = -filter.radius; i <= filter.radius; ++i) {
                const auto at =
                    extended_index(filter.extension, index[axis] - filter.padding + i, n, filter.boundary);
                const T beyond = part == 0 ? static_cast<T>(filter.cval) : T(0);
                const T sample =
                    at ? load_element<T>(source.data, source.dtype, from * parts + *at * pitch + part)
                       : beyond;
                sum += tap(i) * sample;
            }
            store_element(sum, call.target.data, call.target.dtype, to * parts + part);
        }
    } while (next_index(index, call.tile, rank));
}

}  // namespace

void filter_lines_scalar(const LineFilter& filter, const TileCall& call) noexcept {
    with_working_type(filter.type, [&]<typename T>(T) { fill_lines<T>(filter, call); });
}

}  // namespace slab::kernels
