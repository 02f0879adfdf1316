#pragma once

#include "daemon/kernels/realign/memory_run.hpp"
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

// Of a workspace with records of one type behind each other, for each frame, say.
template <typename Record>
const Record& record_of(const ConstArrayView& records, std::int64_t number) {
    static_assert(std::is_trivially_copyable_v<Record>);
    return reinterpret_cast<const Record*>(records.data)[number];
}

// Row `row` of bytes, to be laid out; of a phase before it is read only.
template <class Array>
MemoryRun row_of(const Array& rows, std::int64_t row) {
    return MemoryRun(const_cast<std::byte*>(rows.data) + row * rows.shape[1]);
}

}  // namespace slab::kernels::realign
