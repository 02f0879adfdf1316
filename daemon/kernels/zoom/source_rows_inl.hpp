// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SOURCE_ROWS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SOURCE_ROWS
#undef SLAB_KERNELS_SOURCE_ROWS
#else
#define SLAB_KERNELS_SOURCE_ROWS
#endif

#include "daemon/kernels/interpolation/weighted_row_inl.hpp"
#include "daemon/kernels/zoom/geometric_row_inl.hpp"
#include "daemon/kernels/zoom/spline_row_inl.hpp"
#include "daemon/kernels/zoom/spline_scratch_inl.hpp"
#include "daemon/kernels/zoom/spline_zoom.hpp"

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

// The rows that a tile's results are sums of. They go along the last axis that changes: their samples are filtered and
// interpolated, and what is faster is folded into their elements. Where that is long, rows are runs of parts that don't
// change, and are just converted. Long rows are made in pieces.
template <typename T>
class SourceRows {
  public:
    SourceRows(const SplineZoomProgram& program, const TileCall& call, const SplineAxes& axes,
               const ConstArrayView& source, const SplineScratch<T>& scratch)
        : program_(program), call_(call), axes_(axes), source_(source), scratch_(scratch),
          element_parts_(parts_of(source.dtype)) {}

    // Of a tile that has nothing that is cval. Returns the number of axes slower than the rows.
    std::size_t begin(const Box& tile) {
        const auto rank = static_cast<std::size_t>(source_.shape.rank);
        std::size_t last = 0;
        for (std::size_t a = 0; a < rank; ++a) {
            last = axes_[a].is_interpolated ? a : last;
        }
        std::int64_t inner = element_parts_;
        for (std::size_t a = last + 1; a < rank; ++a) {
            inner *= source_.shape.extents[a];
        }
        are_folded_ = inner < folded_parts && axes_[last].is_interpolated;
        if (are_folded_) {
            axis_ = last;
            inner_ = inner;
            begin_folded(tile);
            return last;
        }
        return begin_run(tile, last);
    }

    // To the next piece of all rows. False after the last.
    bool next_piece() {
        if (next_ >= end_) {
            return false;
        }
        if (are_folded_) {
            const SplineAxis& axis = axes_[axis_];
            SplineRowTable<T>& table = *scratch_.table;
            make_row_table(axis, inner_, next_, end_, most_samples_, table);
            const std::int64_t radius = is_filtered_ ? program_.row_filter.radius : 0;
            row_ends_.find(table.first - radius, table.last + radius, axis.zoom.n_in,
                           is_filtered_ ? Extension::spline_input : Extension::samples, axis.boundary);
            parts_ = table.parts;
            source_offset_ = 0;
            target_offset_ = next_ * inner_;
            is_whole_ = parts_ == axis.zoom.n_out * inner_;
            next_ = table.end;
        } else {
            parts_ = std::min(SplineRowTable<T>::most_parts, end_ - next_);
            source_offset_ = target_offset_ = next_;
            is_whole_ = parts_ == run_extent_;
            next_ += parts_;
        }
        return true;
    }

    bool are_folded() const { return are_folded_; }
    std::size_t axis() const { return axis_; }     // folded: along the rows
    std::int64_t inner() const { return inner_; }  // folded: parts of an element

    // The piece at hand. Offsets from a row's begin, in parts.
    std::int64_t parts() const { return parts_; }
    std::int64_t source_offset() const { return source_offset_; }
    std::int64_t target_offset() const { return target_offset_; }
    bool is_whole() const { return is_whole_; }

    // The piece of the row whose source begins at part `base`.
    void place(std::int64_t base, T* to) {
        const auto bytes = static_cast<std::int64_t>(size_of(part_dtype(source_.dtype)));
        const std::byte* const from = source_.data + base * bytes;
        if (!are_folded_) {
            load_row(from, source_.dtype, to, parts_);
            return;
        }
        const SplineRowTable<T>& table = *scratch_.table;
        T* const samples = scratch_.samples;
        T* const coefficients = scratch_.coefficients;
        const SampleLine line{from,   source_.dtype, source_.shape.extents[axis_],
                              inner_, inner_,        element_parts_};
        row_ends_.load(line, program_.zoom.cval, samples);
        if (!is_filtered_) {
            interpolate_row(table, samples, to);
            return;
        }
        const T* const taps = scratch_.filter_taps;
        const std::int64_t radius = program_.row_filter.radius;
        if (is_geometric_) {
            filter_geometric_row(samples, taps[radius], taps[radius + 1] / taps[radius], inner_, coefficients,
                                 (table.last - table.first) * inner_);
            interpolate_row(table, coefficients, to);
            return;
        }
        weigh_along_row(samples, taps, 2 * radius + 1, inner_, InScratch<T>{coefficients},
                        (table.last - table.first) * inner_);
        interpolate_row(table, coefficients, to);
    }

    // The row that is wanted next, most likely: while this one's results are computed and stored, it comes into the
    // caches. It may lie beyond the array, where a prefetch does nothing.
    void prefetch(std::int64_t base) const {
        const auto bytes = static_cast<std::int64_t>(size_of(part_dtype(source_.dtype)));
        const SplineRowTable<T>& table = *scratch_.table;
        const std::int64_t begin = are_folded_ ? table.first * inner_ : 0;
        const std::int64_t parts = are_folded_ ? (table.last - table.first) * inner_ : parts_;
        const auto from = reinterpret_cast<std::uintptr_t>(source_.data) +
                          static_cast<std::uintptr_t>((base + begin) * bytes);
        for (std::int64_t i = 0; i < parts * bytes; i += 64) {
            hwy::Prefetch(reinterpret_cast<const std::byte*>(from + static_cast<std::uintptr_t>(i)));
        }
    }

  private:
    void begin_folded(const Box& tile) {
        is_filtered_ = static_cast<int>(axis_) == program_.row_filter_axis;
        is_geometric_ = is_filtered_ &&
                        program_.row_filter.radius == geometric_radius(program_.zoom.order, program_.type);
        const std::int64_t halo = is_filtered_ ? 2 * program_.row_filter.radius : 0;
        if (is_filtered_) {
            unfold_taps(program_.row_filter, call_.table, scratch_.filter_taps);
        }
        most_samples_ =
            SplineScratch<T>::samples_bytes / static_cast<std::int64_t>(sizeof(T)) / inner_ - halo;
        next_ = tile.begin[axis_];
        end_ = tile.end[axis_];
    }

    // The axes that the tile spans are one run with the next slower one; the others are levels.
    std::size_t begin_run(const Box& tile, std::size_t last) {
        auto axes_begin = static_cast<std::size_t>(source_.shape.rank) - 1;
        next_ = tile.begin[axes_begin] * element_parts_;
        end_ = tile.end[axes_begin] * element_parts_;
        run_extent_ = source_.shape.extents[axes_begin] * element_parts_;
        while (axes_begin > last + 1 && end_ - next_ == run_extent_) {
            --axes_begin;
            next_ = tile.begin[axes_begin] * run_extent_;
            end_ = tile.end[axes_begin] * run_extent_;
            run_extent_ *= source_.shape.extents[axes_begin];
        }
        return axes_begin;
    }

    const SplineZoomProgram& program_;
    const TileCall& call_;
    const SplineAxes& axes_;
    const ConstArrayView& source_;
    const SplineScratch<T>& scratch_;
    std::int64_t element_parts_;

    bool are_folded_ = false;
    bool is_filtered_ = false;
    bool is_geometric_ = false;
    std::size_t axis_ = 0;
    std::int64_t inner_ = 1;
    std::int64_t most_samples_ = 0;
    RowEnds row_ends_;
    std::int64_t run_extent_ = 0;

    std::int64_t next_ = 0;  // folded: indices along the axis, else parts
    std::int64_t end_ = 0;
    std::int64_t parts_ = 0;
    std::int64_t source_offset_ = 0;
    std::int64_t target_offset_ = 0;
    bool is_whole_ = false;
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
