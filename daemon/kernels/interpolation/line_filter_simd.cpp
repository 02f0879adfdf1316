#include "daemon/kernels/interpolation/line_filter.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/interpolation/line_filter_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/interpolation/sample_line_inl.hpp"
#include "daemon/kernels/interpolation/weighted_row_inl.hpp"
#include "daemon/kernels/interpolation/weighted_sums_inl.hpp"
#include "daemon/kernels/streaming/store_run_inl.hpp"

#include <hwy/cache_control.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void filter_lines(const LineFilter& filter, const TileCall& call) {
    filter_lines_scalar(filter, call);
}

#else

// Lines whose elements (all that is faster than the axis) have at least this many parts are filtered as rows.
constexpr std::int64_t row_parts = 32;
// The scratch: the taps, the samples, the results.
constexpr std::int64_t taps_bytes = 32 * 1024;
constexpr std::int64_t samples_bytes = 512 * 1024;
constexpr std::int64_t results_bytes = 320 * 1024;
static_assert((2 * most_filter_radius + 1) * 8 <= taps_bytes);
static_assert(samples_bytes / 128 >= 2 * most_filter_radius + 1 + 4);
static_assert(samples_bytes / 8 / row_parts >= 2 * most_filter_radius + 1 + 40);
static_assert(taps_bytes + samples_bytes + results_bytes <= static_cast<std::int64_t>(scratch_bytes));

// The tile as lines along the filter's axis. The axes faster than it are one run of parts where the tile spans them;
// else `run` is of the fastest axis and the others are looped over like the slower ones.
template <typename T>
class LineTile {
  public:
    LineTile(const LineFilter& filter, const TileCall& call)
        : filter_(filter), call_(call), source_(source_of(call, filter.source)),
          axis_(static_cast<std::size_t>(filter.axis)), rank_(static_cast<std::size_t>(source_.shape.rank)),
          parts_(parts_of(source_.dtype)), tap_count_(2 * filter.radius + 1),
          taps_(reinterpret_cast<T*>(call.scratch.data())),
          samples_(reinterpret_cast<T*>(call.scratch.data() + taps_bytes)),
          results_(reinterpret_cast<T*>(call.scratch.data() + taps_bytes + samples_bytes)),
          mode_(store_mode_for(element_count(call.target.shape) * parts_ *
                               static_cast<std::int64_t>(sizeof(T)))) {
        for (std::size_t a = axis_ + 1; a < rank_; ++a) {
            inner_ *= source_.shape.extents[a];
        }
        inner_ *= parts_;
        unfold_taps(filter, call.table, taps_);
    }

    void fill() {
        if (inner_ < row_parts) {
            for_each_line(axis_, [&](std::int64_t from, std::int64_t to) HWY_ATTR { fill_line(from, to); });
        } else {
            find_run();
            for_each_line(looped_, [&](std::int64_t from, std::int64_t to) HWY_ATTR {
                for (std::int64_t x = 0; x < run_; x += chunk()) {
                    fill_rows(from + x, to + x, std::min(chunk(), run_ - x));
                }
            });
        }
        if (mode_ == StoreMode::streaming) {
            hwy::FlushStream();
        }
    }

  private:
    static constexpr std::int64_t part_bytes = sizeof(T);

    // Which axes are looped over: those before `looped_`, without the filter's own. run_begin_, run_: in parts.
    void find_run() {
        looped_ = rank_ - 1;
        run_begin_ = call_.tile.begin[looped_] * parts_;
        run_ = call_.tile.extent(static_cast<int>(looped_)) * parts_;
        std::int64_t extent = source_.shape.extents[looped_] * parts_;
        while (looped_ > axis_ + 1 && run_ == extent) {
            --looped_;
            run_begin_ = call_.tile.begin[looped_] * extent;
            run_ = call_.tile.extent(static_cast<int>(looped_)) * extent;
            extent *= source_.shape.extents[looped_];
        }
    }

    // Calls visit(source part, target part) with the begin of each line: index 0 along the filter's axis in the source,
    // the tile's first one in the target.
    template <class Visit>
    HWY_INLINE void for_each_line(std::size_t looped, const Visit& visit) const {
        std::array<std::int64_t, max_rank> index = call_.tile.begin;
        for (;;) {
            std::int64_t from = 0;
            std::int64_t to = 0;
            for (std::size_t a = 0; a < rank_; ++a) {
                const std::int64_t i = a < looped || a == axis_ ? index[a] : 0;
                from = from * source_.shape.extents[a] + (a == axis_ ? 0 : i);
                to = to * call_.target.shape.extents[a] + i;
            }
            visit(from * parts_ + run_begin_, to * parts_ + run_begin_);
            std::size_t a = looped;
            while (a > 0) {
                --a;
                if (a != axis_ && ++index[a] < call_.tile.end[a]) {
                    break;
                }
                index[a] = call_.tile.begin[a];
                if (a == 0) {
                    return;
                }
            }
            if (looped == 0) {
                return;
            }
        }
    }

    // A kilobyte of a row at a time, where what some rows of results read then fits in L1; else half, and less where
    // the taps are so many that scratch holds no more than a few rows of results.
    std::int64_t chunk() const {
        std::int64_t bytes = (tap_count_ + 3) * 1024 <= 36 * 1024 ? 1024 : 512;
        while (bytes > 128 && samples_bytes / bytes < 2 * tap_count_) {
            bytes /= 2;
        }
        return bytes / part_bytes;
    }

    SampleLine line(std::int64_t from, std::int64_t width) const {
        const auto bytes = static_cast<std::int64_t>(size_of(part_dtype(source_.dtype)));
        return {
            source_.data + from * bytes, source_.dtype, source_.shape.extents[axis_], inner_, width, parts_};
    }

    // Copied row by row into scratch first: the rows of one column lie a power of two apart in many an array, and fall
    // into the same few sets of the caches.
    void fill_rows(std::int64_t from, std::int64_t to, std::int64_t width) const {
        const std::int64_t pitch = chunk();
        const std::int64_t begin = call_.tile.begin[axis_];
        const std::int64_t end = call_.tile.end[axis_];
        const std::int64_t most_rows = samples_bytes / part_bytes / pitch - (tap_count_ - 1);
        for (std::int64_t i = begin; i < end; i += most_rows) {
            const std::int64_t rows = std::min(most_rows, end - i);
            const std::int64_t first = i - filter_.padding - filter_.radius;
            load_line(line(from, width), first, first + rows + tap_count_ - 1, filter_.extension,
                      filter_.boundary, filter_.cval, samples_, pitch);
            const bool streams = may_stream(to + (i - begin) * inner_, width);
            for (std::int64_t row = 0; row < rows; row += rows_at_once) {
                const T* const from_rows = samples_ + row * pitch;
                const std::int64_t row_count = rows - row + tap_count_ - 1;
                const std::int64_t target = to + (i - begin + row) * inner_;
                if (streams) {
                    weigh_rows_apart<StoreMode::streaming>(from_rows, pitch, row_count, taps_, tap_count_,
                                                           place_of(target), inner_, width);
                    continue;
                }
                weigh_rows_apart<StoreMode::cached>(from_rows, pitch, row_count, taps_, tap_count_, results_,
                                                    pitch, width);
                for (std::int64_t r = 0; r < std::min<std::int64_t>(rows_at_once, rows - row); ++r) {
                    store(results_ + r * pitch, target + r * inner_, width);
                }
            }
        }
    }

    T* place_of(std::int64_t to) const { return reinterpret_cast<T*>(call_.target.data) + to; }

    // Whether rows of results go past the caches as they are summed up: whole steps of vectors, each of them aligned.
    bool may_stream(std::int64_t to, std::int64_t width) const {
        const std::int64_t vector = row_step<T>(1);
        return mode_ == StoreMode::streaming && width % (2 * vector) == 0 && inner_ % vector == 0 &&
               reinterpret_cast<std::uintptr_t>(place_of(to)) %
                       static_cast<std::uintptr_t>(vector * part_bytes) ==
                   0;
    }

    void fill_line(std::int64_t from, std::int64_t to) const {
        const std::int64_t begin = call_.tile.begin[axis_];
        const std::int64_t end = call_.tile.end[axis_];
        const std::int64_t at_once = std::min<std::int64_t>(
            (samples_bytes - 4 * most_vector_bytes) / part_bytes / inner_ - (tap_count_ - 1),
            (results_bytes - 4 * most_vector_bytes) / part_bytes / inner_);
        for (std::int64_t i = begin; i < end; i += at_once) {
            const std::int64_t count = std::min(at_once, end - i);
            const std::int64_t first = i - filter_.padding - filter_.radius;
            load_line(line(from, inner_), first, first + count + tap_count_ - 1, filter_.extension,
                      filter_.boundary, filter_.cval, samples_, inner_);
            weigh_along_row(samples_, taps_, tap_count_, inner_, InScratch<T>{results_}, count * inner_);
            store_elements(to + (i - begin) * inner_, count);
        }
    }

    // All of each element, or what the tile has of it.
    void store_elements(std::int64_t to, std::int64_t count) const {
        bool is_all = true;
        for (std::size_t a = axis_ + 1; a < rank_; ++a) {
            is_all = is_all && call_.tile.extent(static_cast<int>(a)) == source_.shape.extents[a];
        }
        if (is_all) {
            store(results_, to, count * inner_);
            return;
        }
        for (std::int64_t part = 0; part < inner_; part += parts_) {
            std::int64_t rest = part / parts_;
            bool is_inside = true;
            for (std::size_t a = rank_; a-- > axis_ + 1;) {
                const std::int64_t index = rest % source_.shape.extents[a];
                rest /= source_.shape.extents[a];
                is_inside = is_inside && index >= call_.tile.begin[a] && index < call_.tile.end[a];
            }
            for (std::int64_t i = 0; is_inside && i < count; ++i) {
                store(results_ + i * inner_ + part, to + i * inner_ + part, parts_);
            }
        }
    }

    void store(const T* from, std::int64_t to, std::int64_t count) const {
        store_run(reinterpret_cast<const std::byte*>(from), call_.target.data + to * part_bytes,
                  static_cast<std::size_t>(count * part_bytes), mode_);
    }

    const LineFilter& filter_;
    const TileCall& call_;
    const ConstArrayView& source_;
    std::size_t axis_;
    std::size_t rank_;
    std::int64_t parts_;
    std::int64_t tap_count_;
    T* taps_;
    T* samples_;
    T* results_;
    StoreMode mode_;
    std::int64_t inner_ = 1;  // parts of one index along the axis
    std::size_t looped_ = 0;
    std::int64_t run_begin_ = 0;
    std::int64_t run_ = 0;
};

void filter_lines(const LineFilter& filter, const TileCall& call) {
    if (filter.type == WorkingType::float32) {
        LineTile<float>(filter, call).fill();
    } else {
        LineTile<double>(filter, call).fill();
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(filter_lines);

void filter_lines_simd(const LineFilter& filter, const TileCall& call) noexcept {
    HWY_DYNAMIC_DISPATCH(filter_lines)(filter, call);
}

}  // namespace slab::kernels
#endif
