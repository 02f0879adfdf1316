// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WINDOW_SIZES) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WINDOW_SIZES
#undef SLAB_KERNELS_WINDOW_SIZES
#else
#define SLAB_KERNELS_WINDOW_SIZES
#endif

#include "daemon/kernels/cache_size.hpp"
#include "daemon/kernels/windows/layers_in_source_inl.hpp"
#include "daemon/kernels/windows/window_pass.hpp"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// What of a tile is in the scratch at once, in parts of elements. Rows there are followed by room for whole vectors, and no
// power of two apart.
struct WindowSizes {
    std::int64_t piece = 0;         // of a row
    std::int64_t pitch = 0;         // between rows of a piece
    std::int64_t long_pitch = 0;    // and between those that are extended
    std::int64_t block = 1;         // rows of a block
    std::int64_t lines_of_row = 0;  // of the cache, of the source's part of an extended row, at the most
};

// Pieces as long as fits. run: the tile's part of a row; height: its extent along the faster of two levels.
template <typename T>
WindowSizes window_sizes(const WindowProgram& program, const WindowLayout& layout, std::int64_t run,
                         std::int64_t height, std::int64_t source_part_bytes) {
    constexpr std::int64_t element_bytes = sizeof(T);
    const std::int64_t least = 4 * row_step<T>(1);
    const bool has_blocks = layout.level_count == 2;
    const std::int64_t halo = layout.row == nullptr ? 0 : (layout.row->taps - 1) * layout.inner;
    const auto layers = [&](std::size_t level) {
        return WindowLevel<T>::layers_kept(program, *layout.levels[level]);
    };
    const std::int64_t budget = cached_scratch_bytes();
    WindowSizes sizes;
    for (std::int64_t wanted = has_blocks ? 256 : 1024;; wanted /= 2) {
        sizes.piece = std::min(run, std::max<std::int64_t>(1, wanted / layout.inner) * layout.inner);
        sizes.pitch = (sizes.piece + least - 1) / least * least + 64 / element_bytes;
        sizes.long_pitch = (sizes.piece + halo + least - 1) / least * least + least + 64 / element_bytes;
        sizes.lines_of_row = sizes.long_pitch * source_part_bytes / LinesAhead::line_bytes + 1;
        std::int64_t bytes = WindowRows<T>::scratch_bytes(layout.row);
        for (std::size_t l = 0; l < layout.level_count; ++l) {
            bytes += WindowLevel<T>::scratch_bytes(*layout.levels[l]);
        }
        bytes += rows_at_once * (sizes.long_pitch + sizes.pitch) * element_bytes + 8 * sizes.pitch + 5 * 64;
        bytes += layout.level_count > 0 ? layers(0) * sizes.long_pitch * element_bytes : 0;
        bool is_enough = bytes <= budget;
        if (has_blocks) {
            const std::int64_t taps = layout.levels[0]->taps;
            const std::int64_t line_table = 8 * sizes.lines_of_row;  // of a row
            bytes += LayersInSource<T>::scratch_bytes(*layout.levels[0]) + (taps - 1) * line_table + 64;
            const std::int64_t most =
                (budget - bytes) / (layers(1) * sizes.pitch * element_bytes +
                                    LayersInSource<T>::scratch_bytes_of_row + line_table);
            is_enough = most >= std::min(height, taps) && is_enough;
            sizes.block = std::clamp<std::int64_t>(most, 1, height);
            const std::int64_t blocks = (height - 1) / sizes.block + 1;
            sizes.block = (height - 1) / blocks + 1;
        }
        if (is_enough || wanted <= least) {
            return sizes;
        }
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
