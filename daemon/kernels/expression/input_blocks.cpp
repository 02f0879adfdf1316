#include "daemon/kernels/expression/input_blocks.hpp"

#include <algorithm>
#include <cstring>

namespace slab::kernels::expression {

InputBlocks::InputBlocks(const IterationSpace& space, std::size_t input, const ConstArrayView& array)
    : data_(array.data), element_bytes_(static_cast<std::int64_t>(size_of(array.dtype))) {
    // From the last axis to the first; turned round below.
    for (int axis = space.shape.rank; axis-- > 0;) {
        const std::int64_t extent = space.shape[axis];
        const std::int64_t stride = space.strides[input][static_cast<std::size_t>(axis)];
        if (extent == 1) {
            continue;
        }
        if (rank_ > 0) {
            const auto last = static_cast<std::size_t>(rank_ - 1);
            if (stride == strides_[last] * extents_[last]) {
                extents_[last] *= extent;
                continue;
            }
        }
        extents_[static_cast<std::size_t>(rank_)] = extent;
        strides_[static_cast<std::size_t>(rank_)] = stride;
        ++rank_;
    }
    if (rank_ == 0) {  // one element
        rank_ = 1;
        extents_[0] = 1;
        strides_[0] = 1;
    }
    std::reverse(extents_.begin(), extents_.begin() + rank_);
    std::reverse(strides_.begin(), strides_.begin() + rank_);
}

const std::byte* InputBlocks::block(std::int64_t first, std::int64_t count, std::byte* staging) {
    if (!needs_staging()) {
        return data_ + first * element_bytes_;
    }
    std::array<std::int64_t, max_rank> index{};
    std::int64_t element = 0;
    for (int axis = rank_; axis-- > 0;) {
        const auto a = static_cast<std::size_t>(axis);
        index[a] = first % extents_[a];
        first /= extents_[a];
        element += index[a] * strides_[a];
    }
    const auto last = static_cast<std::size_t>(rank_ - 1);
    const bool is_repeated = strides_[last] == 0;
    if (extents_[last] - index[last] >= count) {
        if (!is_repeated) {
            return data_ + element * element_bytes_;
        }
        if (element != spread_element_ || count > spread_count_) {
            spread_element(data_ + element * element_bytes_, element_bytes_, staging, count);
            spread_element_ = element;
            spread_count_ = count;
        }
        return staging;
    }
    spread_element_ = -1;
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t part = std::min(count - done, extents_[last] - index[last]);
        const std::byte* const from = data_ + element * element_bytes_;
        if (is_repeated) {
            spread_element(from, element_bytes_, staging + done * element_bytes_, part);
        } else {
            std::memcpy(staging + done * element_bytes_, from,
                        static_cast<std::size_t>(part * element_bytes_));
        }
        done += part;
        element -= index[last] * strides_[last];
        index[last] = 0;
        for (std::size_t a = last; a-- > 0;) {
            element += strides_[a];
            if (++index[a] < extents_[a]) {
                break;
            }
            element -= strides_[a] * extents_[a];
            index[a] = 0;
        }
    }
    return staging;
}

void InputBlocks::expect(std::int64_t first, std::int64_t count) const {
    if (needs_staging()) {
        return;
    }
    constexpr std::int64_t line = 64;
    const std::byte* const begin = data_ + first * element_bytes_;
    for (std::int64_t at = 0; at < count * element_bytes_; at += line) {
        __builtin_prefetch(begin + at, 0, 2);
    }
}

void spread_element(const std::byte* element, std::int64_t element_bytes, std::byte* to, std::int64_t count) {
    const auto spread = [&]<typename T>(T value) {
        std::memcpy(&value, element, sizeof(T));
        for (std::int64_t i = 0; i < count; ++i) {
            std::memcpy(to + i * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
        }
    };
    switch (element_bytes) {
    case 1: return spread(std::uint8_t());
    case 2: return spread(std::uint16_t());
    case 4: return spread(std::uint32_t());
    case 8: return spread(std::uint64_t());
    default: return spread(std::array<std::uint64_t, 2>());
    }
}

}  // namespace slab::kernels::expression
