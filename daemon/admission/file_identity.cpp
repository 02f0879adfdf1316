#include "daemon/admission/file_identity.hpp"

namespace slab::daemon {

Json identity_to_json(const FileIdentity& file) {
    return {{"device", file.device},
            {"inode", file.inode},
            {"bytes", file.bytes},
            {"modified_ns", file.modified_ns},
            {"is_anonymous", file.is_anonymous}};
}

FileIdentity identity_from(const Json& json) {
    return {static_cast<std::uint64_t>(integer_or(json, "device", 0)),
            static_cast<std::uint64_t>(integer_or(json, "inode", 0)), integer_or(json, "bytes", 0),
            integer_or(json, "modified_ns", 0),
            static_cast<std::uint32_t>(integer_or(json, "is_anonymous", 0))};
}

}  // namespace slab::daemon
