// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_ZOOM_TILE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_ZOOM_TILE
#undef SLAB_KERNELS_SPLINE_ZOOM_TILE
#else
#define SLAB_KERNELS_SPLINE_ZOOM_TILE
#endif

#include "daemon/kernels/zoom/level_sums_inl.hpp"
#include "daemon/kernels/zoom/linear_planes_inl.hpp"
#include "daemon/kernels/zoom/source_rows_inl.hpp"
#include "daemon/kernels/zoom/spline_level_inl.hpp"
#include "daemon/kernels/zoom/spline_scratch_inl.hpp"
#include "daemon/kernels/zoom/spline_zoom.hpp"
#include "daemon/kernels/zoom/sum_store_inl.hpp"
#include "daemon/kernels/zoom/tile_blocks_inl.hpp"
#include "daemon/kernels/zoom/weighted_sum_inl.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

// A tile of the output: first what is cval, then the rest, block after block.
template <typename T>
class SplineZoomTile {
  public:
    explicit SplineZoomTile(const TileCall& call)
        : call_(call), program_(call.program->as<SplineZoomProgram>()),
          source_(source_of(call, static_cast<std::size_t>(program_.filter_count))),
          element_parts_(parts_of(source_.dtype)), rank_(static_cast<std::size_t>(source_.shape.rank)),
          tile_(call.tile), scratch_(call.scratch),
          store_(call.target, element_parts_, scratch_.sums, scratch_.elements),
          rows_(program_, call, axes_, source_, scratch_),
          sums_(program_, element_parts_, blocks_, rows_, scratch_) {
        for (std::size_t a = 0; a < rank_; ++a) {
            axes_[a] = spline_axis(program_, static_cast<int>(a), call_.inputs[0].shape.extents[a],
                                   call_.target.shape.extents[a]);
        }
    }

    void fill() {
        if (fill_beyond()) {
            find_levels();
            while (rows_.next_piece()) {
                fill_piece();
            }
        }
        store_.flush();
    }

  private:
    // What lies outside for the mode constant is cval, exactly; the rest of the tile is interpolated. False: nothing is
    // left.
    bool fill_beyond() {
        for (std::size_t a = 0; a < rank_; ++a) {
            const AxisRange inside = interpolated_range(axes_[a], {tile_.begin[a], tile_.end[a]});
            Box outside = tile_;
            outside.end[a] = inside.begin;
            store_.fill_with(program_.zoom.cval, outside);
            outside = tile_;
            outside.begin[a] = std::max(inside.begin, inside.end);
            store_.fill_with(program_.zoom.cval, outside);
            tile_.begin[a] = inside.begin;
            tile_.end[a] = inside.end;
            if (inside.begin >= inside.end) {
                return false;
            }
        }
        return true;
    }

    void find_levels() {
        const std::size_t levels = rows_.begin(tile_);
        if (rows_.are_folded()) {
            store_.choose_elements({tile_, source_.shape, rows_.axis(), rows_.inner()});
            std::fill_n(scratch_.zeros, SplineRowTable<T>::most_parts, T(0));
        }
        for (std::size_t a = 0; a < levels; ++a) {
            Level level{};
            level.spline = axes_[a];
            level.is_zoomed = level.spline.is_interpolated;
            level.begin = tile_.begin[a];
            level.end = tile_.end[a];
            level.extent = call_.target.shape.extents[a];
            level.source_pitch = level.target_pitch = element_parts_;
            for (std::size_t b = a + 1; b < rank_; ++b) {
                level.source_pitch *= source_.shape.extents[b];
                level.target_pitch *= call_.target.shape.extents[b];
            }
            blocks_.add(level);
        }
    }

    // All blocks of the tile for one piece of the rows.
    void fill_piece() {
        constexpr std::int64_t part_bytes = sizeof(T);
        blocks_.begin(std::max<std::int64_t>(1, spline_block_bytes(blocks_.zoomed_levels()) / part_bytes /
                                                    (program_.zoom.order + 1) / rows_.parts()));
        do {
            fill_block();
        } while (blocks_.next());
    }

    void fill_block() {
        const std::size_t top = blocks_.top();
        std::int64_t base = rows_.source_offset();
        std::int64_t target = rows_.target_offset();
        for (std::size_t l = 0; l < top; ++l) {
            base += blocks_[l].block.begin * blocks_[l].source_pitch;
            target += blocks_[l].block.begin * blocks_[l].target_pitch;
        }
        sums_.begin_block();
        if (top == blocks_.count()) {
            rows_.place(base, scratch_.blocks);
            WeightedRows<T> row;
            row.add(scratch_.blocks, T(1));
            store_.store(row, target, rows_.parts());
        } else if (is_of_linear_planes(target)) {
            stream_linear_planes(base, target);
        } else {
            store_sums(base, target);
        }
    }

    // Of all results along `top`.
    void store_sums(std::int64_t base, std::int64_t target) {
        const std::size_t top = blocks_.top();
        const Level& level = blocks_[top];
        for (std::int64_t k = level.block.begin; k < level.block.end; ++k) {
            auto taps = taps_of_level<T>(level, k);
            const WeightedRows<T> sum = sums_.gather(top, taps, base);
            const std::int64_t to = target + k * level.target_pitch;
            const std::int64_t first = taps.first;
            if (k + 1 < level.block.end) {
                taps = taps_of_level<T>(level, k + 1);
            }
            // Growing, the next result is often of the same rows.
            if (k + 1 < level.block.end && taps.first == first) {
                const WeightedRows<T> next = sums_.gather(top, taps, base);
                if (are_of_same_rows(sum, next)) {
                    TwoSums<T> two{sum, {}, level.target_pitch};
                    std::copy_n(next.weights, next.count, two.second_weights);
                    store_block(two, to);
                    ++k;
                    continue;
                }
            }
            store_block(sum, to);
        }
    }

    // The sum of whole blocks, or two: as many parts at once as lie one after the other in the output.
    template <class Sum>
    void store_block(Sum sum, std::int64_t target) {
        std::int64_t run = rows_.parts();
        std::size_t l = blocks_.count();
        bool is_whole = rows_.is_whole() && store_.elements_are_whole();
        for (; l > blocks_.top() + 1 && is_whole; --l) {
            const Level& level = blocks_[l - 1];
            const std::int64_t extent = level.block.end - level.block.begin;
            run *= extent;
            target += level.block.begin * level.target_pitch;
            is_whole = extent == level.extent;
        }
        store_runs(sum, blocks_.top() + 1, l, target, run);
    }

    template <class Sum>
    void store_runs(Sum& sum, std::size_t l, std::size_t end, std::int64_t target, std::int64_t run) {
        if (l == end) {
            store_.store(sum, target, run);
            sum.skip(run);
            return;
        }
        for (std::int64_t k = blocks_[l].block.begin; k < blocks_[l].block.end; ++k) {
            store_runs(sum, l + 1, end, target + k * blocks_[l].target_pitch, run);
        }
    }

    // Order 1 along two axes beside the rows, no more rows read than written (shrinking, and at a seam where the mode
    // wraps, there are), and all results are whole vectors that go past the caches. Not where a plane may lie beyond: its
    // sums are cval without having been summed up.
    bool is_of_linear_planes(std::int64_t target) const {
        const std::size_t top = blocks_.top();
        if (program_.zoom.order != 1 || program_.zoom.boundary == Boundary::grid_constant ||
            !rows_.are_folded() || top + 2 != blocks_.count() || !blocks_[top + 1].is_zoomed) {
            return false;
        }
        const Level& rows = blocks_[top + 1];
        const std::int64_t count = rows.block.end - rows.block.begin;
        const auto [first, last] = samples_of(sums_.taps(top + 1), count);
        return last - first <= count && store_.streams_whole_vectors(target, rows_.parts()) &&
               store_.streams_whole_vectors(target + rows.target_pitch, rows_.parts()) &&
               store_.streams_whole_vectors(target + blocks_[top].target_pitch, rows_.parts());
    }

    void stream_linear_planes(std::int64_t base, std::int64_t target) {
        const std::size_t top = blocks_.top();
        const Level& planes = blocks_[top];
        const Level& rows = blocks_[top + 1];
        const auto place = [&](std::int64_t plane_index, std::int64_t row_index, T* to) {
            const std::optional<std::int64_t> plane = tap_source(planes.spline, plane_index);
            const std::optional<std::int64_t> row = tap_source(rows.spline, row_index);
            if (plane && row) {
                const std::int64_t source = base + *plane * planes.source_pitch + *row * rows.source_pitch;
                rows_.prefetch(source + rows.source_pitch);
                rows_.place(source, to);
            } else {
                place_beyond(to, rows_.parts(), element_parts_, program_.zoom.cval);
            }
        };
        LevelTaps<T>* const plane_taps = sums_.taps(top);
        for (std::int64_t k = planes.block.begin; k < planes.block.end; k += spline_block_rows) {
            const std::int64_t count = std::min(spline_block_rows, planes.block.end - k);
            for (std::int64_t i = 0; i < count; ++i) {
                plane_taps[i] = taps_of_level<T>(planes, k + i);
            }
            LinearPlanes<T> block{planes,
                                  plane_taps,
                                  count,
                                  rows,
                                  sums_.taps(top + 1),
                                  rows.block.end - rows.block.begin,
                                  sums_.ring(top),
                                  SplineScratch<T>::block_pitch(rows_.parts()),
                                  scratch_.zeros};
            block.stream(store_, target + k * planes.target_pitch + rows.block.begin * rows.target_pitch,
                         rows_.parts(), place);
        }
    }

    const TileCall& call_;
    const SplineZoomProgram program_;
    const ConstArrayView& source_;
    std::int64_t element_parts_;
    std::size_t rank_;
    Box tile_;  // without what is cval
    SplineAxes axes_{};
    SplineScratch<T> scratch_;
    SumStore<T> store_;
    SourceRows<T> rows_;
    TileBlocks blocks_;
    LevelSums<T> sums_;
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
