#pragma once

#include "client/library/planned_job.hpp"

#include <string>

namespace slab {

// What slab run --plan prints.
std::string plan_text(const PlannedJob& plan);

}  // namespace slab
