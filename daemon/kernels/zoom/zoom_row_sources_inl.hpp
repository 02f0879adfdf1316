// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ZOOM_ROW_SOURCES) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ZOOM_ROW_SOURCES
#undef SLAB_KERNELS_ZOOM_ROW_SOURCES
#else
#define SLAB_KERNELS_ZOOM_ROW_SOURCES
#endif

#include "daemon/kernels/zoom/zoom_axes.hpp"
#include "daemon/kernels/zoom/zoom_row_table_inl.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

// What was cut off the coordinates of a block to make them whole: the least and the most. It says how far the
// coordinates may drift before a source is another. For `floor` counted in n_out-ths, else in elements, from the lower
// end of the interval of coordinates that show the same source.
struct CutOff {
    double least_part = 1.0;
    double most_part = 0.0;
    std::int64_t least_rest = INT64_MAX;
    std::int64_t most_rest = 0;
};

// clamped_source_index() of `elements` output indices from `begin`, times the element's bytes: the same arithmetic in
// the same order, so the same bits.
inline CutOff find_elements(const TileAxis& x, RowTable& table) {
    const std::int64_t elements = table.elements;
    CutOff cut;
    if (x.zoom.convention == ZoomConvention::floor) {
        // k * n_in / n_out without the wide division: quotient and remainder, one step on for each k.
        std::int64_t index = clamped_source_index(x.zoom, table.begin);
        auto rest =
            static_cast<std::int64_t>(static_cast<WideInteger>(table.begin) * x.zoom.n_in % x.zoom.n_out);
        const std::int64_t whole_steps = x.zoom.n_in / x.zoom.n_out;
        const std::int64_t rest_step = x.zoom.n_in % x.zoom.n_out;
        for (std::int64_t i = 0; i < elements; ++i) {
            table.element_at[i] = index * table.element_bytes;
            cut.least_rest = std::min(cut.least_rest, rest);
            cut.most_rest = std::max(cut.most_rest, rest);
            index += whole_steps;
            rest += rest_step - x.zoom.n_out;
            index += rest >= 0 ? 1 : 0;
            rest += rest >= 0 ? 0 : x.zoom.n_out;
        }
        return cut;
    }
    const hn::ScalableTag<double> d;
    const hn::RebindToSigned<decltype(d)> di;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    const auto step = hn::Set(d, x.zoom.step);
    const auto half = hn::Set(d, 0.5);
    const auto zero = hn::Zero(d);
    const auto bytes = hn::Set(d, static_cast<double>(table.element_bytes));
    const auto last = hn::Set(d, static_cast<double>(x.zoom.n_in - 1));
    auto least = hn::Set(d, 1.0);
    auto most = zero;
    for (std::int64_t i = 0; i < elements; i += n) {
        const auto k = hn::Add(hn::Set(d, static_cast<double>(table.begin + i)), hn::Iota(d, 0.0));
        auto coordinate = zero;
        auto nearest = zero;
        auto part = zero;
        if (x.zoom.convention == ZoomConvention::scipy) {
            coordinate = hn::Add(hn::Mul(k, step), half);
            nearest = hn::Floor(coordinate);
            part = hn::Sub(coordinate, nearest);
        } else if (x.zoom.convention == ZoomConvention::scipy_grid) {
            coordinate = hn::Add(hn::Sub(hn::Mul(hn::Add(k, half), step), half), half);
            nearest = hn::Floor(coordinate);
            part = hn::Sub(coordinate, nearest);
        } else {
            coordinate = hn::Div(k, step);
            nearest = hn::Round(coordinate);
            part = hn::Add(hn::Sub(coordinate, nearest), half);
        }
        least = hn::Min(least, part);
        most = hn::Max(most, part);
        // Whole numbers below 2^53, so that the product is exact as well.
        const auto at = hn::Mul(hn::Min(hn::Max(nearest, zero), last), bytes);
        hn::StoreU(hn::ConvertTo(di, at), di, table.element_at + i);
    }
    cut.least_part = hn::GetLane(hn::MinOfLanes(d, least));
    cut.most_part = hn::GetLane(hn::MaxOfLanes(d, most));
    return cut;
}

inline void find_outside(const TileAxis& x, RowTable& table) {
    const auto within = [&](std::int64_t k)
                            HWY_ATTR { return std::clamp<std::int64_t>(k - table.begin, 0, table.elements); };
    table.inside_begin = within(x.zoom.inside_begin);
    table.inside_end = within(x.zoom.inside_end);
    for (std::int64_t i = 0; i < table.elements; ++i) {
        i = i == table.inside_begin ? table.inside_end : i;
        if (i < table.elements) {
            const std::int64_t source = outside_source_index(x.zoom, table.begin + i);
            table.outside_at[i] = source == shows_cval ? shows_cval : source * table.element_bytes;
        }
    }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
