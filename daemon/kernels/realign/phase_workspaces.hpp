#pragma once

#include "daemon/kernels/realign/realign_program.hpp"

#include <type_traits>

// What tiles see of the phases before.
namespace slab::kernels::realign {

inline const ConstArrayView& workspace(const TileCall& call, RealignPhase phase) {
    return call.workspaces[static_cast<std::size_t>(phase)];
}

inline const float* floats_of(const ConstArrayView& array, std::int64_t row, std::int64_t row_elements) {
    return reinterpret_cast<const float*>(array.data) + row * row_elements;
}

// Of a workspace with a record for each frame.
template <typename Record>
const Record& record_of(const ConstArrayView& rows, std::int64_t frame) {
    static_assert(std::is_trivially_copyable_v<Record>);
    return reinterpret_cast<const Record*>(rows.data)[frame];
}

}  // namespace slab::kernels::realign
