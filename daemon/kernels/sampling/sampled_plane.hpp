#pragma once

#include "daemon/kernels/sampling/element_taps.hpp"
#include "daemon/kernels/sampling/tap_block.hpp"

#include <cstddef>
#include <cstdint>

namespace slab::kernels {

// The samples or coefficients of one frame (of complex numbers, of one part) and what lies beyond them.
template <typename T>
struct SampledPlane {
    TapGrid grid;
    const std::byte* data = nullptr;
    bool has_working_type = false;  // and neighbours along x are neighbours in memory
    std::int64_t elements = 0;      // nothing behind them may be read: it may not be in memory
    PickTaps<T> pick = nullptr;
    T cval = T(0);

    const T* samples() const { return reinterpret_cast<const T*>(data); }
};

}  // namespace slab::kernels
