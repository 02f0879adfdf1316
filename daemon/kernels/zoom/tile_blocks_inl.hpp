// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_TILE_BLOCKS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_TILE_BLOCKS
#undef SLAB_KERNELS_TILE_BLOCKS
#else
#define SLAB_KERNELS_TILE_BLOCKS
#endif

#include "daemon/kernels/zoom/spline_level_inl.hpp"
#include "daemon/kernels/zoom/spline_zoom.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

// The levels of a tile, the slowest first, and its block at hand. A tile is cut into blocks that fit in scratch, long along
// `top`, the slowest axis that changes. Rows of samples are interpolated along x once for a block, their sums along y once
// for each sample's plane, and so on up to `top`, whose sums are the output. Where everything faster than the last axis
// that changes is long, rows are just copied, and only the slower axes have sums.
class TileBlocks {
  public:
    void add(const Level& level) {
        top_ += top_ == count_ && !level.is_zoomed ? 1 : 0;
        zoomed_levels_ += level.is_zoomed ? 1 : 0;
        levels_[count_++] = level;
    }

    std::size_t count() const { return count_; }
    std::size_t top() const { return top_; }  // count(): no level changes
    int zoomed_levels() const { return zoomed_levels_; }
    const Level& operator[](std::size_t l) const { return levels_[l]; }

    // To the first block. Blocks have up to `most` rows for each index along `top`.
    void begin(std::int64_t most) {
        for (std::size_t l = count_; l-- > 0;) {
            Level& level = levels_[l];
            level.step = l < top_ ? 1 : level.end - level.begin;
            if (l > top_) {
                level.step = std::min({level.step, most, spline_block_rows});
                most /= level.step;
            }
            move(level, level.begin);
        }
    }

    // To the next block. False after the last.
    bool next() {
        for (std::size_t l = count_; l-- > 0;) {
            Level& level = levels_[l];
            if (level.block.begin + level.step < level.end) {
                move(level, level.block.begin + level.step);
                return true;
            }
            move(level, level.begin);
        }
        return false;
    }

  private:
    static void move(Level& level, std::int64_t begin) {
        level.block = {begin, std::min(begin + level.step, level.end)};
    }

    std::array<Level, max_rank> levels_{};
    std::size_t count_ = 0;
    std::size_t top_ = 0;
    int zoomed_levels_ = 0;
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
