#include "common/array/box_walk.hpp"
#include "daemon/kernels/zoom/fill_value.hpp"
#include "daemon/kernels/zoom/zoom.hpp"
#include "daemon/kernels/zoom/zoom_coordinates.hpp"

namespace slab::kernels {
namespace {

using Index = std::array<std::int64_t, max_rank>;

std::int64_t offset_of(const Index& index, const Shape& shape) {
    std::int64_t offset = 0;
    for (int axis = 0; axis < shape.rank; ++axis) {
        offset = offset * shape[axis] + index[static_cast<std::size_t>(axis)];
    }
    return offset;
}

}  // namespace

// output[k0, k1, ...] = input[source_index(0, k0), source_index(1, k1), ...], or cval where any of them shows cval.
void fill_zoom_scalar(const TileCall& call) noexcept {
    const ConstArrayView& input = call.inputs[0];
    const auto program = call.program->as<ZoomProgram>();
    const std::size_t element_bytes = size_of(input.dtype);
    const ElementBytes cval = fill_value(program.cval, input.dtype);
    std::array<ZoomAxis, max_rank> axes;
    for (int axis = 0; axis < input.shape.rank; ++axis) {
        axes[static_cast<std::size_t>(axis)] =
            zoom_axis(program, axis, input.shape[axis], call.target.shape[axis]);
    }
    Index to = call.tile.begin;
    do {
        Index from{};
        bool is_cval = false;
        for (std::size_t axis = 0; axis < static_cast<std::size_t>(input.shape.rank); ++axis) {
            from[axis] = source_index(axes[axis], to[axis]);
            is_cval = is_cval || from[axis] == shows_cval;
        }
        const std::byte* const element =
            is_cval ? cval.data()
                    : input.data + static_cast<std::size_t>(offset_of(from, input.shape)) * element_bytes;
        std::memcpy(call.target.data +
                        static_cast<std::size_t>(offset_of(to, call.target.shape)) * element_bytes,
                    element, element_bytes);
    } while (next_index(to, call.tile, static_cast<std::size_t>(call.tile.rank)));
}

}  // namespace slab::kernels
