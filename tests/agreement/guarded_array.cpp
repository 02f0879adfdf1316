#include "tests/agreement/guarded_array.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace slab::agreement {

GuardedArray::GuardedArray(const ArrayDescription& array, const std::vector<std::byte>& content,
                           Placement placement, std::size_t shift) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t room = (content.size() + shift + page - 1) / page * page;
    mapping_bytes_ = room + 2 * page;
    mapping_ = mmap(nullptr, mapping_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping_ == MAP_FAILED) {
        throw std::bad_alloc();
    }
    std::byte* const readable = static_cast<std::byte*>(mapping_) + page;
    mprotect(readable, room, PROT_READ | PROT_WRITE);
    std::byte* const data =
        placement == Placement::at_the_end ? readable + room - content.size() - shift : readable + shift;
    std::memcpy(data, content.data(), content.size());
    mprotect(readable, room, PROT_READ);
    view_ = {data, array.dtype, array.shape};
}

GuardedArray::GuardedArray(GuardedArray&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)), mapping_bytes_(other.mapping_bytes_),
      view_(other.view_) {}

GuardedArray::~GuardedArray() {
    if (mapping_ != nullptr) {
        munmap(mapping_, mapping_bytes_);
    }
}

PatternedOutput::PatternedOutput(const ArrayDescription& array)
    : array_(array), bytes_(static_cast<std::size_t>(byte_count(array))),
      memory_(bytes_ + 3 * margin, pattern) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    begin_ = (address + 2 * margin - 1) / margin * margin - address;
}

ArrayView PatternedOutput::view() {
    return {memory_.data() + begin_, array_.dtype, array_.shape};
}

std::vector<std::byte> PatternedOutput::content() const {
    const auto begin = memory_.begin() + static_cast<std::ptrdiff_t>(begin_);
    return {begin, begin + static_cast<std::ptrdiff_t>(bytes_)};
}

bool PatternedOutput::margins_are_untouched() const {
    const auto begin = memory_.begin() + static_cast<std::ptrdiff_t>(begin_);
    const auto is_pattern = [](std::byte b) { return b == pattern; };
    return std::all_of(memory_.begin(), begin, is_pattern) &&
           std::all_of(begin + static_cast<std::ptrdiff_t>(bytes_), memory_.end(), is_pattern);
}

}  // namespace slab::agreement
