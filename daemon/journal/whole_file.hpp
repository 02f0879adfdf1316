#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace slab::daemon {

// Plain calls on files, repeated until all is done. A failure is an errno.
std::expected<std::string, int> whole_file(int descriptor);
int write_whole(int descriptor, std::int64_t offset, std::string_view bytes);  // 0 or an errno

// How an open file or folder is called, for people.
std::string path_of(int descriptor);

}  // namespace slab::daemon
