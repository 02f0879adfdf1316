#include "daemon/kernels/order_statistics/order_window.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/order_statistics/median_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/order_statistics/median_selection_inl.hpp"
#include "daemon/kernels/order_statistics/window_block_inl.hpp"

#include <hwy/cache_control.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void fill_median(const OrderWindow&, const TileCall& call) {
    fill_order_statistic_scalar(call);
}

#else

// A window within a block of keys. Each pass below writes whole vectors: up to one more than the row has.
template <typename Key>
struct BlockWindow {
    BlockShape block;
    std::int64_t rows = 0;
    std::int64_t width = 0;

    std::int64_t elements() const { return block.planes * rows * width; }
};

// 3 x 3: the columns of three are sorted once for the three windows that share them. The median is the middle one of
// the largest of the smallest, the middle of the middle, and the smallest of the largest.
// ahead: the input that is wanted next, fetched meanwhile.
template <typename Key>
HWY_INLINE void median_3x3(const Key* keys, std::int64_t pitch, std::int64_t width, Key* sorted, Key* to,
                           const std::byte* ahead) {
    const hn::ScalableTag<Key> d;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    Key* const low = sorted;
    Key* const middle = sorted + pitch;
    Key* const high = sorted + 2 * pitch;
    for (std::int64_t x = 0; x < width + 2; x += n) {
        __builtin_prefetch(ahead + x * static_cast<std::int64_t>(sizeof(Key)));
        auto a = hn::LoadU(d, keys + x);
        auto b = hn::LoadU(d, keys + pitch + x);
        auto c = hn::LoadU(d, keys + 2 * pitch + x);
        sort_two(b, c);
        sort_two(a, b);
        sort_two(b, c);
        hn::StoreU(a, d, low + x);
        hn::StoreU(b, d, middle + x);
        hn::StoreU(c, d, high + x);
    }
    const auto three = [&](const Key* row, std::int64_t x, const auto& visit) HWY_ATTR {
        return visit(hn::LoadU(d, row + x), hn::LoadU(d, row + x + 1), hn::LoadU(d, row + x + 2));
    };
    for (std::int64_t x = 0; x < width; x += n) {
        const auto a =
            three(low, x, [](auto p, auto q, auto r) HWY_ATTR { return hn::Max(hn::Max(p, q), r); });
        const auto b =
            three(middle, x, [](auto p, auto q, auto r) HWY_ATTR { return median_of_three(p, q, r); });
        const auto c =
            three(high, x, [](auto p, auto q, auto r) HWY_ATTR { return hn::Min(hn::Min(p, q), r); });
        hn::StoreU(median_of_three(a, b, c), d, to + x);
    }
}

// Where the elements of a window lie in the block, for windows whose medians are found by forgetting.
struct WindowOffsets {
    static constexpr std::int64_t most = 256;
    std::array<std::int64_t, most> at{};

    template <typename Key>
    explicit WindowOffsets(const BlockWindow<Key>& window) {
        std::size_t i = 0;
        for (std::int64_t plane = 0; plane < window.block.planes; ++plane) {
            for (std::int64_t y = 0; y < window.rows; ++y) {
                for (std::int64_t x = 0; x < window.width; ++x) {
                    at[i++] = (plane * window.block.source_rows + y) * window.block.pitch + x;
                }
            }
        }
    }
};

template <typename Key>
HWY_INLINE void median_by_forgetting_row(const Key* keys, const WindowOffsets& offsets, std::int64_t count,
                                         std::int64_t width, Key* set, Key* to) {
    const hn::ScalableTag<Key> d;
    for (std::int64_t x = 0; x < width; x += static_cast<std::int64_t>(hn::Lanes(d))) {
        const auto element_at = [&](std::int64_t i) HWY_ATTR {
            return hn::LoadU(d, keys + offsets.at[static_cast<std::size_t>(i)] + x);
        };
        hn::StoreU(median_by_forgetting(d, count, set, element_at), d, to + x);
    }
}

template <typename Key>
HWY_INLINE void median_by_bits_row(const Key* keys, const BlockWindow<Key>& window, std::int64_t width,
                                   Key* to) {
    const hn::ScalableTag<Key> d;
    for (std::int64_t x = 0; x < width; x += static_cast<std::int64_t>(hn::Lanes(d))) {
        const auto for_each = [&](const auto& visit) HWY_ATTR {
            for (std::int64_t plane = 0; plane < window.block.planes; ++plane) {
                for (std::int64_t y = 0; y < window.rows; ++y) {
                    const Key* const row =
                        keys + (plane * window.block.source_rows + y) * window.block.pitch + x;
                    for (std::int64_t i = 0; i < window.width; ++i) {
                        visit(hn::LoadU(d, row + i));
                    }
                }
            }
        };
        hn::StoreU(selected_by_bits(d, window.elements() / 2, for_each), d, to + x);
    }
}

template <typename Key>
void fill(const OrderWindow& window, const TileCall& call) {
    constexpr auto key_bytes = static_cast<std::int64_t>(sizeof(Key));
    // Forgetting compares n^2 * 3/8 times, counting n * 2 for each bit; measured, they meet near here.
    constexpr std::int64_t most_forgotten = 32 * key_bytes;
    static_assert(most_forgotten <= WindowOffsets::most);
    const KeyRows<Key> rows(window, call);
    const Box& tile = call.tile;
    const TileAxes axes(window, tile);
    const std::int64_t window_width = window.size[axes.x];
    const BlockShape block =
        block_shape(axes.planes, axes.window_rows, window_width, axes.rows_end - axes.rows_begin,
                    tile.extent(tile.rank - 1), key_bytes);
    if (block.width == 0) {
        fill_order_statistic_scalar(call);
        return;
    }
    const BlockWindow<Key> in_block{block, axes.window_rows, window_width};
    const std::int64_t count = in_block.elements();
    const bool forgets = count <= most_forgotten;
    const WindowOffsets offsets(forgets ? in_block : BlockWindow<Key>{});
    const bool is_3x3 = count == 9 && axes.window_rows == 3 && window_width == 3;
    Key* const keys = reinterpret_cast<Key*>(call.scratch.data());
    Key* const medians = keys + (block.key_count() * key_bytes + row_slack_bytes) / row_slack_bytes *
                                    row_slack_bytes / key_bytes;
    Key* const room = medians + (block.pitch * key_bytes + row_slack_bytes) / row_slack_bytes *
                                    row_slack_bytes /
                                    key_bytes;  // of sorted columns, or of what is not forgotten yet
    std::byte* const bytes = reinterpret_cast<std::byte*>(room);  // once the row is done

    for_each_plane(tile, [&](std::array<std::int64_t, max_rank> index) HWY_ATTR {
        for (std::int64_t y = axes.rows_begin; y < axes.rows_end; y += block.rows) {
            const std::int64_t row_count = std::min(block.rows, axes.rows_end - y);
            for (std::int64_t x = tile.begin[axes.x]; x < tile.end[axes.x]; x += block.width) {
                const std::int64_t width = std::min(block.width, tile.end[axes.x] - x);
                // A row is loaded when the first window needs it: it is in the nearest cache then.
                const auto load_row = [&](std::int64_t row) HWY_ATTR {
                    Key* to = keys + row * block.pitch;
                    for_each_window_plane(
                        window, tile.rank, index, [&](std::array<std::int64_t, max_rank> source) HWY_ATTR {
                            axes.set_row(source, y - axes.rows_before + row);
                            rows.load(source, x - window.before[axes.x], width + window_width - 1, to);
                            to += block.source_rows * block.pitch;
                        });
                };
                for (std::int64_t row = 0; row + 1 < axes.window_rows; ++row) {
                    load_row(row);
                }
                std::array<std::int64_t, max_rank> output = index;
                output[axes.x] = x;
                for (std::int64_t row = 0; row < row_count; ++row) {
                    load_row(row + axes.window_rows - 1);
                    const Key* const from = keys + row * block.pitch;
                    if (is_3x3) {
                        axes.set_row(output, y + row + 2);
                        median_3x3(from, block.pitch, width, room, medians, rows.address(output));
                    } else if (forgets) {
                        median_by_forgetting_row(from, offsets, count, width, room, medians);
                    } else {
                        median_by_bits_row(from, in_block, width, medians);
                    }
                    axes.set_row(output, y + row);
                    rows.store(medians, output, width, bytes);
                }
            }
        }
    });
    rows.finish();
}

void fill_median(const OrderWindow& window, const TileCall& call) {
    const std::size_t bytes = size_of(call.target.dtype);
    if (bytes == 1 && window.element_count() <= 255) {
        fill<std::uint8_t>(window, call);
    } else if (bytes <= 2) {  // a lane of 8 bits does not count more than 255 elements
        fill<std::uint16_t>(window, call);
    } else if (bytes == 4) {
        fill<std::int32_t>(window, call);
    } else {
        fill<std::int64_t>(window, call);
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(fill_median);

void fill_median_simd(const OrderWindow& window, const TileCall& call) noexcept {
    HWY_DYNAMIC_DISPATCH(fill_median)(window, call);
}

}  // namespace slab::kernels
#endif
