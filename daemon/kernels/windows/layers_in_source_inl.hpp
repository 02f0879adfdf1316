// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_LAYERS_IN_SOURCE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_LAYERS_IN_SOURCE
#undef SLAB_KERNELS_LAYERS_IN_SOURCE
#else
#define SLAB_KERNELS_LAYERS_IN_SOURCE
#endif

#include "daemon/kernels/windows/window_level_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// A block's sums along the faster level and along rows, layer after layer, where rows are summed up as they lie in the
// source: in which order the windows have them is found once for all layers, and nothing else is asked of a row.
template <typename T>
class LayersInSource {
  public:
    // sums: rows_at_once rows, sums_pitch apart. pitch: between the source's rows. most_rows: of a block.
    LayersInSource(const WindowRows<T>& rows, const WindowLevel<T>& level, std::int64_t pitch,
                   std::int64_t most_rows, T* sums, std::int64_t sums_pitch, ScratchParts& scratch)
        : rows_(rows), level_(level), pitch_(pitch), sums_(sums), sums_pitch_(sums_pitch),
          places_(scratch.take<std::int64_t>(rows_read(most_rows))),
          windows_(scratch.take<const T*>(rows_read(most_rows))) {}

    // Beside those of each row of a block.
    static std::int64_t scratch_bytes(const WindowAxis& window) {
        return 2 * (8 * (window.taps - 1 + rows_at_once - 1) + 64);
    }
    static constexpr std::int64_t scratch_bytes_of_row = 2 * 8;

    // The rows [begin, end) of each layer. False where some lie beyond the source.
    bool choose_block(std::int64_t begin, std::int64_t end) {
        row_count_ = end - begin;
        const std::int64_t last = row_count_ + level_.taps() - 2;
        for (std::int64_t s = 0; s < rows_read(row_count_); ++s) {
            const std::int64_t i = level_.source_index(begin, std::min(s, last));
            if (i == WindowLevel<T>::beyond) {
                return false;
            }
            places_[s] = i * pitch_;
        }
        return true;
    }

    // layer: the part of the source with which it begins. Row j of the block goes to `to` + j * to_pitch; what lies there
    // leaves for leaves_for + j * pitch first, where that is not null (see InScratchLeaving). Meanwhile lines come nearer.
    void fill(std::int64_t layer, T* to, std::int64_t to_pitch, T* leaves_for, const Asking& asking) {
        const T* const begin = rows_.in_source(layer);
        for (std::int64_t s = 0; s < rows_read(row_count_); ++s) {
            windows_[s] = begin + places_[s];
        }
        // Sums begin on a line of the cache, behind room for what extends them.
        constexpr std::int64_t line = 64 / sizeof(T);
        T* const extended = sums_ + (line - rows_.begin_in_source() % line) % line;
        T* sums[rows_at_once];
        for (std::int64_t j = 0; j < rows_at_once; ++j) {
            sums[j] = extended + j * sums_pitch_ + rows_.begin_in_source();
        }
        const std::int64_t width = rows_.length_in_source();
        for (std::int64_t row = 0; row < row_count_; row += rows_at_once) {
            const std::int64_t count = std::min<std::int64_t>(rows_at_once, row_count_ - row);
            level_.weighted().template sum_rows<StoreMode::cached>(windows_ + row, 0, count, sums, width,
                                                                   asking);
            // All are extended before the first is summed up: loads wait for smaller stores just before them.
            rows_.extend_each(extended, sums_pitch_, count);
            for (std::int64_t j = 0; j < count; ++j) {
                rows_.sum_unchanged(extended + j * sums_pitch_, to + (row + j) * to_pitch,
                                    leaves_for == nullptr ? nullptr : leaves_for + (row + j) * pitch_);
            }
        }
    }

  private:
    // With those that windows that nobody wants would have, so that there are always rows_at_once.
    std::int64_t rows_read(std::int64_t rows) const { return rows + level_.taps() - 1 + rows_at_once - 1; }

    const WindowRows<T>& rows_;
    const WindowLevel<T>& level_;
    std::int64_t pitch_;
    T* sums_;
    std::int64_t sums_pitch_;
    std::int64_t row_count_ = 0;
    std::int64_t* places_;  // of the rows that the windows read, in each layer
    const T** windows_;     // and in that at hand
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
