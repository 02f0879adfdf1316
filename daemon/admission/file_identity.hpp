#pragma once

#include "common/protocol/message.hpp"
#include "daemon/mover/mover_messages.hpp"

namespace slab::daemon {

// As the journal keeps it. What is missing or of another type is 0, which is no file's.
Json identity_to_json(const FileIdentity& file);
FileIdentity identity_from(const Json& json);

}  // namespace slab::daemon
