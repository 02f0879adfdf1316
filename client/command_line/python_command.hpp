#pragma once

#include "common/errors/error.hpp"

#include <span>
#include <string>

namespace slab {

// Whether these arguments of `slab run` want a function in Python: that is another program's work.
bool wants_python(std::span<const std::string> arguments);

// Becomes that program: python3 (or $SLABD_PYTHON) with the module slab. Returns only when it cannot be started.
Error become_python(std::span<const std::string> arguments);

}  // namespace slab
