// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_CORRELATE_TILE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_CORRELATE_TILE
#undef SLAB_KERNELS_CORRELATE_TILE
#else
#define SLAB_KERNELS_CORRELATE_TILE
#endif

#include "common/array/box_walk.hpp"
#include "daemon/kernels/correlate/weighted_rows_inl.hpp"
#include "daemon/kernels/windows/extended_rows_inl.hpp"
#include "daemon/kernels/windows/target_rows_inl.hpp"
#include "daemon/kernels/windows/window_sum.hpp"

#include <optional>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// Row after row of the tile: the rows of samples that its weights need, some at a time, each read where it lies or
// loaded with what is beyond its ends.
template <typename T>
class CorrelateTile {
  public:
    CorrelateTile(const CorrelateProgram& program, const TileCall& call)
        : call_(call), program_(program), image_(call.inputs[0]),
          rank_(static_cast<std::size_t>(image_.shape.rank)), parts_(parts_of(image_.dtype)),
          target_parts_(parts_of(call.target.dtype)),
          components_(program.weight_parts == WeightParts::real ? 1 : 2) {}

    void fill() {
        find_run();
        ScratchParts scratch(call_.scratch);
        take_scratch(scratch);
        std::array<std::int64_t, max_rank> index = call_.tile.begin;
        do {
            find_source_rows(index);
            for (std::int64_t begin = run_begin_; begin < run_end_;) {
                const std::int64_t end = piece_end(begin);
                rows_->choose_piece(begin, end);
                fill_piece(begin, end - begin);
                begin = end;
            }
        } while (next_index(index, call_.tile, looped_));
        target_->finish();
    }

  private:
    static constexpr std::int64_t most_piece = 1024;
    static constexpr std::int64_t most_rows_at_once = 16;
    static constexpr std::int64_t room = 4 * most_vector_bytes / static_cast<std::int64_t>(sizeof(T));
    static constexpr std::int64_t is_constant = INT64_MIN;

    bool has_row_axis() const { return program_.row_axis >= 0; }

    // As WindowTile's; axes along which the window has one element only may be part of the run.
    void find_run() {
        if (has_row_axis()) {
            looped_ = static_cast<std::size_t>(program_.row_axis);
            inner_ = program_.inner;
            run_begin_ = call_.tile.begin[looped_] * inner_;
            run_end_ = call_.tile.end[looped_] * inner_;
            window_rows_ = 1;
            for (std::size_t a = 0; a < looped_; ++a) {
                window_rows_ *= program_.weights.extents[a];
            }
            return;
        }
        inner_ = parts_;
        window_rows_ = element_count(program_.weights);
        looped_ = rank_;
        std::int64_t extent = parts_;
        run_begin_ = 0;
        run_end_ = parts_;
        while (looped_ > 0 && program_.weights.extents[looped_ - 1] == 1 && run_end_ - run_begin_ == extent) {
            --looped_;
            run_begin_ = call_.tile.begin[looped_] * extent;
            run_end_ = call_.tile.end[looped_] * extent;
            extent *= image_.shape.extents[looped_];
        }
    }

    void take_scratch(ScratchParts& scratch) {
        for (std::int64_t c = 0; c < components_; ++c) {
            lists_[static_cast<std::size_t>(c)] =
                weight_rows<T>(program_, call_.inputs[1], c, window_rows_, scratch);
        }
        for (std::size_t a = 0; a < looped_; ++a) {
            offsets_[a] = scratch.take<std::int64_t>(program_.weights.extents[a]);
        }
        RowWindow window;
        if (has_row_axis()) {
            window = {image_.shape[program_.row_axis], inner_, program_.before[looped_],
                      program_.weights.extents[looped_], program_.cval};
        }
        rows_.emplace(image_, window, program_.boundary, scratch.take<std::int64_t>(window.taps));
        piece_ = std::max<std::int64_t>(1, most_piece / inner_) * inner_;
        const std::int64_t row = piece_ + (window.taps - 1) * window.inner + room;
        halo_before_ = window.before * window.inner;
        halo_after_ = (window.taps - 1 - window.before) * window.inner;
        for (auto& sums : sums_) {
            sums = scratch.take<T>(piece_ + room);
        }
        joined_ = scratch.take<T>(2 * piece_ + room);
        target_.emplace(call_, program_.row_axis, inner_ / parts_ * target_parts_,
                        scratch.take<std::byte>((2 * piece_ + room) * 8));
        beyond_ = scratch.take<T>(row);
        place_beyond(beyond_, row, parts_, program_.cval);
        rows_at_once_ = std::clamp<std::int64_t>(
            scratch.bytes_left() / (row * static_cast<std::int64_t>(sizeof(T)) + 64), 1, most_rows_at_once);
        for (std::int64_t i = 0; i < rows_at_once_; ++i) {
            buffers_[static_cast<std::size_t>(i)] = scratch.take<T>(row);
        }
    }

    // Where the rows of samples for the tile's rows at this index begin: for each axis of the window and each of its
    // indices the part of the image; of axes faster than the looped ones, the tile's run says it.
    void find_source_rows(const std::array<std::int64_t, max_rank>& index) {
        std::int64_t pitch = parts_;
        target_row_ = 0;
        for (std::size_t a = rank_; a-- > 0;) {
            if (a < looped_) {
                target_row_ += index[a] * pitch;
                for (std::int64_t k = 0; k < program_.weights.extents[a]; ++k) {
                    const auto at = map_index(index[a] + k - program_.before[a], image_.shape.extents[a],
                                              program_.boundary);
                    offsets_[a][k] = at ? *at * pitch : is_constant;
                }
            }
            pitch *= image_.shape.extents[a];
        }
    }

    std::int64_t source_row(std::int64_t window_row) const {
        std::int64_t row = 0;
        for (std::size_t a = looped_; a-- > 0;) {
            const std::int64_t offset = offsets_[a][window_row % program_.weights.extents[a]];
            window_row /= program_.weights.extents[a];
            if (offset == is_constant) {
                return is_constant;
            }
            row += offset;
        }
        return row;
    }

    // Where rows can be read where they lie, the ends, which cannot, are pieces of their own.
    std::int64_t piece_end(std::int64_t begin) const {
        const std::int64_t most = std::min(begin + piece_, run_end_);
        if (!has_row_axis() || !rows_->is_working_type()) {
            return most;
        }
        const std::int64_t least = (64 / inner_ + 1) * inner_;
        if (begin < halo_before_) {
            return std::min(most, std::max(begin + least, halo_before_));
        }
        const std::int64_t inside = image_.shape.extents[looped_] * inner_ - halo_after_;
        return begin + least < inside ? std::min(most, inside) : most;
    }

    void fill_piece(std::int64_t begin, std::int64_t width) {
        for (std::int64_t c = 0; c < components_; ++c) {
            std::fill_n(sums_[static_cast<std::size_t>(c)], width + room, T(0));
        }
        const bool is_in_source = rows_->is_in_source();
        std::array<const T*, most_rows_at_once> samples{};
        for (std::int64_t first = 0; first < window_rows_; first += rows_at_once_) {
            const std::int64_t end = std::min(first + rows_at_once_, window_rows_);
            for (std::int64_t r = first; r < end; ++r) {
                const auto i = static_cast<std::size_t>(r - first);
                samples[i] = beyond_;
                const std::int64_t row = has_weights(r) ? source_row(r) : is_constant;
                if (row != is_constant && is_in_source) {
                    samples[i] = rows_->in_source(row);
                } else if (row != is_constant) {
                    rows_->load(row, buffers_[i]);
                    samples[i] = buffers_[i];
                }
            }
            for (std::size_t c = 0; c < static_cast<std::size_t>(components_); ++c) {
                add_weighted_rows(lists_[c], first, end, samples.data(), sums_[c], width);
            }
        }
        const std::int64_t at = begin / parts_ * target_parts_;
        const std::int64_t count = width / parts_ * target_parts_;
        target_->choose_piece(at, at + count);
        if (program_.whole_numbers == WholeNumbers::cut && !target_->is_working_type()) {
            cut_sums(call_.target.dtype, count);
        }
        target_->store(join(width), target_row_ / parts_ * target_parts_);
    }

    bool has_weights(std::int64_t row) const {
        bool has = false;
        for (std::size_t c = 0; c < static_cast<std::size_t>(components_); ++c) {
            has = has || lists_[c].begin[row] < lists_[c].begin[row + 1];
        }
        return has;
    }

    // The sums with the weights' real and imaginary parts as one row.
    const T* join(std::int64_t width) {
        if (components_ == 1) {
            return sums_[0];
        }
        const T* HWY_RESTRICT by_real = sums_[0];
        const T* HWY_RESTRICT by_imaginary = sums_[1];
        T* HWY_RESTRICT to = joined_;
        if (parts_ == 1) {
            for (std::int64_t x = 0; x < width; ++x) {
                to[2 * x] = by_real[x];
                to[2 * x + 1] = by_imaginary[x];
            }
        } else {
            for (std::int64_t x = 0; x < width; x += 2) {
                to[x] = by_real[x] - by_imaginary[x + 1];
                to[x + 1] = by_real[x + 1] + by_imaginary[x];
            }
        }
        return to;
    }

    void cut_sums(DType dtype, std::int64_t count) const {
        with_element_type(dtype, [&]<typename Element>(Element) {
            for (std::int64_t x = 0; x < count; ++x) {
                sums_[0][x] = cut<Element>(sums_[0][x]);
            }
        });
    }

    const TileCall& call_;
    const CorrelateProgram& program_;
    const ConstArrayView& image_;
    std::size_t rank_;
    std::int64_t parts_;
    std::int64_t target_parts_;
    std::int64_t components_;  // sums of each sample: with the weights' real parts, and their imaginary ones
    std::size_t looped_ = 0;
    std::int64_t inner_ = 1;
    std::int64_t run_begin_ = 0;
    std::int64_t run_end_ = 0;
    std::int64_t window_rows_ = 1;
    std::int64_t piece_ = 0;
    std::int64_t halo_before_ = 0;
    std::int64_t halo_after_ = 0;
    std::int64_t target_row_ = 0;  // the part of the image with which the row at hand begins
    std::int64_t rows_at_once_ = 1;
    std::optional<ExtendedRows<T>> rows_;
    std::optional<TargetRows<T>> target_;
    std::array<WeightRows<T>, 2> lists_{};
    std::array<std::int64_t*, max_rank> offsets_{};
    std::array<T*, 2> sums_{};
    std::array<T*, most_rows_at_once> buffers_{};
    T* joined_ = nullptr;
    T* beyond_ = nullptr;
    std::byte* elements_ = nullptr;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
