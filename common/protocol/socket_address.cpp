#include "common/protocol/socket_address.hpp"

#include <cstdlib>

namespace slab {

std::string user_socket_path() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    return runtime == nullptr || *runtime == '\0' ? std::string()
                                                  : std::string(runtime) + "/slabd/slabd.sock";
}

std::vector<std::string> client_socket_paths() {
    if (const char* chosen = std::getenv("SLABD_SOCKET"); chosen != nullptr && *chosen != '\0') {
        return {chosen};
    }
    std::vector<std::string> paths;
    if (std::string path = user_socket_path(); !path.empty()) {
        paths.push_back(std::move(path));
    }
    paths.emplace_back(system_socket_path);
    return paths;
}

}  // namespace slab
