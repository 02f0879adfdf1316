#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slab::kernels {

// What lies beyond the ends of an axis: scipy.ndimage's seven modes, and their names.
//   reflect        d c b a | a b c d | d c b a   half-sample symmetric
//   mirror           d c b | a b c d | c b a     whole-sample symmetric
//   nearest        a a a a | a b c d | d d d d
//   constant       k k k k | a b c d | k k k k   beyond the outermost samples' centres is cval, nothing is interpolated
//   grid-constant  k k k k | a b c d | k k k k   cval lies on the samples beyond, and is interpolated with
//   wrap             (d) b c | a b c d | b c (a) period n-1: the last sample lies on the first
//   grid-wrap      a b c d | a b c d | a b c d   period n
enum class Boundary : std::uint8_t { reflect, mirror, nearest, constant, grid_constant, wrap, grid_wrap };

std::vector<std::string> boundary_names();
std::optional<Boundary> boundary_named(std::string_view name);

// Where a coordinate beyond [0, n-1] is looked up (scipy's map_coordinate). Empty: nowhere, it is cval (constant only).
// grid-constant leaves it where it is: its samples there are cval, see map_index.
std::optional<double> map_coordinate(double coordinate, std::int64_t n, Boundary boundary);

// map_index where the index lies outside [0, n-1].
std::optional<std::int64_t> map_index_outside(std::int64_t index, std::int64_t n, Boundary boundary);

// Where a tap beyond [0, n-1] reads. Empty: cval (grid-constant only). As scipy, taps of constant and wrap see mirror:
// a coordinate inside may have taps outside.
inline std::optional<std::int64_t> map_index(std::int64_t index, std::int64_t n, Boundary boundary) {
    return index >= 0 && index < n ? std::optional(index) : map_index_outside(index, n, boundary);
}

}  // namespace slab::kernels
