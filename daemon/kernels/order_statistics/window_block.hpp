#pragma once

#include "daemon/kernels/order_statistics/order_window.hpp"

#include <algorithm>

namespace slab::kernels {

// What one step of a tile works on: `rows` x `width` elements of the output, and around them all that their windows
// read, as rows of keys in scratch, one every `pitch` keys. Axes slower than the rows' lie as `planes` one after the other.
struct BlockShape {
    std::int64_t width = 0;  // 0: no block of this window fits into scratch
    std::int64_t rows = 0;
    std::int64_t pitch = 0;
    std::int64_t planes = 1;
    std::int64_t source_rows = 0;  // of each plane

    std::int64_t key_count() const { return planes * source_rows * pitch; }
};

// Behind each row, so that the last vector may read beyond it: 64 bytes of x86, 256 of SVE.
inline constexpr std::int64_t row_slack_bytes = 256;

// The largest of the second-level cache's share, as wide as it is good for the vectors; beyond that, what fits at all.
inline BlockShape block_shape(std::int64_t planes, std::int64_t window_rows, std::int64_t window_width,
                              std::int64_t rows, std::int64_t width, std::int64_t key_bytes) {
    constexpr std::int64_t widest_bytes = 4096;  // seven rows at once, of a 3 x 3 median, lie in 32 KiB
    constexpr std::int64_t cache_bytes = 256 * 1024;
    constexpr std::int64_t most_bytes = 640 * 1024;
    BlockShape block;
    block.planes = planes;
    for (const std::int64_t budget : {cache_bytes, most_bytes}) {
        for (std::int64_t wide = std::min(width, widest_bytes / key_bytes); wide > 0; wide /= 2) {
            // Whole lines of the cache: of rows one above the other no vector crosses two.
            const std::int64_t row_bytes = (wide + window_width - 1) * key_bytes + row_slack_bytes;
            const std::int64_t pitch = (row_bytes + 63) / 64 * 64 / key_bytes;
            const std::int64_t fitting = budget / (planes * pitch * key_bytes) - (window_rows - 1);
            // Wide rows are worth little when most of the block is halo.
            if (fitting >= std::min(rows, budget == most_bytes ? 1 : 2 * window_rows)) {
                block.width = wide;
                block.rows = std::min(rows, fitting);
                block.pitch = pitch;
                block.source_rows = block.rows + window_rows - 1;
                return block;
            }
            if (wide < 64 && budget != most_bytes) {
                break;
            }
        }
    }
    return block;
}

}  // namespace slab::kernels
