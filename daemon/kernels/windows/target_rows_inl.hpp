// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_TARGET_ROWS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_TARGET_ROWS
#undef SLAB_KERNELS_TARGET_ROWS
#else
#define SLAB_KERNELS_TARGET_ROWS
#endif

#include "daemon/kernels/interpolation/row_steps_inl.hpp"
#include "daemon/kernels/streaming/store_run_inl.hpp"
#include "daemon/kernels/windows/extended_rows_inl.hpp"

#include <hwy/cache_control.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// Pieces of the target's rows, which a tile's results go to. A row is named by the part of the target that it begins with.
template <typename T>
class TargetRows {
  public:
    // row_axis: which is filtered along rows, -1: none; inner: parts of one of its indices. elements: room for a piece in any
    // dtype.
    TargetRows(const TileCall& call, int row_axis, std::int64_t inner, std::byte* elements)
        : call_(call), row_axis_(row_axis < 0 ? call.target.shape.rank : row_axis), inner_(inner),
          parts_(parts_of(call.target.dtype)), elements_(elements),
          mode_(store_mode_for(byte_count({call.target.dtype, call.target.shape, MemoryOrder::c}))),
          inner_is_whole_(has_whole_inner()) {}

    // Of each row the parts [begin, end).
    void choose_piece(std::int64_t begin, std::int64_t end) {
        begin_ = begin;
        width_ = end - begin;
    }

    // Whether elements are as they were computed.
    bool is_working_type() const {
        return part_dtype(call_.target.dtype) == (sizeof(T) == 4 ? DType::float32 : DType::float64);
    }

    // Whether the piece of that row can go past the caches as it is computed, a vector at a time, to its place.
    bool may_stream_to(std::int64_t row) const {
        const auto vector_bytes = sizeof(T) * static_cast<std::size_t>(row_step<T>(1));
        return mode_ == StoreMode::streaming && is_working_type() &&
               reinterpret_cast<std::uintptr_t>(place_of(row)) % vector_bytes == 0 && inner_is_whole_;
    }
    T* place_of(std::int64_t row) const { return reinterpret_cast<T*>(call_.target.data) + row + begin_; }

    void store(const T* from, std::int64_t row) const {
        const DType dtype = call_.target.dtype;
        const auto bytes = static_cast<std::int64_t>(size_of(part_dtype(dtype)));
        std::byte* const to = call_.target.data + (row + begin_) * bytes;
        const auto* elements = reinterpret_cast<const std::byte*>(from);
        if (!is_working_type()) {
            store_elements(from, elements_, dtype, width_);
            elements = elements_;
        }
        if (inner_is_whole_) {
            store_run(elements, to, static_cast<std::size_t>(width_ * bytes), mode_);
            return;
        }
        for (std::int64_t i = 0; i < width_; i += parts_) {
            if (is_inside(i % inner_ / parts_)) {
                std::memcpy(to + i * bytes, elements + i * bytes, static_cast<std::size_t>(parts_ * bytes));
            }
        }
    }

    // Once all is stored.
    void finish() const {
        if (mode_ == StoreMode::streaming) {
            hwy::FlushStream();
        }
    }

  private:
    // Axes faster than a filtered row's belong to its elements, of which the tile may have a part only.
    bool has_whole_inner() const {
        bool is_whole = true;
        for (int axis = row_axis_ + 1; axis < call_.target.shape.rank; ++axis) {
            is_whole = is_whole && call_.tile.extent(axis) == call_.target.shape[axis];
        }
        return is_whole;
    }
    bool is_inside(std::int64_t element) const {
        for (int axis = call_.target.shape.rank; axis-- > row_axis_ + 1;) {
            const auto a = static_cast<std::size_t>(axis);
            const std::int64_t index = element % call_.target.shape[axis];
            element /= call_.target.shape[axis];
            if (index < call_.tile.begin[a] || index >= call_.tile.end[a]) {
                return false;
            }
        }
        return true;
    }

    const TileCall& call_;
    int row_axis_;
    std::int64_t inner_;
    std::int64_t parts_;
    std::byte* elements_;
    StoreMode mode_;
    bool inner_is_whole_;
    std::int64_t begin_ = 0;
    std::int64_t width_ = 0;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
