#pragma once

#include <cstddef>
#include <cstdint>

namespace slab::kernels::realign {

// Gives out a piece of memory from its beginning on, in parts aligned to 64 bytes. With no memory it only counts.
class MemoryRun {
  public:
    MemoryRun() = default;
    explicit MemoryRun(std::byte* begin) : begin_(begin) {}

    template <typename T>
    T* take(std::int64_t count) {
        std::byte* const place = begin_ == nullptr ? nullptr : begin_ + used_;
        used_ += (count * static_cast<std::int64_t>(sizeof(T)) + 63) / 64 * 64;
        return reinterpret_cast<T*>(place);
    }

    std::int64_t used() const { return used_; }

  private:
    std::byte* begin_ = nullptr;
    std::int64_t used_ = 0;
};

}  // namespace slab::kernels::realign
