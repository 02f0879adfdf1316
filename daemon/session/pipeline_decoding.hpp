#pragma once

#include "common/protocol/message.hpp"
#include "daemon/admission/job.hpp"

namespace slab::daemon {

inline constexpr std::size_t most_steps = 32;

// `steps` of JOB REQUEST, in the order in which they can be done: each after those whose outputs it takes, the one whose
// output is the job's last. Refused: names that are given twice or not at all, cycles, steps and inputs that nobody uses.
Expected<std::vector<GivenStep>> decode_steps(const Json& steps, std::size_t input_count);

}  // namespace slab::daemon
