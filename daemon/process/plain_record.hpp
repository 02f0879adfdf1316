#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace slab::daemon {

// Messages between the processes of this program are plain records, one a packet. Both ends are forked from the same
// program: no versions, no byte orders.
template <typename Record>
std::string_view bytes_of(const Record& record) {
    static_assert(std::is_trivially_copyable_v<Record>);
    return {reinterpret_cast<const char*>(&record), sizeof(Record)};
}

template <typename Record>
Record record_of(std::string_view bytes) {
    static_assert(std::is_trivially_copyable_v<Record>);
    Record record{};
    std::memcpy(static_cast<void*>(&record), bytes.data(), std::min(bytes.size(), sizeof(Record)));
    return record;
}

}  // namespace slab::daemon
