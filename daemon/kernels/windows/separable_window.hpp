#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"
#include "daemon/kernels/kernel.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace slab::kernels {

// Longer windows would not fit into a tile's scratch with the rows that they are sums of.
inline constexpr std::int64_t most_window = 2047;

// How the samples of a window become one.
//   mean     sums of 2, 4, 8, ... neighbours, then of those that make up the window, so that every window is summed up
//            in the same way wherever it lies: no error accumulates, and a NaN stays in its window (scipy's running
//            sum carries it on). Sums are divided once, at the end.
//   weights  each times its weight, added up in order. The definition adds the middle first and then pairs from the
//            outside in, as scipy.
enum class WindowKind : std::uint8_t { mean, weights };

// What becomes of values that are no whole numbers in an array of whole numbers.
//   rounded  once, at the end: half away from zero, clamped
//   cut      toward zero after every axis, as scipy does, which keeps each axis' result in the output's type: 9/10 of a
//            grey level can be lost at each. What the type cannot hold wraps around.
enum class WholeNumbers : std::uint8_t { rounded, cut };

// Of weights about the middle of their window.
enum class Symmetry : std::uint8_t { even, odd };

// A window along one axis: of sample i it has i - before, ... i - before + taps - 1.
struct WindowAxis {
    int axis = 0;
    Symmetry symmetry = Symmetry::even;
    std::int64_t taps = 1;
    std::int64_t before = 0;
    std::int64_t weights = 0;  // the first weight is at this byte of the plan's table; they are doubles
};

// Up to three axes that are filtered at once, in the program's order. What is between them never leaves the caches.
struct WindowPass {
    int first = 0;  // of the program's axes
    int count = 0;
    double beyond =
        0.0;  // with the mode constant: what lies beyond the pass' source, in the units of the sums so far
};

// A phase for each pass: from the input or the workspace before it into a workspace or, the last, the output. All have
// the input's shape.
struct WindowProgram {
    WindowKind kind = WindowKind::mean;
    WorkingType type = WorkingType::float64;
    Boundary boundary = Boundary::reflect;
    WholeNumbers whole_numbers = WholeNumbers::rounded;
    DType element = DType::uint8;  // the output's, of a part: to what each axis is cut
    int pass_count = 0;
    std::array<WindowPass, max_rank> passes{};
    std::array<WindowAxis, max_rank> axes{};
    // The last thing that is done to a sum S: (S + nudge) * scale, the nudge with the sign of S. It makes the mean of
    // whole numbers that is a half one in spite of rounding.
    double scale = 1.0;
    double nudge = 0.0;
};
static_assert(sizeof(WindowProgram) <= Program::capacity);

inline std::span<const WindowAxis> axes_of(const WindowProgram& program, const WindowPass& pass) {
    return std::span(program.axes)
        .subspan(static_cast<std::size_t>(pass.first), static_cast<std::size_t>(pass.count));
}

inline const ConstArrayView& source_of_pass(const TileCall& call) {
    return call.phase == 0 ? call.inputs[0] : call.workspaces[call.phase - 1];
}

// Axes with fewer parts than this in one index are filtered within rows, along which all that is faster belongs to an
// element; the others by sums of rows.
inline constexpr std::int64_t folded_row_parts = 32;

// The definition, and what runs. Of each phase.
void fill_window_scalar(const TileCall& call) noexcept;
void fill_window_simd(const TileCall& call) noexcept;

AxisRange window_band_reads(const BandQuery& query);

}  // namespace slab::kernels
