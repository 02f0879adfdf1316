#pragma once

#include "common/errors/error.hpp"

#include <string>

namespace slab::daemon {

// A message that is not as the protocol says.
inline Error bad_request(std::string what, std::string because = {}) {
    return {ErrorKind::usage, std::move(what), std::move(because), "See common/protocol/README.md."};
}

}  // namespace slab::daemon
