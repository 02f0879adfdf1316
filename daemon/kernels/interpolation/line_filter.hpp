#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"
#include "daemon/kernels/kernel.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace slab::kernels {

// What a filter sees beyond the ends of the samples.
enum class Extension : std::uint8_t {
    samples,       // map_index: the boundary as it is
    spline_input,  // prefilter_index: as scipy extends the samples of a spline
};

// What a filter's samples must fit into is the scratch of a tile; plans refuse longer ones.
inline constexpr std::int64_t most_filter_radius = 1000;

// A phase: a symmetric filter h[-r..r] along one axis, from an input of any dtype or an earlier workspace into a
// workspace of the working type (complex where the input is). The target has the source's shape, longer by `padding`
// at both ends of `axis`: target index i is sample i - padding.
// Each element is h[-r] s[i-r] + ... + h[r] s[i+r], added up in this order from 0, in the working type: the same bytes
// in any tiling. Plain data: part of a kernel's program.
struct LineFilter {
    int axis = 0;
    std::size_t source = 0;  // the inputs, then the workspaces
    std::int64_t padding = 0;
    Extension extension = Extension::samples;
    Boundary boundary = Boundary::nearest;
    double cval = 0.0;             // of real parts; beyond, imaginary parts are 0
    std::int64_t table_begin = 0;  // h[0], h[1], ... h[radius], as doubles, at this byte of the plan's table
    std::int64_t radius = 0;
    WorkingType type = WorkingType::float64;
};

// Appends doubles to the plan's table; where they begin, in bytes.
std::int64_t append_to_table(std::vector<std::byte>& table, std::span<const double> values);

// The filter that turns samples into coefficients of a spline of the order (2 to 5), its taps appended to the table:
// as exact as the working type. Its padding is coefficient_padding(boundary).
LineFilter spline_prefilter(int axis, std::size_t source, int order, Boundary boundary, double cval,
                            WorkingType type, std::vector<std::byte>& table, std::int64_t least_radius = 0);

// The workspace that the filter fills, from an array of this description. Tiles are long along the axis: a tile
// reads `radius` more at both ends.
Workspace line_filter_workspace(const LineFilter& filter, const ArrayDescription& source);

// Of the source's n indices along the filter's axis, those that target indices [rows.begin, rows.end) depend on.
// Never falls as rows rise; all where an end reads the other end.
AxisRange line_filter_reads(const LineFilter& filter, std::int64_t n, AxisRange rows);

// Fills call.tile of call.target.
void filter_lines_scalar(const LineFilter& filter, const TileCall& call) noexcept;  // the definition
void filter_lines_simd(const LineFilter& filter, const TileCall& call) noexcept;

// Which sample lies at index i of the source's axis, maybe beyond its ends; empty: cval.
std::optional<std::int64_t> extended_index(Extension extension, std::int64_t i, std::int64_t n,
                                           Boundary boundary);

inline const ConstArrayView& source_of(const TileCall& call, std::size_t source) {
    return source < call.inputs.size() ? call.inputs[source] : call.workspaces[source - call.inputs.size()];
}

}  // namespace slab::kernels
