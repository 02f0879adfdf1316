#include "daemon/kernels/sampling/pull_back.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels {
namespace {

// The first element of `within` for which the claim holds, or its end; the claim must stay true once it is. Begins at a
// guess that is off by rounding only, so that the walk is short.
template <class Claim>
std::int64_t first_where(double guess, AxisRange within, const Claim& claim) {
    const auto begin = static_cast<double>(within.begin);
    const auto end = static_cast<double>(within.end);
    std::int64_t x = within.begin;
    if (guess >= end) {
        x = within.end;
    } else if (guess > begin) {
        x = static_cast<std::int64_t>(guess);
    }
    while (x > within.begin && claim(x - 1)) {
        --x;
    }
    while (x < within.end && !claim(x)) {
        ++x;
    }
    return x;
}

}  // namespace

AxisRange elements_between(const LineCoordinates& line, std::size_t axis, double shift, double lowest,
                           double highest, AxisRange within) {
    const double step = line.step[axis];
    const double start = line.base[axis] + line.offset[axis] + shift;
    const auto value = [&](std::int64_t x) { return line.at(axis, x) + shift; };
    if (step == 0.0) {
        const double everywhere = value(within.begin);
        const bool is_inside = everywhere >= lowest && everywhere <= highest;
        return is_inside ? within : AxisRange{within.begin, within.begin};
    }
    const double enters = step > 0.0 ? lowest : highest;
    const double leaves = step > 0.0 ? highest : lowest;
    AxisRange inside;
    inside.begin = first_where((enters - start) / step, within, [&](std::int64_t x) {
        return step > 0.0 ? value(x) >= lowest : value(x) <= highest;
    });
    inside.end = first_where((leaves - start) / step, within, [&](std::int64_t x) {
        return step > 0.0 ? value(x) > highest : value(x) < lowest;
    });
    inside.end = std::max(inside.begin, inside.end);
    return inside;
}

}  // namespace slab::kernels
