// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_LEVEL_SUMS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_LEVEL_SUMS
#undef SLAB_KERNELS_LEVEL_SUMS
#else
#define SLAB_KERNELS_LEVEL_SUMS
#endif

#include "daemon/kernels/zoom/source_rows_inl.hpp"
#include "daemon/kernels/zoom/spline_level_inl.hpp"
#include "daemon/kernels/zoom/spline_scratch_inl.hpp"
#include "daemon/kernels/zoom/spline_zoom.hpp"
#include "daemon/kernels/zoom/tile_blocks_inl.hpp"
#include "daemon/kernels/zoom/weighted_sum_inl.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

// Of a block: sums along each level that changes, of results of the next faster one; those of the fastest are of rows.
template <typename T>
class LevelSums {
  public:
    LevelSums(const SplineZoomProgram& program, std::int64_t element_parts, const TileBlocks& blocks,
              SourceRows<T>& rows, const SplineScratch<T>& scratch)
        : program_(program), element_parts_(element_parts), blocks_(blocks), rows_(rows), scratch_(scratch) {}

    // A new block is at hand.
    void begin_block() {
        std::int64_t size = rows_.parts();
        T* next = scratch_.blocks;
        for (std::size_t l = blocks_.count(); l-- > 0;) {
            const Level& level = blocks_[l];
            sizes_[l + 1] = size;
            if (l >= blocks_.top() && level.is_zoomed) {
                rings_[l].pitch = SplineScratch<T>::block_pitch(size);
                rings_[l].blocks = next;
                rings_[l].indices.fill(no_index);
                next += rings_[l].pitch * (program_.zoom.order + 1);
            }
            if (l > blocks_.top() && level.is_zoomed) {
                for (std::int64_t k = level.block.begin; k < level.block.end; ++k) {
                    taps(l)[k - level.block.begin] = taps_of_level<T>(level, k);
                }
            }
            if (l > blocks_.top()) {
                size *= level.block.end - level.block.begin;
            }
        }
    }

    Ring<T>& ring(std::size_t l) { return rings_[l]; }

    // Room for those of spline_block_rows results. Made for each index of the block, but not along `top`: there may be more.
    LevelTaps<T>* taps(std::size_t l) const { return scratch_.level_taps + l * spline_block_rows; }

    // The blocks of which the level's result is the sum, those that are not there computed.
    WeightedRows<T> gather(std::size_t l, const LevelTaps<T>& taps, std::int64_t base) {
        const Level& level = blocks_[l];
        Ring<T>& ring = rings_[l];
        const std::int64_t count = program_.zoom.order + 1;
        WeightedRows<T> sum;
        const std::int64_t first_place = ((taps.first % count) + count) % count;
        for (std::int64_t tap = 0; tap < count; ++tap) {
            const T weight = taps.weights[tap];
            if (weight == T(0)) {
                continue;  // whatever lies there, be it infinite
            }
            const std::int64_t index = taps.first + tap;
            const std::int64_t place = first_place + tap - (first_place + tap < count ? 0 : count);
            T* const block = ring.blocks + place * ring.pitch;
            if (ring.indices[static_cast<std::size_t>(place)] != index) {
                ring.indices[static_cast<std::size_t>(place)] = index;
                const std::optional<std::int64_t> source = tap_source(level.spline, index);
                if (source) {
                    if (l + 1 == blocks_.count()) {
                        rows_.prefetch(base + (*source + 1) * level.source_pitch);
                    }
                    compute(l + 1, base + *source * level.source_pitch, block);
                } else {
                    place_beyond(block, sizes_[l + 1], element_parts_, program_.zoom.cval);
                }
            }
            sum.add(block, weight);
        }
        return sum;
    }

  private:
    // The results of level l and all faster ones, one after the other.
    void compute(std::size_t l, std::int64_t base, T* to) {
        if (l == blocks_.count()) {
            rows_.place(base, to);
            return;
        }
        const Level& level = blocks_[l];
        rings_[l].indices.fill(no_index);
        for (std::int64_t k = level.block.begin; k < level.block.end; ++k) {
            const std::int64_t i = k - level.block.begin;
            T* const result = to + i * sizes_[l + 1];
            if (level.is_zoomed) {
                const LevelTaps<T>* const here = taps(l) + i;
                const WeightedRows<T> sum = gather(l, *here, base);
                const bool ends_with_vector = sizes_[l + 1] % sum_step<T>() == 0;
                if (ends_with_vector && k + 1 < level.block.end && here[1].first == here[0].first) {
                    const WeightedRows<T> next = gather(l, here[1], base);
                    if (are_of_same_rows(sum, next)) {
                        TwoSums<T> two{sum, {}, sizes_[l + 1]};
                        std::copy_n(next.weights, next.count, two.second_weights);
                        sum_rows(two, result, sizes_[l + 1]);
                        ++k;
                        continue;
                    }
                }
                sum_rows(sum, result, sizes_[l + 1]);
            } else {
                compute(l + 1, base + k * level.source_pitch, result);
            }
        }
    }

    const SplineZoomProgram& program_;
    std::int64_t element_parts_;
    const TileBlocks& blocks_;
    SourceRows<T>& rows_;
    const SplineScratch<T>& scratch_;
    std::array<std::int64_t, max_rank + 1> sizes_{};  // parts of a block of level l and all faster ones
    std::array<Ring<T>, max_rank> rings_{};
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
