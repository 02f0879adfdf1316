#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/windows/separable_window.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels {

// A tile keeps all weights, and where each reads, in scratch.
inline constexpr std::int64_t most_weights = 16384;
// Beyond so many parts of halo, rows are not extended: each weight has a row of its own then.
inline constexpr std::int64_t most_extended_halo = 16384;

enum class Turn : std::uint8_t { none, all_axes };                    // of the weights
enum class WeightParts : std::uint8_t { real, as_given, conjugate };  // the last two are of complex weights

// The sum over the weights w, in C order after they are turned, of w * sample, each product rounded and added to the sum
// so far, as scipy's NI_Correlate. A weight of 0 takes no part, not even over a NaN. Of complex weights and samples the
// real sums of the parts are taken, and put together at the end.
struct CorrelateProgram {
    WorkingType type = WorkingType::float64;
    Boundary boundary = Boundary::reflect;
    WholeNumbers whole_numbers = WholeNumbers::rounded;
    Turn turn = Turn::none;
    WeightParts weight_parts = WeightParts::real;
    double cval = 0.0;
    Shape weights;
    std::array<std::int64_t, max_rank> before{};  // of a turned window: it begins so far before its element
    // Weights along this axis lie within rows, along which all that is faster, `inner` parts, belongs to an element; -1:
    // each weight has a row of its own.
    int row_axis = -1;
    std::int64_t inner = 1;
};
static_assert(sizeof(CorrelateProgram) <= Program::capacity);

void correlate_tile_scalar(const TileCall& call) noexcept;  // the definition
void correlate_tile_simd(const TileCall& call) noexcept;

}  // namespace slab::kernels
