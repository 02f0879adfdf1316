// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_LINEAR_PLANES) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_LINEAR_PLANES
#undef SLAB_KERNELS_LINEAR_PLANES
#else
#define SLAB_KERNELS_LINEAR_PLANES
#endif

#include "daemon/kernels/zoom/spline_level_inl.hpp"
#include "daemon/kernels/zoom/sum_store_inl.hpp"

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Interpolation of order 1 between two rows of each of two planes: one or two results between the rows, times one or
// two between the planes. What is between the rows stays in registers, where sums of one axis after the other would
// take it through the second cache: 15 % of the time.
template <typename T>
struct LinearCell {
    const T* rows[2][2];    // [plane][row]
    T row_weights[2][2];    // [result][row]
    T plane_weights[2][2];  // [result][plane]
    int row_results;
    int plane_results;
    std::int64_t rows_apart;  // of the results, in elements
    std::int64_t planes_apart;
};

// Past the caches: `to` and what is apart are aligned to a vector, `elements` are whole vectors. Sums are those of
// sum_rows, between rows and then between planes, to the bit.
template <int row_results, int plane_results, typename T>
HWY_NOINLINE void stream_linear_cell_of(const LinearCell<T>& cell, T* HWY_RESTRICT to,
                                        std::int64_t elements) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const LinearCell<T> own = cell;  // which the stores cannot change
    const auto between = [&](const T(&weights)[2], auto first, auto second) HWY_ATTR {
        const auto sum = hn::MulAdd(hn::Set(d, weights[0]), first, hn::Zero(d));
        return hn::MulAdd(hn::Set(d, weights[1]), second, sum);
    };
    for (std::int64_t i = 0; i < elements; i += lanes) {
        const auto row00 = hn::LoadU(d, own.rows[0][0] + i);
        const auto row01 = hn::LoadU(d, own.rows[0][1] + i);
        const auto row10 = hn::LoadU(d, own.rows[1][0] + i);
        const auto row11 = hn::LoadU(d, own.rows[1][1] + i);
        for (int row = 0; row < row_results; ++row) {
            const auto in_plane0 = between(own.row_weights[row], row00, row01);
            const auto in_plane1 = between(own.row_weights[row], row10, row11);
            for (int plane = 0; plane < plane_results; ++plane) {
                hn::Stream(between(own.plane_weights[plane], in_plane0, in_plane1), d,
                           to + plane * own.planes_apart + row * own.rows_apart + i);
            }
        }
    }
}

template <typename T>
HWY_INLINE void stream_linear_cell(const LinearCell<T>& cell, T* to, std::int64_t elements) {
    if (cell.row_results == 2) {
        cell.plane_results == 2 ? stream_linear_cell_of<2, 2>(cell, to, elements)
                                : stream_linear_cell_of<2, 1>(cell, to, elements);
    } else {
        cell.plane_results == 2 ? stream_linear_cell_of<1, 2>(cell, to, elements)
                                : stream_linear_cell_of<1, 1>(cell, to, elements);
    }
}

// Of a level's taps from `i` on: how many results lie between the same two samples, 2 at the most. Where a weight is 0
// its sample must not count, be it infinite, and the result stands alone.
template <typename T>
HWY_INLINE int results_between(const LevelTaps<T>* taps, std::int64_t count) {
    const auto has_zero = [](const LevelTaps<T>& of) {
        return of.weights[0] == T(0) || of.weights[1] == T(0);
    };
    return count > 1 && taps[0].first == taps[1].first && !has_zero(taps[0]) && !has_zero(taps[1]) ? 2 : 1;
}

// The least and the largest index of a sample that counts.
template <typename T>
HWY_INLINE std::array<std::int64_t, 2> samples_of(const LevelTaps<T>* taps, std::int64_t count) {
    std::array<std::int64_t, 2> samples{taps[0].first, taps[0].first + 1};
    for (std::int64_t i = 1; i < count; ++i) {
        samples = {std::min(samples[0], taps[i].first), std::max(samples[1], taps[i].first + 1)};
    }
    return samples;
}

// A block of a tile whose two slower axes have order 1 and whose rows have all elements.
template <typename T>
struct LinearPlanes {
    const Level& plane_level;
    const LevelTaps<T>* plane_taps;
    std::int64_t plane_count;
    const Level& row_level;
    const LevelTaps<T>* row_taps;
    std::int64_t row_count;
    Ring<T>& ring;  // of two planes of rows
    std::int64_t row_pitch;
    const T* zeros;  // a row of them

    // place_row(plane, row, to): the indices are those of taps. `target`: of the first result.
    template <class PlaceRow>
    HWY_INLINE void stream(const SumStore<T>& store, std::int64_t target, std::int64_t elements,
                           const PlaceRow& place_row) {
        const auto [first, last] = samples_of(row_taps, row_count);
        ring.pitch = (last - first + 1) * row_pitch;
        ring.indices.fill(no_index);
        const auto plane_at = [&](std::int64_t index) HWY_ATTR -> const T* {
            const std::int64_t place = index & 1;
            T* const plane = ring.blocks + place * ring.pitch;
            if (ring.indices[static_cast<std::size_t>(place)] != index) {
                ring.indices[static_cast<std::size_t>(place)] = index;
                for (std::int64_t row = first; row <= last; ++row) {
                    place_row(index, row, plane + (row - first) * row_pitch);
                }
            }
            return plane;
        };
        LinearCell<T> cell{};
        cell.rows_apart = row_level.target_pitch;
        cell.planes_apart = plane_level.target_pitch;
        for (std::int64_t k = 0; k < plane_count; k += cell.plane_results) {
            const LevelTaps<T>* const taps = plane_taps + k;
            cell.plane_results = results_between(taps, plane_count - k);
            copy_weights(taps, cell.plane_results, cell.plane_weights);
            const T* planes[2] = {};
            for (std::int64_t tap = 0; tap < 2; ++tap) {
                planes[tap] = taps->weights[tap] == T(0) ? nullptr : plane_at(taps->first + tap);
            }
            for (std::int64_t i = 0; i < row_count; i += cell.row_results) {
                cell.row_results = results_between(row_taps + i, row_count - i);
                copy_weights(row_taps + i, cell.row_results, cell.row_weights);
                for (std::int64_t row = 0; row < 2; ++row) {
                    const bool counts = row_taps[i].weights[row] != T(0);
                    const std::int64_t offset = (row_taps[i].first + row - first) * row_pitch;
                    for (int plane = 0; plane < 2; ++plane) {
                        cell.rows[plane][row] =
                            counts && planes[plane] != nullptr ? planes[plane] + offset : zeros;
                    }
                }
                stream_linear_cell(cell, store.place_of(target + k * cell.planes_apart + i * cell.rows_apart),
                                   elements);
            }
        }
    }

  private:
    static void copy_weights(const LevelTaps<T>* taps, int results, T (&weights)[2][2]) {
        for (int result = 0; result < results; ++result) {
            std::copy_n(taps[result].weights, 2, weights[result]);
        }
    }
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
