#pragma once

#include "common/errors/error.hpp"

#include <string>
#include <vector>

namespace slab {

inline constexpr const char* system_socket_path = "/run/slabd/slabd.sock";

// "$XDG_RUNTIME_DIR/slabd/slabd.sock"; empty without XDG_RUNTIME_DIR.
std::string user_socket_path();

// Where a client looks for a daemon, in this order. SLABD_SOCKET, when set, is the only one.
std::vector<std::string> client_socket_paths();

}  // namespace slab
