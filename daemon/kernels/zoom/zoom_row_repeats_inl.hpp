// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ZOOM_ROW_REPEATS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ZOOM_ROW_REPEATS
#undef SLAB_KERNELS_ZOOM_ROW_REPEATS
#else
#define SLAB_KERNELS_ZOOM_ROW_REPEATS
#endif

#include "daemon/kernels/zoom/zoom_axes.hpp"
#include "daemon/kernels/zoom/zoom_row_sources_inl.hpp"
#include "daemon/kernels/zoom/zoom_row_table_inl.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

// How many input elements an output element goes on, about.
inline double elements_per_step(const ZoomAxis& zoom) {
    switch (zoom.convention) {
    case ZoomConvention::round: return 1.0 / zoom.step;
    case ZoomConvention::floor: return static_cast<double>(zoom.n_in) / static_cast<double>(zoom.n_out);
    default: return zoom.step;
    }
}

// The length of blocks whose pattern repeats longest: whole lines of output that go on by nearly a whole number of input
// elements (under `round` an even one: halves go to even).
inline std::int64_t repeating_elements(const ZoomAxis& zoom, std::int64_t element_bytes, std::int64_t most) {
    const std::int64_t unit = line_bytes / std::gcd(line_bytes, element_bytes);
    const double parity = zoom.convention == ZoomConvention::round ? 2.0 : 1.0;
    const double step = elements_per_step(zoom) / parity;
    std::int64_t best = unit;
    double least_drift = 1.0;
    for (std::int64_t elements = unit; elements <= most; elements += unit) {
        const double sources = static_cast<double>(elements) * step;
        const double drift = std::abs(sources - std::nearbyint(sources)) / static_cast<double>(elements);
        if (drift < 0.99 * least_drift) {
            least_drift = drift;
            best = elements;
        }
    }
    return most < unit ? most : most / best * best;
}

// How many of the blocks after the table's have its pattern, `sources` input elements on for each, as far as the
// coordinates say: those of the m-th have drifted by m * drift, exactly, and are computed with an error of less than
// `error`.
inline double blocks_alike(const TileAxis& x, const RowTable& table, const CutOff& cut,
                           std::int64_t sources) {
    constexpr double any_number = 0x1p62;
    const ZoomAxis& zoom = x.zoom;
    if (zoom.convention == ZoomConvention::floor) {
        const WideInteger drift = static_cast<WideInteger>(table.elements) * zoom.n_in -
                                  static_cast<WideInteger>(sources) * zoom.n_out;
        if (drift == 0) {
            return any_number;
        }
        const WideInteger room = drift > 0 ? zoom.n_out - 1 - cut.most_rest : cut.least_rest;
        const WideInteger alike = room / (drift > 0 ? drift : -drift);
        return static_cast<double>(alike);
    }
    const bool divides = zoom.convention == ZoomConvention::round;
    const auto elements = static_cast<double>(table.elements);
    const auto wanted = static_cast<double>(sources);
    const double drift =
        divides ? std::fma(-wanted, zoom.step, elements) / zoom.step : std::fma(elements, zoom.step, -wanted);
    const auto end = static_cast<double>(x.end);
    const double largest = (end + 1.0) * elements_per_step(zoom) + 1.0;
    const double fine_step = divides ? zoom.step : zoom.step * 1024.0;
    const bool is_short = fine_step == std::floor(fine_step) && std::max(largest, end) < 0x1p40;
    if (divides && is_short && zoom.step <= 1024.0 && drift == 0.0 && sources % 2 == 0) {
        // k / step is a half exactly where it is computed as one, being otherwise at least 1/2048 away from it.
        return any_number;
    }
    // A short step makes every operation exact. Else a coordinate is rounded four times at most, here and there.
    const bool is_exact = is_short && !divides;
    const double error = is_exact ? 0.0 : largest * 0x1p-49;
    if (cut.least_part < error || cut.most_part > 1.0 - error) {
        return 0.0;
    }
    if (drift == 0.0) {
        return any_number;
    }
    const double room = drift > 0.0 ? 1.0 - error - cut.most_part : cut.least_part - error;
    return std::floor(room / std::abs(drift)) -
           1.0;  // less one: the division rounds, and 1 itself is too much
}

// For how many blocks in a row the table serves, of `blocks` that there are.
inline std::int64_t repeats_of(const TileAxis& x, const RowTable& table, const CutOff& cut,
                               std::int64_t sources, std::int64_t blocks) {
    const std::int64_t last_source = table.element_at[table.elements - 1] / table.element_bytes;
    if (last_source == x.zoom.n_in - 1) {
        return 1;  // it may have been clamped
    }
    double more = std::min(blocks_alike(x, table, cut, sources), static_cast<double>(blocks - 1));
    if (sources > 0) {
        const std::int64_t before_the_last = (x.zoom.n_in - 1 - last_source) / sources;
        more = std::min(more, static_cast<double>(before_the_last));
        if (table.method == RowMethod::shuffle) {
            // No group begins behind the last source.
            const std::int64_t room =
                table.input_bytes - table.windows * group_bytes - (last_source + 1) * table.element_bytes;
            const std::int64_t with_room = room / table.input_advance;
            more = std::min(more, static_cast<double>(with_room));
        }
    }
    return 1 + static_cast<std::int64_t>(std::max(more, 0.0));
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
