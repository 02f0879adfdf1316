#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace slab::kernels {

// Hands out a tile's scratch from its begin on, each part on a line of its own. Whoever plans the tile sees to it that
// there is enough.
class ScratchParts {
  public:
    explicit ScratchParts(std::span<std::byte> scratch)
        : next_(scratch.data()), end_(scratch.data() + scratch.size()) {}

    std::int64_t bytes_left() const { return end_ - next_; }

    template <typename T>
    T* take(std::int64_t count) {
        T* const part = reinterpret_cast<T*>(next_);
        next_ += (count * static_cast<std::int64_t>(sizeof(T)) + 63) / 64 * 64;
        return part;
    }

  private:
    std::byte* next_;
    std::byte* end_;
};

}  // namespace slab::kernels
