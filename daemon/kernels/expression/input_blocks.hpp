#pragma once

#include "daemon/kernels/expression/iteration_space.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace slab::kernels::expression {

// One input as blocks of the iteration space in C order.
class InputBlocks {
  public:
    InputBlocks() = default;
    InputBlocks(const IterationSpace& space, std::size_t input, const ConstArrayView& array);

    // Whether blocks may have to be put together, in `staging`.
    bool needs_staging() const { return rank_ != 1 || strides_[0] != 1; }

    // Elements [first, first + count): where they lie, or staged.
    const std::byte* block(std::int64_t first, std::int64_t count, std::byte* staging);

    // Asks for the lines of a block that lies in memory as it is.
    void expect(std::int64_t first, std::int64_t count) const;

  private:
    const std::byte* data_ = nullptr;
    std::int64_t element_bytes_ = 1;
    // Axes of the space that run on in the input's memory, or all repeat it, are one here; the last has stride 0 or 1.
    int rank_ = 0;
    std::array<std::int64_t, max_rank> extents_{};
    std::array<std::int64_t, max_rank> strides_{};
    // The staging is filled with this element, so many times.
    std::int64_t spread_element_ = -1;
    std::int64_t spread_count_ = 0;
};

// Writes `count` copies of one element.
void spread_element(const std::byte* element, std::int64_t element_bytes, std::byte* to, std::int64_t count);

}  // namespace slab::kernels::expression
