#include "daemon/kernels/order_statistics/order_window.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/order_statistics/extremum_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/order_statistics/window_block_inl.hpp"

#include <hwy/cache_control.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void fill_extremum(const OrderWindow&, const TileCall& call) {
    fill_order_statistic_scalar(call);
}

#else

struct Smaller {
    template <class V>
    HWY_INLINE V operator()(V a, V b) const {
        return hn::Min(a, b);
    }
};
struct Larger {
    template <class V>
    HWY_INLINE V operator()(V a, V b) const {
        return hn::Max(a, b);
    }
};

// keys[i] becomes the extremum of keys[i], keys[i + far] and, when it is there, keys[i + near], for i < count; what lies
// behind is spoilt up to a vector. Ascending, in place: what is read has not been written yet.
template <class Extremum, typename Key>
HWY_INLINE void fold(Key* keys, std::int64_t count, std::int64_t near, std::int64_t far) {
    const Extremum extremum;
    const hn::ScalableTag<Key> d;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    if (near == 0) {
        for (std::int64_t i = 0; i < count; i += n) {
            hn::StoreU(extremum(hn::LoadU(d, keys + i), hn::LoadU(d, keys + i + far)), d, keys + i);
        }
        return;
    }
    for (std::int64_t i = 0; i < count; i += n) {
        const auto first = extremum(hn::LoadU(d, keys + i), hn::LoadU(d, keys + i + near));
        hn::StoreU(extremum(first, hn::LoadU(d, keys + i + far)), d, keys + i);
    }
}

// Extrema of `size` keys that lie `stride` apart: of 3, 9, 27 ... of them in as many passes, the last pass overlaps.
template <class Extremum, typename Key>
HWY_INLINE void fold_window(Key* keys, std::int64_t count, std::int64_t size, std::int64_t stride) {
    for (std::int64_t covered = 1; covered < size;) {
        const std::int64_t left = size - covered;
        const std::int64_t far = std::min(2 * covered, left) * stride;
        fold<Extremum>(keys, count - far, left > covered ? covered * stride : 0, far);
        count -= far;
        covered = std::min(3 * covered, size);
    }
}

template <class Extremum, typename Key>
void fill(const OrderWindow& window, const TileCall& call) {
    constexpr auto key_bytes = static_cast<std::int64_t>(sizeof(Key));
    const KeyRows<Key> rows(window, call);
    const Box& tile = call.tile;
    const TileAxes axes(window, tile);
    const std::int64_t window_width = window.size[axes.x];
    // Rows of planes are folded as they are loaded; and rows, too, when a window has more than fit into scratch.
    BlockShape block = block_shape(1, axes.window_rows, window_width, axes.rows_end - axes.rows_begin,
                                   tile.extent(tile.rank - 1), key_bytes);
    const bool folds_rows = block.width == 0;
    if (folds_rows) {
        block = block_shape(1, 1, window_width, 1, tile.extent(tile.rank - 1), key_bytes);
    }
    Key* const keys = reinterpret_cast<Key*>(call.scratch.data());
    Key* const loaded = keys + block.key_count() + row_slack_bytes / key_bytes;
    std::byte* const bytes = reinterpret_cast<std::byte*>(loaded + block.pitch);

    // One row of the block: the extremum of the window's planes and of `fold_count` rows from `row`.
    const auto load_row = [&](const std::array<std::int64_t, max_rank>& at, std::int64_t row,
                              std::int64_t fold_count, std::int64_t begin, std::int64_t count,
                              Key* to) HWY_ATTR {
        bool is_first = true;
        for_each_window_plane(window, tile.rank, at, [&](std::array<std::int64_t, max_rank> source) HWY_ATTR {
            for (std::int64_t i = 0; i < fold_count; ++i) {
                axes.set_row(source, row + i);
                rows.load(source, begin, count, is_first ? to : loaded);
                if (!is_first) {
                    const hn::ScalableTag<Key> d;
                    for (std::int64_t x = 0; x < count; x += static_cast<std::int64_t>(hn::Lanes(d))) {
                        hn::StoreU(Extremum()(hn::LoadU(d, to + x), hn::LoadU(d, loaded + x)), d, to + x);
                    }
                }
                is_first = false;
            }
        });
    };

    for_each_plane(tile, [&](std::array<std::int64_t, max_rank> index) HWY_ATTR {
        for (std::int64_t y = axes.rows_begin; y < axes.rows_end; y += block.rows) {
            const std::int64_t row_count = std::min(block.rows, axes.rows_end - y);
            const std::int64_t source_rows = row_count + (folds_rows ? 0 : axes.window_rows - 1);
            for (std::int64_t x = tile.begin[axes.x]; x < tile.end[axes.x]; x += block.width) {
                const std::int64_t width = std::min(block.width, tile.end[axes.x] - x);
                for (std::int64_t row = 0; row < source_rows; ++row) {
                    load_row(index, y - axes.rows_before + row, folds_rows ? axes.window_rows : 1,
                             x - window.before[axes.x], width + window_width - 1, keys + row * block.pitch);
                }
                if (!folds_rows) {
                    fold_window<Extremum>(keys, source_rows * block.pitch, axes.window_rows, block.pitch);
                }
                fold_window<Extremum>(keys, row_count * block.pitch, window_width, std::int64_t{1});
                index[axes.x] = x;
                for (std::int64_t row = 0; row < row_count; ++row) {
                    axes.set_row(index, y + row);
                    rows.store(keys + row * block.pitch, index, width, bytes);
                }
            }
        }
    });
    rows.finish();
}

template <class Extremum>
void fill_with(const OrderWindow& window, const TileCall& call) {
    switch (size_of(call.target.dtype)) {
    case 1: return fill<Extremum, std::uint8_t>(window, call);
    case 2: return fill<Extremum, std::uint16_t>(window, call);
    case 4: return fill<Extremum, std::int32_t>(window, call);
    default: return fill<Extremum, std::int64_t>(window, call);
    }
}

void fill_extremum(const OrderWindow& window, const TileCall& call) {
    if (window.statistic == OrderStatistic::minimum) {
        fill_with<Smaller>(window, call);
    } else {
        fill_with<Larger>(window, call);
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(fill_extremum);

void fill_extremum_simd(const OrderWindow& window, const TileCall& call) noexcept {
    HWY_DYNAMIC_DISPATCH(fill_extremum)(window, call);
}

}  // namespace slab::kernels
#endif
