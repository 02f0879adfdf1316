#pragma once

#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/zoom/zoom_coordinates.hpp"

#include <cstdint>

namespace slab::kernels {

// One axis of a tile, with the distance in bytes between neighbours along it.
struct TileAxis {
    ZoomAxis zoom;
    std::int64_t begin = 0;  // the tile's output indices, half-open
    std::int64_t end = 1;
    std::int64_t input_pitch = 0;
    std::int64_t output_pitch = 0;
};

// A tile with as few axes as say the same, so that the loops over them are long:
//   - axes with one element fall away;
//   - neighbouring axes that the zoom leaves alone become one, where the tile spans the faster one;
//   - the fastest, if it is left alone and short, becomes part of the element: a (y, x, 3) picture is one of
//   (y, x)
//     with elements of three bytes.
// `rows` and `x` always exist (with one element if need be); `planes` are the slower axes, slowest first.
struct TileAxes {
    std::int64_t element_bytes = 1;
    TileAxis x;
    TileAxis rows;
    int plane_axes = 0;
    std::array<TileAxis, max_rank> planes{};
};

TileAxes tile_axes(const ZoomProgram& program, const Shape& input, const Shape& output, const Box& tile,
                   std::size_t element_bytes);

}  // namespace slab::kernels
