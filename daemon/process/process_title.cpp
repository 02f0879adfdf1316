#include "daemon/process/process_title.hpp"

#include <algorithm>
#include <cstring>
#include <sys/prctl.h>
#include <unistd.h>

extern char** environ;

namespace slab::daemon {
namespace {

char* room = nullptr;
std::size_t room_bytes = 0;

}  // namespace

void keep_room_for_title(int argc, char** argv) {
    room = argv[0];
    char* end = argv[0];
    // The kernel lays arguments and environment one behind the other.
    for (int i = 0; i < argc; ++i) {
        if (argv[i] == end || i == 0) {
            end = argv[i] + std::strlen(argv[i]) + 1;
        }
    }
    int count = 0;
    while (environ[count] != nullptr) {
        if (environ[count] == end) {
            end += std::strlen(environ[count]) + 1;
        }
        ++count;
    }
    char** const copy = new char*[static_cast<std::size_t>(count) + 1];
    for (int i = 0; i < count; ++i) {
        copy[i] = ::strdup(environ[i]);
    }
    copy[count] = nullptr;
    environ = copy;
    room_bytes = static_cast<std::size_t>(end - room);
}

void set_process_title(std::string_view title) {
    if (room != nullptr) {
        const std::size_t count = std::min(title.size(), room_bytes - 1);
        std::memcpy(room, title.data(), count);
        std::memset(room + count, 0, room_bytes - count);
    }
    char name[16] = {};  // the kernel's limit for comm
    std::memcpy(name, title.data(), std::min(title.size(), sizeof(name) - 1));
    ::prctl(PR_SET_NAME, name);
}

}  // namespace slab::daemon
