#pragma once

#include <cstdint>
#include <vector>

namespace slab {

// Rows of equal length of real numbers, one after the other: a matrix, a transform for each frame. A plain list of
// numbers is one row.
struct NumberTable {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::vector<double> values;
    bool operator==(const NumberTable&) const = default;
};

// 8 MB; 62,500 frames with a 4x4 matrix each. What is larger is an array and belongs to the inputs.
inline constexpr std::int64_t most_table_numbers = 1'000'000;

}  // namespace slab
