#pragma once

#include "common/array/array_description.hpp"
#include "common/protocol/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace slab::daemon {

// `result` of JOB: the elements at `data` as numbers of the protocol, a list of them unless there is one only; complex
// ones are [real, imaginary].
Json answer_to_json(const std::byte* data, const ArrayDescription& array);

// Rows of float64.
Json table_rows_to_json(const std::byte* data, const std::array<std::int64_t, 2>& extents);

}  // namespace slab::daemon
