#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <string>

namespace slab {

// What was found at the places where a daemon may be.
struct SocketSearch {
    UniqueDescriptor socket;   // connected; none when nobody is there
    std::string path;          // of the socket
    std::string absence;       // why there is none: the places and what is wrong with each
    bool left_behind = false;  // one is there that nobody listens at
};

// Tries chosen alone when it is not empty, else the protocol's places in their order. A place without a
// socket leads to the next one. A socket that nobody listens at (its daemon died) ends the search with
// nobody. One whose daemon refuses this user is an error of kind no_daemon.
Expected<SocketSearch> find_daemon_socket(const std::string& chosen);

}  // namespace slab
