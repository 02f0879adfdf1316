#include "daemon/process/process_title.hpp"

#include <algorithm>
#include <cstring>
#include <sys/prctl.h>
#include <unistd.h>

extern char** environ;

namespace slab::daemon {
namespace {

char* title_room = nullptr;
std::size_t title_room_bytes = 0;

}  // namespace

void keep_room_for_title(int argc, char** argv) {
    title_room = argv[0];
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
    title_room_bytes = static_cast<std::size_t>(end - title_room);
}

void set_process_title(std::string_view title) {
    if (title_room != nullptr) {
        const std::size_t count = std::min(title.size(), title_room_bytes - 1);
        std::memcpy(title_room, title.data(), count);
        std::memset(title_room + count, 0, title_room_bytes - count);
    }
    char name[16] = {};  // the kernel's limit for comm
    std::memcpy(name, title.data(), std::min(title.size(), sizeof(name) - 1));
    ::prctl(PR_SET_NAME, name);
}

}  // namespace slab::daemon
