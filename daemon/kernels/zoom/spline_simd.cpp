#include "daemon/kernels/simd_targets.hpp"
#include "daemon/kernels/zoom/spline_zoom.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/zoom/spline_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/zoom/geometric_row_inl.hpp"
#include "daemon/kernels/zoom/linear_planes_inl.hpp"
#include "daemon/kernels/zoom/spline_level_inl.hpp"
#include "daemon/kernels/zoom/spline_row_inl.hpp"
#include "daemon/kernels/zoom/sum_store_inl.hpp"
#include "daemon/kernels/zoom/weighted_sum_inl.hpp"

#include <hwy/cache_control.h>

#include <optional>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void fill_spline_zoom(const TileCall& call) {
    fill_spline_zoom_scalar(call);
}

#else

// A tile is cut into blocks that fit in scratch, long along `top`, the slowest axis that changes. Rows of samples are
// interpolated along x once for a block, their sums along y once for each sample's plane, and so on up to `top`, whose
// sums are the output. Where everything faster than the last axis that changes is long, rows are just copied, and only
// the slower axes have sums.
template <typename T>
class SplineTile {
  public:
    explicit SplineTile(const TileCall& call)
        : call_(call), program_(call.program->as<SplineZoomProgram>()),
          source_(source_of(call, static_cast<std::size_t>(program_.filter_count))),
          parts_(parts_of(source_.dtype)), rank_(static_cast<std::size_t>(source_.shape.rank)),
          tile_(call.tile) {
        std::byte* next = call.scratch.data();
        const auto take = [&]<typename U>(U*& pointer, std::int64_t bytes) {
            pointer = reinterpret_cast<U*>(next);
            next += (bytes + 63) / 64 * 64;
        };
        take(table_, sizeof(RowTable<T>));
        take(filter_taps_, (2 * most_filter_radius_of_rows + 1) * part_bytes);
        take(samples_, samples_bytes + 4 * most_vector_bytes);
        take(coefficients_, samples_bytes + 4 * most_vector_bytes);
        T* sums = nullptr;
        std::byte* elements = nullptr;
        take(sums, spline_row_bytes + 4 * most_vector_bytes);
        take(elements, RowTable<T>::most_parts * 8 + most_vector_bytes);
        take(level_taps_, static_cast<std::int64_t>(sizeof(LevelTaps<T>)) * spline_block_rows * max_rank);
        take(zeros_, spline_row_bytes + 4 * most_vector_bytes);
        take(blocks_, 0);
        store_.emplace(call.target, parts_, sums, elements);
    }

    void fill() {
        if (fill_beyond()) {
            find_levels();
            if (is_folded_) {
                std::fill_n(zeros_, RowTable<T>::most_parts, T(0));
                fill_folded();
            } else {
                fill_runs();
            }
        }
        store_->flush();
    }

  private:
    static constexpr std::int64_t part_bytes = sizeof(T);
    static constexpr std::int64_t samples_bytes = 64 * 1024;
    static constexpr std::int64_t most_filter_radius_of_rows = 64;  // order 5 in double: 43
    static constexpr std::int64_t block_overhang = 4 * most_vector_bytes / part_bytes;
    // Rings of up to four levels: the last one's blocks are rows.
    static_assert(sizeof(RowTable<T>) + (2 * most_filter_radius_of_rows + 1) * part_bytes +
                      2 * (samples_bytes + 4 * most_vector_bytes) +
                      2 * (spline_row_bytes + 4 * most_vector_bytes) + RowTable<T>::most_parts * 8 +
                      most_vector_bytes + sizeof(LevelTaps<T>) * spline_block_rows * max_rank + 8 * 64 +
                      spline_rings_bytes +
                      (most_order + 1) * (spline_row_bytes + 4 * (block_overhang + 16) * part_bytes) <=
                  scratch_bytes);

    SplineAxis axis_of(std::size_t a) const {
        return spline_axis(program_, static_cast<int>(a), call_.inputs[0].shape.extents[a],
                           call_.target.shape.extents[a]);
    }

    // What lies outside for the mode constant is cval, exactly; the rest of the tile is interpolated. False: nothing is
    // left.
    bool fill_beyond() {
        for (std::size_t a = 0; a < rank_; ++a) {
            const AxisRange inside = interpolated_range(axis_of(a), {tile_.begin[a], tile_.end[a]});
            Box outside = tile_;
            outside.end[a] = inside.begin;
            store_->fill_with(program_.zoom.cval, outside);
            outside = tile_;
            outside.begin[a] = std::max(inside.begin, inside.end);
            store_->fill_with(program_.zoom.cval, outside);
            tile_.begin[a] = inside.begin;
            tile_.end[a] = inside.end;
            if (inside.begin >= inside.end) {
                return false;
            }
        }
        return true;
    }

    void find_levels() {
        std::size_t last = 0;
        for (std::size_t a = 0; a < rank_; ++a) {
            last = axis_of(a).is_interpolated ? a : last;
        }
        std::int64_t inner = parts_;
        for (std::size_t a = last + 1; a < rank_; ++a) {
            inner *= source_.shape.extents[a];
        }
        is_folded_ = inner < folded_parts && axis_of(last).is_interpolated;
        std::size_t row_axes_begin = last;
        if (is_folded_) {
            row_axis_ = last;
            inner_ = inner;
            store_->choose_elements({tile_, source_.shape, last, inner});
        } else {
            // The axes that the tile spans are one run with the next slower one; the others are levels.
            row_axes_begin = rank_ - 1;
            run_begin_ = tile_.begin[row_axes_begin] * parts_;
            run_end_ = tile_.end[row_axes_begin] * parts_;
            run_extent_ = source_.shape.extents[row_axes_begin] * parts_;
            while (row_axes_begin > last + 1 && run_end_ - run_begin_ == run_extent_) {
                --row_axes_begin;
                run_begin_ = tile_.begin[row_axes_begin] * run_extent_;
                run_end_ = tile_.end[row_axes_begin] * run_extent_;
                run_extent_ *= source_.shape.extents[row_axes_begin];
            }
        }
        for (std::size_t a = 0; a < row_axes_begin; ++a) {
            Level level{};
            level.spline = axis_of(a);
            level.is_zoomed = level.spline.is_interpolated;
            level.begin = tile_.begin[a];
            level.end = tile_.end[a];
            level.extent = call_.target.shape.extents[a];
            level.source_pitch = level.target_pitch = parts_;
            for (std::size_t b = a + 1; b < rank_; ++b) {
                level.source_pitch *= source_.shape.extents[b];
                level.target_pitch *= call_.target.shape.extents[b];
            }
            levels_[level_count_++] = level;
        }
        top_ = 0;
        while (top_ < level_count_ && !levels_[top_].is_zoomed) {
            ++top_;
        }
    }

    void fill_folded() {
        const SplineAxis axis = axis_of(row_axis_);
        is_filtered_ = static_cast<int>(row_axis_) == program_.row_filter_axis;
        is_geometric_ = is_filtered_ &&
                        program_.row_filter.radius == geometric_radius(program_.zoom.order, program_.type);
        const std::int64_t halo = is_filtered_ ? 2 * program_.row_filter.radius : 0;
        if (is_filtered_) {
            unfold_taps(program_.row_filter, call_.table, filter_taps_);
        }
        const std::int64_t most_samples = samples_bytes / part_bytes / inner_ - halo;
        for (std::int64_t x = tile_.begin[row_axis_]; x < tile_.end[row_axis_]; x = table_->end) {
            make_row_table(axis, inner_, x, tile_.end[row_axis_], most_samples, *table_);
            const std::int64_t radius = halo / 2;
            row_ends_.find(table_->first - radius, table_->last + radius, axis.zoom.n_in,
                           is_filtered_ ? Extension::spline_input : Extension::samples, axis.boundary);
            row_parts_ = table_->parts;
            row_source_ = 0;
            row_target_ = x * inner_;
            row_is_whole_ = row_parts_ == axis.zoom.n_out * inner_;
            fill_blocks();
        }
    }

    void fill_runs() {
        const std::int64_t most = RowTable<T>::most_parts;
        for (std::int64_t i = run_begin_; i < run_end_; i += most) {
            row_parts_ = std::min(most, run_end_ - i);
            row_source_ = row_target_ = i;
            row_is_whole_ = row_parts_ == run_extent_;
            fill_blocks();
        }
    }

    // All blocks of the tile for one piece of the rows.
    void fill_blocks() {
        int sums = 0;
        for (std::size_t l = 0; l < level_count_; ++l) {
            sums += levels_[l].is_zoomed ? 1 : 0;
        }
        std::int64_t most = std::max<std::int64_t>(1, spline_block_bytes(sums) / part_bytes /
                                                          (program_.zoom.order + 1) / row_parts_);
        for (std::size_t l = level_count_; l-- > 0;) {
            Level& level = levels_[l];
            level.step = l < top_ ? 1 : level.end - level.begin;
            if (l > top_) {
                level.step = std::min({level.step, most, spline_block_rows});
                most /= level.step;
            }
            block_begin_[l] = level.begin;
        }
        for (;;) {
            for (std::size_t l = 0; l < level_count_; ++l) {
                block_end_[l] = std::min(block_begin_[l] + levels_[l].step, levels_[l].end);
            }
            fill_block();
            std::size_t l = level_count_;
            while (l > 0) {
                --l;
                block_begin_[l] += levels_[l].step;
                if (block_begin_[l] < levels_[l].end) {
                    break;
                }
                block_begin_[l] = levels_[l].begin;
                if (l == 0) {
                    return;
                }
            }
            if (level_count_ == 0) {
                return;
            }
        }
    }

    void fill_block() {
        std::int64_t base = row_source_;
        std::int64_t target = row_target_;
        for (std::size_t l = 0; l < std::min(top_, level_count_); ++l) {
            base += block_begin_[l] * levels_[l].source_pitch;
            target += block_begin_[l] * levels_[l].target_pitch;
        }
        std::int64_t size = row_parts_;
        T* next = blocks_;
        for (std::size_t l = level_count_; l-- > 0;) {
            sizes_[l + 1] = size;
            if (l >= top_ && levels_[l].is_zoomed) {
                rings_[l].pitch = (size + block_overhang) / 16 * 16 + 16;
                rings_[l].blocks = next;
                next += rings_[l].pitch * (program_.zoom.order + 1);
            }
            if (l > top_ && levels_[l].is_zoomed) {
                for (std::int64_t k = block_begin_[l]; k < block_end_[l]; ++k) {
                    level_taps_[l * spline_block_rows + static_cast<std::size_t>(k - block_begin_[l])] =
                        taps_of_level<T>(levels_[l], k);
                }
            }
            if (l > top_) {
                size *= block_end_[l] - block_begin_[l];
            }
        }
        if (top_ >= level_count_) {
            place_row(base, blocks_);
            WeightedRows<T> row;
            row.add(blocks_, T(1));
            store_->store(row, target, row_parts_);
            return;
        }
        const Level& level = levels_[top_];
        if (is_of_linear_planes(target)) {
            stream_linear_planes(base, target);
            return;
        }
        rings_[top_].indices.fill(no_index);
        for (std::int64_t k = block_begin_[top_]; k < block_end_[top_]; ++k) {
            auto taps = taps_of_level<T>(level, k);
            const WeightedRows<T> sum = gather(top_, taps, base);
            const std::int64_t to = target + k * level.target_pitch;
            const std::int64_t first = taps.first;
            if (k + 1 < block_end_[top_]) {
                taps = taps_of_level<T>(level, k + 1);
            }
            // Growing, the next result is often of the same rows.
            if (k + 1 < block_end_[top_] && taps.first == first) {
                const WeightedRows<T> next = gather(top_, taps, base);
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

    // Order 1 along two axes beside the rows, no more rows read than written (shrinking, and at a seam where the mode
    // wraps, there are), and all results are whole vectors that go past the caches. Not where a plane may lie beyond: its
    // sums are cval without having been summed up.
    bool is_of_linear_planes(std::int64_t target) const {
        if (program_.zoom.order != 1 || program_.zoom.boundary == Boundary::grid_constant || !is_folded_ ||
            top_ + 2 != level_count_ || !levels_[top_ + 1].is_zoomed) {
            return false;
        }
        const Level& rows = levels_[top_ + 1];
        const std::int64_t count = block_end_[top_ + 1] - block_begin_[top_ + 1];
        const auto [first, last] = samples_of(level_taps_ + (top_ + 1) * spline_block_rows, count);
        return last - first <= count && store_->streams_whole_vectors(target, row_parts_) &&
               store_->streams_whole_vectors(target + rows.target_pitch, row_parts_) &&
               store_->streams_whole_vectors(target + levels_[top_].target_pitch, row_parts_);
    }

    void stream_linear_planes(std::int64_t base, std::int64_t target) {
        const Level& planes = levels_[top_];
        const Level& rows = levels_[top_ + 1];
        const auto place = [&](std::int64_t plane_index, std::int64_t row_index, T* to) {
            const std::optional<std::int64_t> plane = tap_source(planes.spline, plane_index);
            const std::optional<std::int64_t> row = tap_source(rows.spline, row_index);
            if (plane && row) {
                const std::int64_t source = base + *plane * planes.source_pitch + *row * rows.source_pitch;
                prefetch_row(source + rows.source_pitch);
                place_row(source, to);
            } else {
                place_beyond(to, row_parts_, parts_, program_.zoom.cval);
            }
        };
        LevelTaps<T>* const plane_taps = level_taps_ + top_ * spline_block_rows;
        for (std::int64_t k = block_begin_[top_]; k < block_end_[top_]; k += spline_block_rows) {
            const std::int64_t count = std::min(spline_block_rows, block_end_[top_] - k);
            for (std::int64_t i = 0; i < count; ++i) {
                plane_taps[i] = taps_of_level<T>(planes, k + i);
            }
            LinearPlanes<T> block{planes,
                                  plane_taps,
                                  count,
                                  rows,
                                  plane_taps + spline_block_rows,
                                  block_end_[top_ + 1] - block_begin_[top_ + 1],
                                  rings_[top_],
                                  (row_parts_ + block_overhang) / 16 * 16 + 16,
                                  zeros_};
            block.stream(*store_,
                         target + k * planes.target_pitch + block_begin_[top_ + 1] * rows.target_pitch,
                         row_parts_, place);
        }
    }

    // The blocks of which the level's result is the sum, those that are not there computed.
    WeightedRows<T> gather(std::size_t l, const LevelTaps<T>& taps, std::int64_t base) {
        const Level& level = levels_[l];
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
                    if (l + 1 == level_count_) {
                        prefetch_row(base + (*source + 1) * level.source_pitch);
                    }
                    compute(l + 1, base + *source * level.source_pitch, block);
                } else {
                    place_beyond(block, sizes_[l + 1], parts_, program_.zoom.cval);
                }
            }
            sum.add(block, weight);
        }
        return sum;
    }

    // The results of level l and all faster ones, one after the other.
    void compute(std::size_t l, std::int64_t base, T* to) {
        if (l == level_count_) {
            place_row(base, to);
            return;
        }
        const Level& level = levels_[l];
        rings_[l].indices.fill(no_index);
        for (std::int64_t k = block_begin_[l]; k < block_end_[l]; ++k) {
            const std::int64_t i = k - block_begin_[l];
            T* const result = to + i * sizes_[l + 1];
            if (level.is_zoomed) {
                const LevelTaps<T>* const taps = level_taps_ + l * spline_block_rows + i;
                const WeightedRows<T> sum = gather(l, *taps, base);
                const bool ends_with_vector = sizes_[l + 1] % sum_step<T>() == 0;
                if (ends_with_vector && k + 1 < block_end_[l] && taps[1].first == taps[0].first) {
                    const WeightedRows<T> next = gather(l, taps[1], base);
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

    // The row that is wanted next, most likely: while this one's results are computed and stored, it comes into the
    // caches. It may lie beyond the array, where a prefetch does nothing.
    void prefetch_row(std::int64_t base) const {
        const auto bytes = static_cast<std::int64_t>(size_of(part_dtype(source_.dtype)));
        const std::int64_t begin = is_folded_ ? table_->first * inner_ : 0;
        const std::int64_t parts = is_folded_ ? (table_->last - table_->first) * inner_ : row_parts_;
        const auto from = reinterpret_cast<std::uintptr_t>(source_.data) +
                          static_cast<std::uintptr_t>((base + begin) * bytes);
        for (std::int64_t i = 0; i < parts * bytes; i += 64) {
            hwy::Prefetch(reinterpret_cast<const std::byte*>(from + static_cast<std::uintptr_t>(i)));
        }
    }

    void place_row(std::int64_t base, T* to) {
        const auto bytes = static_cast<std::int64_t>(size_of(part_dtype(source_.dtype)));
        const std::byte* const from = source_.data + base * bytes;
        if (!is_folded_) {
            load_row(from, source_.dtype, to, row_parts_);
            return;
        }
        const SampleLine line{from, source_.dtype, source_.shape.extents[row_axis_], inner_, inner_, parts_};
        row_ends_.load(line, program_.zoom.cval, samples_);
        if (!is_filtered_) {
            interpolate_row(*table_, samples_, to);
            return;
        }
        const std::int64_t radius = program_.row_filter.radius;
        if (is_geometric_) {
            filter_geometric_row(samples_, filter_taps_[radius],
                                 filter_taps_[radius + 1] / filter_taps_[radius], inner_, coefficients_,
                                 (table_->last - table_->first) * inner_);
            interpolate_row(*table_, coefficients_, to);
            return;
        }
        weigh_along_row(samples_, filter_taps_, 2 * radius + 1, inner_, InScratch<T>{coefficients_},
                        (table_->last - table_->first) * inner_);
        interpolate_row(*table_, coefficients_, to);
    }

    // The sum of whole blocks, or two: as many parts at once as lie one after the other in the output.
    template <class Sum>
    void store_block(Sum sum, std::int64_t target) {
        std::int64_t run = row_parts_;
        std::size_t l = level_count_;
        bool is_whole = row_is_whole_ && store_->elements_are_whole();
        for (; l > top_ + 1 && is_whole; --l) {
            const std::int64_t extent = block_end_[l - 1] - block_begin_[l - 1];
            run *= extent;
            target += block_begin_[l - 1] * levels_[l - 1].target_pitch;
            is_whole = extent == levels_[l - 1].extent;
        }
        store_runs(sum, top_ + 1, l, target, run);
    }

    template <class Sum>
    void store_runs(Sum& sum, std::size_t l, std::size_t end, std::int64_t target, std::int64_t run) {
        if (l == end) {
            store_->store(sum, target, run);
            sum.skip(run);
            return;
        }
        for (std::int64_t k = block_begin_[l]; k < block_end_[l]; ++k) {
            store_runs(sum, l + 1, end, target + k * levels_[l].target_pitch, run);
        }
    }

    const TileCall& call_;
    const SplineZoomProgram program_;
    const ConstArrayView& source_;
    std::int64_t parts_;
    std::size_t rank_;
    Box tile_;  // without what is cval

    // The rows: folded, an axis that changes with elements of inner_ parts; else a run of parts that don't change.
    bool is_folded_ = false;
    bool is_filtered_ = false;
    bool is_geometric_ = false;
    std::size_t row_axis_ = 0;
    std::int64_t inner_ = 1;
    std::int64_t run_begin_ = 0;
    std::int64_t run_end_ = 0;
    std::int64_t run_extent_ = 0;
    // The piece of the rows at hand.
    std::int64_t row_parts_ = 0;
    std::int64_t row_source_ = 0;
    std::int64_t row_target_ = 0;
    bool row_is_whole_ = false;

    std::array<Level, max_rank> levels_{};
    std::size_t level_count_ = 0;
    std::size_t top_ = 0;
    std::array<std::int64_t, max_rank> block_begin_{};
    std::array<std::int64_t, max_rank> block_end_{};
    std::array<std::int64_t, max_rank + 1> sizes_{};  // parts of a block of level l and all faster ones
    std::array<Ring<T>, max_rank> rings_{};

    RowTable<T>* table_ = nullptr;
    RowEnds row_ends_;
    T* filter_taps_ = nullptr;
    T* samples_ = nullptr;
    T* coefficients_ = nullptr;
    std::optional<SumStore<T>> store_;
    LevelTaps<T>* level_taps_ = nullptr;
    T* zeros_ = nullptr;  // a row of them
    T* blocks_ = nullptr;
};

void fill_spline_zoom(const TileCall& call) {
    const auto program = call.program->as<SplineZoomProgram>();
    if (program.type == WorkingType::float32) {
        SplineTile<float>(call).fill();
    } else {
        SplineTile<double>(call).fill();
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(fill_spline_zoom);

void fill_spline_zoom_simd(const TileCall& call) noexcept {
    const auto program = call.program->as<SplineZoomProgram>();
    if (call.phase < static_cast<std::size_t>(program.filter_count)) {
        filter_lines_simd(program.filters[call.phase], call);
        return;
    }
    HWY_DYNAMIC_DISPATCH(fill_spline_zoom)(call);
}

}  // namespace slab::kernels
#endif
