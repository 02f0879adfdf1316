#pragma once

#include "common/array/array_description.hpp"
#include "common/protocol/message.hpp"

#include <cstddef>

namespace slab::daemon {

// `result` of JOB: the elements at `data` as numbers of the protocol, a list of them unless there is one only; complex
// ones are [real, imaginary].
Json answer_to_json(const std::byte* data, const ArrayDescription& array);

}  // namespace slab::daemon
