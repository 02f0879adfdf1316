#pragma once

#include "common/array/box.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace slab {

// Goes to the next index along the first `axes` axes of the box, in C order; the others stay. False after the last one: these
// axes are at the box's begin again.
inline bool next_index(std::array<std::int64_t, max_rank>& index, const Box& box, std::size_t axes) {
    for (std::size_t axis = axes; axis-- > 0;) {
        if (++index[axis] < box.end[axis]) {
            return true;
        }
        index[axis] = box.begin[axis];
    }
    return false;
}

}  // namespace slab
