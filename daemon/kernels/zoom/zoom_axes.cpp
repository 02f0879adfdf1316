#include "daemon/kernels/zoom/zoom_axes.hpp"

namespace slab::kernels {
namespace {

// Beyond this a run is better copied as a row than as an element. 32: four doubles.
constexpr std::int64_t most_element_bytes = 32;

bool spans(const TileAxis& axis) {
    return axis.begin == 0 && axis.end == axis.zoom.n_out;
}

TileAxis joined(const TileAxis& slow, const TileAxis& fast) {
    const std::int64_t n = fast.zoom.n_out;
    TileAxis axis = fast;
    axis.zoom = {
        .n_in = slow.zoom.n_in * n, .n_out = slow.zoom.n_out * n, .convention = ZoomConvention::floor};
    axis.begin = slow.begin * n;
    axis.end = slow.end * n;
    return axis;
}

}  // namespace

TileAxes tile_axes(const ZoomProgram& program, const Shape& input, const Shape& output, const Box& tile,
                   std::size_t element_bytes) {
    std::array<TileAxis, max_rank> found;  // fastest first
    std::size_t count = 0;
    auto input_pitch = static_cast<std::int64_t>(element_bytes);
    auto output_pitch = input_pitch;
    for (int i = output.rank; i-- > 0;) {
        const auto a = static_cast<std::size_t>(i);
        const TileAxis axis{zoom_axis(program, i, input[i], output[i]), tile.begin[a], tile.end[a],
                            input_pitch, output_pitch};
        input_pitch *= input[i];
        output_pitch *= output[i];
        if (input[i] == 1 && output[i] == 1) {
            continue;
        }
        if (count > 0 && is_unchanged(axis.zoom) && is_unchanged(found[count - 1].zoom) &&
            spans(found[count - 1])) {
            found[count - 1] = joined(axis, found[count - 1]);
        } else {
            found[count++] = axis;
        }
    }

    TileAxes axes;
    axes.element_bytes = static_cast<std::int64_t>(element_bytes);
    std::size_t next = 0;
    if (count > 1 && is_unchanged(found[0].zoom) && spans(found[0]) &&
        found[0].zoom.n_out * axes.element_bytes <= most_element_bytes) {
        axes.element_bytes *= found[0].zoom.n_out;
        next = 1;
    }
    axes.x.input_pitch = axes.x.output_pitch = axes.element_bytes;
    if (next < count) {
        axes.x = found[next++];
    }
    axes.rows.input_pitch = axes.x.input_pitch * axes.x.zoom.n_in;
    axes.rows.output_pitch = axes.x.output_pitch * axes.x.zoom.n_out;
    if (next < count) {
        axes.rows = found[next++];
    }
    while (count > next) {
        axes.planes[static_cast<std::size_t>(axes.plane_axes++)] = found[--count];
    }
    return axes;
}

}  // namespace slab::kernels
