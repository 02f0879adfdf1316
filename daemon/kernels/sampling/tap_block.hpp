#pragma once

#include "common/array/dtype.hpp"
#include "daemon/kernels/interpolation/spline.hpp"
#include "daemon/kernels/sampling/pull_back.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace slab::kernels {

inline constexpr int most_taps = most_order + 1;

// Where the taps of one element lie along each axis of space, in elements from the plane's first; below 0: beyond the
// array, where cval is.
struct TapOffsets {
    std::array<std::array<std::int64_t, most_taps>, space_axes> along{};
    std::array<int, space_axes> count{1, 1, 1};
};

// Rows of taps of one element, one after the other, as the sums want to read them: `pitch` apart, converted to T.
template <typename T>
using PickTaps = void (*)(const std::byte* plane, const TapOffsets& offsets, std::int64_t pitch, T cval,
                          T* block);

// For any real dtype.
template <typename T>
PickTaps<T> pick_taps_of(DType dtype);

extern template PickTaps<float> pick_taps_of<float>(DType dtype);
extern template PickTaps<double> pick_taps_of<double>(DType dtype);

}  // namespace slab::kernels
