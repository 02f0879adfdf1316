// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SUM_STORE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SUM_STORE
#undef SLAB_KERNELS_SUM_STORE
#else
#define SLAB_KERNELS_SUM_STORE
#endif

#include "common/array/box_walk.hpp"
#include "daemon/kernels/streaming/store_run_inl.hpp"
#include "daemon/kernels/zoom/spline_row_inl.hpp"
#include "daemon/kernels/zoom/weighted_sum_inl.hpp"

#include <hwy/cache_control.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// Where rows are summed up within, axes faster than theirs belong to their elements: the tile may have a part of them.
struct FoldedElements {
    Box tile{};
    Shape shape{};           // of the source
    std::size_t axis = 0;    // along the row
    std::int64_t inner = 1;  // parts of an element
    bool are_whole = true;
};

// Brings sums of rows to their places in the output, converted where they are of another type, past the caches where it
// is large. `target`: in parts of the output.
template <typename T>
class SumStore {
  public:
    // sums: spline_row_bytes and four vectors; elements: 8 bytes for each part of a row and a vector.
    SumStore(const ArrayView& target, std::int64_t parts, T* sums, std::byte* elements)
        : target_(target), parts_(parts),
          mode_(
              store_mode_for(element_count(target.shape) * static_cast<std::int64_t>(size_of(target.dtype)))),
          sums_(sums), elements_(elements) {}

    void choose_elements(const FoldedElements& folded) {
        folded_ = folded;
        for (std::size_t a = folded.axis + 1; a < rank(); ++a) {
            folded_.are_whole =
                folded_.are_whole && folded.tile.end[a] - folded.tile.begin[a] == folded.shape.extents[a];
        }
    }

    // Whether the tile has all of each element.
    bool elements_are_whole() const { return folded_.are_whole; }

    // Whether a row of `count` from there on is whole vectors, to be stored past the caches and as they are.
    bool streams_whole_vectors(std::int64_t target, std::int64_t count) const {
        const auto vector = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
        return mode_ == StoreMode::streaming && elements_are_whole() && count % vector == 0 &&
               part_dtype(target_.dtype) == (sizeof(T) == 4 ? DType::float32 : DType::float64) &&
               reinterpret_cast<std::uintptr_t>(place_of(target)) %
                       static_cast<std::uintptr_t>(vector * part_bytes) ==
                   0;
    }
    T* place_of(std::int64_t target) const { return reinterpret_cast<T*>(target_.data) + target; }

    // After the last store.
    void flush() const {
        if (mode_ == StoreMode::streaming) {
            hwy::FlushStream();
        }
    }

    void fill_with(double cval, const Box& box) const {
        if (element_count(box) == 0) {
            return;
        }
        const std::size_t x = rank() - 1;
        const std::int64_t count =
            std::min(box.end[x] - box.begin[x], SplineRowTable<T>::most_parts / parts_);
        place_beyond(sums_, count * parts_, parts_, cval);
        store_row(sums_, elements_, target_.dtype, count * parts_);
        const auto bytes = static_cast<std::int64_t>(size_of(target_.dtype));
        std::array<std::int64_t, max_rank> index = box.begin;
        do {
            std::int64_t offset = 0;
            for (std::size_t a = 0; a < rank(); ++a) {
                offset = offset * target_.shape.extents[a] + index[a];
            }
            for (std::int64_t i = box.begin[x]; i < box.end[x]; i += count) {
                store_run(elements_, target_.data + (offset + i - box.begin[x]) * bytes,
                          static_cast<std::size_t>(std::min(count, box.end[x] - i) * bytes), mode_);
            }
        } while (next_index(index, box, x));
    }

    void store(const WeightedRows<T>& sum, std::int64_t target, std::int64_t count) {
        const DType dtype = part_dtype(target_.dtype);
        const bool is_converted = dtype != (sizeof(T) == 4 ? DType::float32 : DType::float64);
        std::byte* const to = target_.data + target * static_cast<std::int64_t>(size_of(dtype));
        const auto past_line = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) % 64);
        if (mode_ == StoreMode::streaming && !is_converted && past_line % part_bytes == 0 &&
            elements_are_whole()) {
            stream_sum(sum, reinterpret_cast<T*>(to), count, (64 - past_line) % 64 / part_bytes);
        } else {
            store_by_pieces(sum, to, count);
        }
    }

    void store(const TwoSums<T>& sums, std::int64_t target, std::int64_t count) {
        constexpr std::int64_t line = 64 / part_bytes;
        T* const to = reinterpret_cast<T*>(target_.data) + target;
        const auto address = reinterpret_cast<std::uintptr_t>(to);
        const bool is_streamed =
            mode_ == StoreMode::streaming &&
            part_dtype(target_.dtype) == (sizeof(T) == 4 ? DType::float32 : DType::float64) &&
            address % part_bytes == 0 && sums.apart % line == 0 && elements_are_whole();
        const std::int64_t head =
            is_streamed ? std::min(count, static_cast<std::int64_t>(-address % 64) / part_bytes) : count;
        const std::int64_t whole_lines = (count - head) / line * line;
        TwoSums<T> rest = sums;
        const auto store_part = [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
            if (begin < end) {
                store(rest.first, target + begin, end - begin);
                store(rest.second(), target + rest.apart + begin, end - begin);
            }
        };
        store_part(0, head);
        rest.skip(head);
        stream_two_sums(rest, to + head, whole_lines);
        rest.skip(whole_lines);
        store_part(head + whole_lines, count);
    }

  private:
    static constexpr std::int64_t part_bytes = sizeof(T);

    std::size_t rank() const { return static_cast<std::size_t>(target_.shape.rank); }

    // `head`: elements to the first whole line of the target.
    void stream_sum(WeightedRows<T> rest, T* to, std::int64_t count, std::int64_t head) {
        constexpr std::int64_t line = 64 / part_bytes;
        const auto store_part = [&](std::int64_t elements) HWY_ATTR {
            if (elements > 0) {
                sum_rows(rest, sums_, elements);
                std::memcpy(to, sums_, static_cast<std::size_t>(elements * part_bytes));
                rest.skip(elements);
                to += elements;
            }
        };
        store_part(std::min(head, count));
        count -= std::min(head, count);
        const std::int64_t whole_lines = count / line * line;
        stream_rows(rest, to, whole_lines);
        rest.skip(whole_lines);
        to += whole_lines;
        store_part(count - whole_lines);
    }

    void store_by_pieces(WeightedRows<T> rest, std::byte* to, std::int64_t count) {
        const DType dtype = part_dtype(target_.dtype);
        const bool is_converted = dtype != (sizeof(T) == 4 ? DType::float32 : DType::float64);
        const auto bytes = static_cast<std::int64_t>(size_of(dtype));
        const std::int64_t most = SplineRowTable<T>::most_parts - 64;
        while (count > 0) {
            // Pieces end where a line of the target does, so that lines are stored whole.
            const std::int64_t past_line =
                static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) % 64) / bytes;
            const std::int64_t piece = count <= SplineRowTable<T>::most_parts ? count : most - past_line;
            sum_rows(rest, sums_, piece);
            const auto* from = reinterpret_cast<const std::byte*>(sums_);
            if (is_converted) {
                store_row(sums_, elements_, dtype, piece);
                from = elements_;
            }
            if (elements_are_whole()) {
                store_run(from, to, static_cast<std::size_t>(piece * bytes), mode_);
            } else {
                store_folded(from, to, piece, bytes);
            }
            rest.skip(piece);
            to += piece * bytes;
            count -= piece;
        }
    }

    // Where the tile has only some of the folded axes' indices: of each element what it has. A row's piece begins with an
    // element.
    void store_folded(const std::byte* from, std::byte* to, std::int64_t count, std::int64_t bytes) const {
        for (std::int64_t i = 0; i < count; i += parts_) {
            std::int64_t rest = i % folded_.inner / parts_;
            bool is_inside = true;
            for (std::size_t a = rank(); a-- > folded_.axis + 1;) {
                const std::int64_t index = rest % folded_.shape.extents[a];
                rest /= folded_.shape.extents[a];
                is_inside = is_inside && index >= folded_.tile.begin[a] && index < folded_.tile.end[a];
            }
            if (is_inside) {
                std::memcpy(to + i * bytes, from + i * bytes, static_cast<std::size_t>(parts_ * bytes));
            }
        }
    }

    const ArrayView& target_;
    std::int64_t parts_;
    StoreMode mode_;
    T* sums_;
    std::byte* elements_;
    FoldedElements folded_{};
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
