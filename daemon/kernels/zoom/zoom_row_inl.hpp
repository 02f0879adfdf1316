// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ZOOM_ROW) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ZOOM_ROW
#undef SLAB_KERNELS_ZOOM_ROW
#else
#define SLAB_KERNELS_ZOOM_ROW
#endif

#include "daemon/kernels/zoom/zoom_axes.hpp"
#include "daemon/kernels/zoom/zoom_row_repeats_inl.hpp"
#include "daemon/kernels/zoom/zoom_row_shuffle_inl.hpp"
#include "daemon/kernels/zoom/zoom_row_sources_inl.hpp"
#include "daemon/kernels/zoom/zoom_row_table_inl.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

// Fills the table for a block of output indices from `begin`. Returns the first index after those that it serves.
inline std::int64_t make_row_table(const TileAxis& x, std::int64_t element_bytes, std::int64_t begin,
                                   RowTable& table) {
    const bool is_copied = is_unchanged(x.zoom);
    const std::int64_t most = std::max<std::int64_t>(
        1, std::min(is_copied ? most_block_bytes : most_block_elements, most_block_bytes / element_bytes));
    const std::int64_t wanted = x.end - begin;
    table.element_bytes = element_bytes;
    table.begin = begin;
    table.elements = wanted <= most ? wanted
                     : is_copied    ? most
                                    : repeating_elements(x.zoom, element_bytes, most);
    table.row_bytes = table.elements * element_bytes;
    table.input_bytes = x.zoom.n_in * element_bytes;
    table.input_span = table.row_bytes;
    table.repeats = 1;
    table.inside_begin = 0;
    table.inside_end = table.elements;
    if (is_copied) {
        const std::int64_t blocks = wanted / table.elements;
        table.method = RowMethod::copy;
        table.element_at[0] = begin * element_bytes;
        table.repeats = blocks;
        table.input_advance = table.row_bytes;
        return begin + blocks * table.elements;
    }
    const CutOff cut = find_elements(x, table);
    table.input_span = table.element_at[table.elements - 1] - table.element_at[0] + element_bytes;
    table.method = make_groups(table) ? RowMethod::shuffle : RowMethod::elements;
    find_outside(x, table);
    // What lies outside is found for the first block only: those after it must lie inside.
    const std::int64_t first_repeat = begin + table.elements;
    const std::int64_t blocks = first_repeat < x.zoom.inside_begin
                                    ? 1
                                    : (std::min(x.end, x.zoom.inside_end) - begin) / table.elements;
    if (blocks > 1) {
        const double parity = x.zoom.convention == ZoomConvention::round ? 2.0 : 1.0;
        const auto sources =
            static_cast<std::int64_t>(parity * std::nearbyint(static_cast<double>(table.elements) *
                                                              elements_per_step(x.zoom) / parity));
        table.input_advance = sources * element_bytes;
        table.repeats = repeats_of(x, table, cut, sources, blocks);
    }
    return begin + table.repeats * table.elements;
}

template <std::size_t bytes>
HWY_INLINE void move_elements(const RowTable& table, const std::byte* input_row, std::byte* to) {
    for (std::int64_t i = 0; i < table.elements; ++i) {
        std::memcpy(to + i * static_cast<std::int64_t>(bytes), input_row + table.element_at[i], bytes);
    }
}

HWY_INLINE void show_outside(const RowTable& table, const std::byte* input_row, const std::byte* cval,
                             std::byte* to) {
    const auto show = [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::byte* const from =
                table.outside_at[i] == shows_cval ? cval : input_row + table.outside_at[i];
            std::memcpy(to + i * table.element_bytes, from, static_cast<std::size_t>(table.element_bytes));
        }
    };
    show(0, table.inside_begin);
    show(table.inside_end, table.elements);
}

// One row of the table's block; `input_row` is advanced to the repeat that is wanted. `ahead` is where the same bytes
// will be wanted soon: they are fetched, if they are memory at all. May write up to row_overhang bytes beyond the block.
HWY_INLINE void expand_block(const RowTable& table, const std::byte* input_row, const std::byte* ahead,
                             std::byte* to) {
    if (table.method == RowMethod::copy) {
        std::memcpy(to, input_row + table.element_at[0], static_cast<std::size_t>(table.row_bytes));
        return;
    }
    if (table.method == RowMethod::shuffle) {
        shuffle_block(table, input_row, ahead, to);
        return;
    }
    switch (table.element_bytes) {
    case 1: move_elements<1>(table, input_row, to); break;
    case 2: move_elements<2>(table, input_row, to); break;
    case 4: move_elements<4>(table, input_row, to); break;
    case 8: move_elements<8>(table, input_row, to); break;
    case 16: move_elements<16>(table, input_row, to); break;
    default:
        for (std::int64_t i = 0; i < table.elements; ++i) {
            std::memcpy(to + i * table.element_bytes, input_row + table.element_at[i],
                        static_cast<std::size_t>(table.element_bytes));
        }
    }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
