#include "daemon/kernels/interpolation/boundary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace slab::kernels {
namespace {

constexpr std::array<std::string_view, 7> names{"reflect",       "mirror", "nearest",  "constant",
                                                "grid-constant", "wrap",   "grid-wrap"};

// The rest in [0, period). Windows hardly ever reach farther than the next period, which needs no division.
std::int64_t modulo(std::int64_t value, std::int64_t period) {
    if (value < 0 && value >= -period) {
        return value + period;
    }
    if (value < 2 * period && value >= 0) {
        return value < period ? value : value - period;
    }
    const std::int64_t rest = value % period;
    return rest < 0 ? rest + period : rest;
}

// The rest in [0, period). fmod is exact, so that whole coordinates stay whole.
double modulo(double value, double period) {
    const double rest = std::fmod(value, period);
    return rest < 0.0 ? rest + period : rest;
}

}  // namespace

std::vector<std::string> boundary_names() {
    return {names.begin(), names.end()};
}

std::optional<Boundary> boundary_named(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    return found == names.end() ? std::nullopt
                                : std::optional(static_cast<Boundary>(std::distance(names.begin(), found)));
}

std::optional<double> map_coordinate(double coordinate, std::int64_t n, Boundary boundary) {
    const auto last = static_cast<double>(n - 1);
    if (coordinate >= 0.0 && coordinate <= last) {
        return coordinate;
    }
    if (boundary == Boundary::constant) {
        return std::nullopt;
    }
    if (boundary == Boundary::grid_constant) {
        return coordinate;
    }
    if (n <= 1) {
        return 0.0;
    }
    // Between an end sample and the end of its period's half a coordinate is left where it is, as scipy leaves it: its
    // taps are mapped, and a tie of order 0 falls as scipy's does.
    const auto samples = static_cast<double>(n);
    const bool is_before = coordinate < 0.0;
    const double distance = std::abs(coordinate);
    switch (boundary) {
    case Boundary::mirror: {
        const double rest = std::fmod(distance, 2.0 * last);
        if (is_before) {
            return rest >= last ? 2.0 * last - rest : rest;
        }
        return rest >= samples ? 2.0 * last - rest : rest;
    }
    case Boundary::reflect: {
        const double rest = std::fmod(distance, 2.0 * samples);
        if (is_before) {
            return rest > samples ? 2.0 * samples - rest : rest - 1.0;
        }
        return rest >= samples ? 2.0 * samples - 1.0 - rest : rest;
    }
    case Boundary::wrap: {
        // The last sample lies on the first. Which of the two it is there: as scipy, the last before the begin.
        const double rest = modulo(coordinate, last);
        return coordinate < 0.0 && rest == 0.0 ? last : rest;
    }
    case Boundary::grid_wrap: return modulo(coordinate, samples);
    default: return std::clamp(coordinate, 0.0, last);
    }
}

std::optional<std::int64_t> map_index_outside(std::int64_t index, std::int64_t n, Boundary boundary) {
    switch (boundary) {
    case Boundary::grid_constant: return std::nullopt;
    case Boundary::nearest: return std::clamp<std::int64_t>(index, 0, n - 1);
    case Boundary::grid_wrap: return modulo(index, n);
    case Boundary::reflect: {
        const std::int64_t rest = modulo(index, 2 * n);
        return rest < n ? rest : 2 * n - 1 - rest;
    }
    case Boundary::mirror:
    case Boundary::constant:
    case Boundary::wrap: break;
    }
    if (n == 1) {
        return 0;
    }
    const std::int64_t rest = modulo(index, 2 * n - 2);
    return rest < n ? rest : 2 * n - 2 - rest;
}

}  // namespace slab::kernels
