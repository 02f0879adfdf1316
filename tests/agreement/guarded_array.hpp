#pragma once

#include "common/array/array_description.hpp"
#include "common/array/array_view.hpp"

#include <cstddef>
#include <vector>

namespace slab::agreement {

// Where an array lies between two pages that nobody may read: one byte too far ends the test.
enum class Placement { at_the_end, at_the_begin };

// An array for reading, `shift` bytes away from the forbidden page, so that its elements may lie at odd
// addresses.
class GuardedArray {
  public:
    GuardedArray(const ArrayDescription& array, const std::vector<std::byte>& content, Placement placement,
                 std::size_t shift);
    ~GuardedArray();
    GuardedArray(GuardedArray&& other) noexcept;
    GuardedArray(const GuardedArray&) = delete;
    GuardedArray& operator=(const GuardedArray&) = delete;

    ConstArrayView view() const { return view_; }

  private:
    void* mapping_;
    std::size_t mapping_bytes_;
    ConstArrayView view_;
};

// An output within a margin, all of it a pattern to begin with.
class PatternedOutput {
  public:
    explicit PatternedOutput(const ArrayDescription& array);

    ArrayView view();
    std::vector<std::byte> content() const;
    bool margins_are_untouched() const;

    static constexpr std::byte pattern{0xA5};

  private:
    static constexpr std::size_t margin = 4096;

    ArrayDescription array_;
    std::size_t bytes_;
    std::vector<std::byte> memory_;
    std::size_t begin_;
};

}  // namespace slab::agreement
