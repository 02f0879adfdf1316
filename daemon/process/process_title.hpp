#pragma once

#include <string_view>

namespace slab::daemon {

// What `ps` shows: without data, only what the process is. Once, first thing in main: moves the environment away, so
// that the bytes of the arguments and of the environment can be written over.
void keep_room_for_title(int argc, char** argv);

void set_process_title(std::string_view title);

}  // namespace slab::daemon
