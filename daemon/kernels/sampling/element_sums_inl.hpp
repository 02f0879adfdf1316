// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ELEMENT_SUMS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ELEMENT_SUMS
#undef SLAB_KERNELS_ELEMENT_SUMS
#else
#define SLAB_KERNELS_ELEMENT_SUMS
#endif

#include "daemon/kernels/interpolation/spline_weights_inl.hpp"
#include "daemon/kernels/sampling/element_taps.hpp"
#include "daemon/kernels/sampling/line_lanes_inl.hpp"
#include "daemon/kernels/sampling/sampled_plane.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

// The sums of a vector of elements, of each for itself: its rows of taps are short vectors.
template <typename T, int taps>
class ElementSums {
    using Lanes = LineLanes<T, taps>;
    using D = typename Lanes::D;
    using V = typename Lanes::V;
    using DD = typename Lanes::DD;
    static constexpr D d{};
    static constexpr DD dd{};
    static constexpr std::int64_t most_lanes = Lanes::most_lanes;
    // A row of taps of one element, rounded up to what is loaded at once.
    static constexpr std::int64_t row_taps = taps <= 2 ? 2 : taps <= 4 ? 4 : 8;
    // Known when compiled: vectors of sums stay in registers only if the loops over them are unrolled.
    static constexpr auto part_lanes =
        static_cast<std::int64_t>(hn::MaxLanes(hn::CappedTag<T, static_cast<std::size_t>(row_taps)>()));
    static constexpr std::int64_t parts = row_taps / part_lanes;

  public:
    ElementSums(const SampledPlane<T>& plane, const LineCoordinates& line) : plane_(plane), line_(line) {}

    // That sum_inside() takes, about.
    std::int64_t instructions() const {
        return Lanes::lanes() * (taps_along(0) * taps_along(1) * (parts + 1) + 12);
    }

    // Elements from `begin` to `last`, all of whose taps exist, of a plane of the working type.
    void sum_inside(std::int64_t begin, std::int64_t last, V* HWY_RESTRICT sums, V* HWY_RESTRICT x_weights) {
        locate(begin, last);
        make_weights(x_weights);
        sum_located(sums);
    }

    // Elements [x.begin, x.end), anywhere, of a plane of any type: each one's taps are copied to a block. Sums of those
    // that have no taps are 0.
    void sum_blocks(AxisRange x, bool* HWY_RESTRICT is_outside, V* HWY_RESTRICT sums,
                    V* HWY_RESTRICT x_weights) {
        TapOffsets offsets[most_lanes];
        const std::int64_t n = x.end - x.begin;
        for (std::int64_t lane = 0; lane < Lanes::lanes(); ++lane) {
            const std::int64_t element = std::min(lane, n - 1);
            const ElementTaps found = element_taps(plane_.grid, line_, x.begin + element);
            offsets[lane] = found.offsets;
            is_outside[lane] = found.is_outside;
            for (std::size_t axis = 0; axis < space_axes; ++axis) {
                rest_[axis][lane] = static_cast<T>(found.rest[axis]);
            }
        }
        make_weights(x_weights);
        for (std::int64_t lane = 0; lane < Lanes::lanes(); ++lane) {
            if (is_outside[lane]) {
                for (int j = 0; j < taps; ++j) {
                    sums_[j * most_lanes + lane] = T(0);
                }
            } else {
                sum_block(offsets[lane], lane);
            }
        }
        load_sums(sums);
    }

  private:
    int taps_along(std::size_t axis) const { return Lanes::taps_along(plane_.grid, axis); }

    // Where the lanes' taps lie: index of the first, and the rest of the coordinate, along each axis. Lanes beyond the
    // last element repeat it.
    HWY_NOINLINE void locate(std::int64_t begin, std::int64_t last) {
        const auto half_lanes = static_cast<std::int64_t>(hn::Lanes(dd));
        for (std::size_t axis = 0; axis < space_axes; ++axis) {
            if (!plane_.grid.is_sampled[axis]) {
                continue;
            }
            const auto base = hn::Set(dd, line_.base[axis]);
            const auto step = hn::Set(dd, line_.step[axis]);
            const auto offset = hn::Set(dd, line_.offset[axis]);
            const auto to_first = hn::Set(dd, static_cast<double>(Lanes::to_first(plane_.grid)));
            const double last_middle = Lanes::last_middle(plane_.grid, axis);
            for (std::int64_t lane = 0; lane < Lanes::lanes(); lane += half_lanes) {
                const auto x = hn::Min(hn::Iota(dd, static_cast<double>(begin + lane)),
                                       hn::Set(dd, static_cast<double>(last)));
                const auto coordinate = hn::Add(hn::Add(base, hn::Mul(step, x)), offset);
                const auto middle = Lanes::middles_of(coordinate, last_middle);
                hn::Store(hn::Add(middle, to_first), dd, first_[axis] + lane);
                const auto rest = hn::Sub(coordinate, middle);
                if constexpr (sizeof(T) == sizeof(double)) {
                    hn::Store(rest, dd, rest_[axis] + lane);
                } else {
                    const hn::Rebind<float, DD> narrow;
                    hn::Store(hn::DemoteTo(narrow, rest), narrow, rest_[axis] + lane);
                }
            }
        }
    }

    HWY_NOINLINE void make_weights(V* HWY_RESTRICT x_weights) {
        V z[taps];
        V y[taps];
        const int z_taps = taps_along(0);
        const int y_taps = taps_along(1);
        z[0] = y[0] = hn::Set(d, T(1));
        if (z_taps > 1) {
            spline_weights<taps>(d, hn::Load(d, rest_[0]), z);
        }
        if (y_taps > 1) {
            spline_weights<taps>(d, hn::Load(d, rest_[1]), y);
        }
        T* weights = row_weights_;
        for (int i = 0; i < z_taps; ++i) {
            for (int j = 0; j < y_taps; ++j, weights += most_lanes) {
                hn::Store(hn::Mul(z[i], y[j]), d, weights);
            }
        }
        spline_weights<taps>(d, hn::Load(d, rest_[2]), x_weights);
    }

    void sum_located(V* HWY_RESTRICT sums) {
        const auto& pitches = plane_.grid.pitches;
        const std::int64_t reach =
            (taps_along(0) - 1) * pitches[0] + (taps_along(1) - 1) * pitches[1] + row_taps;
        for (std::int64_t lane = 0; lane < Lanes::lanes(); ++lane) {
            std::int64_t offset = 0;
            for (std::size_t axis = 0; axis < space_axes; ++axis) {
                if (plane_.grid.is_sampled[axis]) {
                    offset += static_cast<std::int64_t>(first_[axis][lane]) * pitches[axis];
                }
            }
            if (offset + reach <= plane_.elements) {
                sum_element(plane_.samples() + offset, pitches[0], pitches[1], lane);
            } else {
                sum_block_inside(offset, lane);
            }
        }
        load_sums(sums);
    }

    void sum_element(const T* HWY_RESTRICT rows, std::int64_t z_pitch, std::int64_t y_pitch,
                     std::int64_t lane) {
        const hn::CappedTag<T, static_cast<std::size_t>(row_taps)> part;
        using P = hn::Vec<decltype(part)>;
        P sums[parts];
#pragma GCC unroll 4
        for (std::int64_t i = 0; i < parts; ++i) {
            sums[i] = hn::Zero(part);
        }
        const T* weights = row_weights_ + lane;
        const int z_taps = taps_along(0);
        const int y_taps = taps_along(1);
        for (int z = 0; z < z_taps; ++z) {
            const T* row = rows + z * z_pitch;
            for (int y = 0; y < y_taps; ++y, row += y_pitch, weights += most_lanes) {
                if (taps == 2 && *weights == T(0)) {
                    continue;
                }
                const P weight = hn::Set(part, *weights);
#pragma GCC unroll 4
                for (std::int64_t i = 0; i < parts; ++i) {
                    sums[i] = hn::MulAdd(hn::LoadU(part, row + i * part_lanes), weight, sums[i]);
                }
            }
        }
        alignas(HWY_MAX_BYTES) T stored[row_taps];
        for (std::int64_t i = 0; i < parts; ++i) {
            hn::Store(sums[i], part, stored + i * part_lanes);
        }
        for (int j = 0; j < taps; ++j) {
            sums_[j * most_lanes + lane] = stored[j];
        }
    }

    void load_sums(V* HWY_RESTRICT sums) const {
        for (int j = 0; j < taps; ++j) {
            sums[j] = hn::Load(d, sums_ + j * most_lanes);
        }
    }

    // The last rows of the plane, where a whole short vector would reach beyond it.
    void sum_block_inside(std::int64_t offset, std::int64_t lane) {
        TapOffsets offsets;
        for (std::size_t axis = 0; axis < space_axes; ++axis) {
            offsets.count[axis] = taps_along(axis);
            for (int tap = 0; tap < offsets.count[axis]; ++tap) {
                offsets.along[axis][static_cast<std::size_t>(tap)] =
                    tap * plane_.grid.pitches[axis] + (axis == 2 ? offset : 0);
            }
        }
        sum_block(offsets, lane);
    }

    void sum_block(const TapOffsets& offsets, std::int64_t lane) {
        plane_.pick(plane_.data, offsets, row_taps, plane_.cval, block_);
        sum_element(block_, row_taps * offsets.count[1], row_taps, lane);
    }

    const SampledPlane<T>& plane_;
    const LineCoordinates& line_;
    alignas(HWY_MAX_BYTES) double first_[space_axes][most_lanes];
    alignas(HWY_MAX_BYTES) T rest_[space_axes][most_lanes];
    alignas(HWY_MAX_BYTES) T row_weights_[taps * taps * most_lanes];
    alignas(HWY_MAX_BYTES) T sums_[taps * most_lanes];
    alignas(HWY_MAX_BYTES) T block_[taps * taps * row_taps];
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
