#include "common/pausing/pause_point.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace slab {

void pause_point(std::string_view name) {
    static const char* const directory = std::getenv("SLABD_PAUSE_DIR");
    if (directory == nullptr) [[likely]] {
        return;
    }
    const std::string base = std::string(directory) + "/" + std::string(name) + ".";
    if (std::rename((base + "armed").c_str(), (base + std::to_string(::getpid())).c_str()) == 0) {
        ::kill(::getpid(), SIGSTOP);
    }
}

}  // namespace slab
