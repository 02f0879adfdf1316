// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_SCRATCH) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_SCRATCH
#undef SLAB_KERNELS_SPLINE_SCRATCH
#else
#define SLAB_KERNELS_SPLINE_SCRATCH
#endif

#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/zoom/spline_level_inl.hpp"
#include "daemon/kernels/zoom/spline_row_inl.hpp"
#include "daemon/kernels/zoom/spline_zoom.hpp"

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <span>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

// What lies where in the scratch while a tile is filled.
template <typename T>
struct SplineScratch {
    static constexpr std::int64_t samples_bytes = 64 * 1024;
    static constexpr std::int64_t most_filter_radius_of_rows = 64;  // order 5 in double: 43

    SplineRowTable<T>* table = nullptr;
    T* filter_taps = nullptr;
    T* samples = nullptr;                // of a row
    T* coefficients = nullptr;           // likewise
    T* sums = nullptr;                   // a row of results
    std::byte* elements = nullptr;       // the same, of the output's type
    LevelTaps<T>* level_taps = nullptr;  // for each level spline_block_rows
    T* zeros = nullptr;                  // a row of them
    T* blocks = nullptr;                 // of all rings

    explicit SplineScratch(std::span<std::byte> scratch) {
        std::byte* next = scratch.data();
        const auto take = [&]<typename U>(U*& pointer, std::int64_t bytes) {
            pointer = reinterpret_cast<U*>(next);
            next += (bytes + 63) / 64 * 64;
        };
        take(table, sizeof(SplineRowTable<T>));
        take(filter_taps, (2 * most_filter_radius_of_rows + 1) * part_bytes);
        take(samples, samples_bytes + 4 * most_vector_bytes);
        take(coefficients, samples_bytes + 4 * most_vector_bytes);
        take(sums, spline_row_bytes + 4 * most_vector_bytes);
        take(elements, SplineRowTable<T>::most_parts * 8 + most_vector_bytes);
        take(level_taps, static_cast<std::int64_t>(sizeof(LevelTaps<T>)) * spline_block_rows * max_rank);
        take(zeros, spline_row_bytes + 4 * most_vector_bytes);
        take(blocks, 0);
    }

    // From one block of a ring to the next: whole vectors are written beyond its parts.
    static constexpr std::int64_t block_pitch(std::int64_t parts) {
        return (parts + block_overhang) / 16 * 16 + 16;
    }

  private:
    static constexpr std::int64_t part_bytes = sizeof(T);
    static constexpr std::int64_t block_overhang = 4 * most_vector_bytes / part_bytes;
    // Rings of up to four levels: the last one's blocks are rows.
    static_assert(sizeof(SplineRowTable<T>) + (2 * most_filter_radius_of_rows + 1) * part_bytes +
                      2 * (samples_bytes + 4 * most_vector_bytes) +
                      2 * (spline_row_bytes + 4 * most_vector_bytes) + SplineRowTable<T>::most_parts * 8 +
                      most_vector_bytes + sizeof(LevelTaps<T>) * spline_block_rows * max_rank + 8 * 64 +
                      spline_rings_bytes +
                      (most_order + 1) * (spline_row_bytes + 4 * (block_overhang + 16) * part_bytes) <=
                  scratch_bytes);
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
