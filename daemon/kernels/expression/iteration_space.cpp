#include "daemon/kernels/expression/iteration_space.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slab::kernels::expression {
namespace {

std::string users_shape(const PlanRequest& request, const Shape& shape) {
    return to_text(request.axes == AxisOrder::reversed ? reversed(shape) : shape);
}

Error do_not_broadcast(const PlanRequest& request, std::size_t one, std::size_t other) {
    return {ErrorKind::usage, "the inputs' shapes do not broadcast",
            fmt::format("{} has the shape {}, {} has {}", static_cast<char>('a' + one),
                        users_shape(request, request.inputs[one].shape), static_cast<char>('a' + other),
                        users_shape(request, request.inputs[other].shape)),
            "Shapes are aligned at their last axis, where sizes are equal or one of them is 1; in numpy "
            "a[:, None] adds an axis."};
}

}  // namespace

std::array<std::int64_t, max_rank> strides_of(const Shape& shape) {
    std::array<std::int64_t, max_rank> strides{};
    std::int64_t stride = 1;
    for (int axis = shape.rank; axis-- > 0;) {
        strides[static_cast<std::size_t>(axis)] = stride;
        stride *= shape[axis];
    }
    return strides;
}

Expected<IterationSpace> broadcast(const PlanRequest& request) {
    IterationSpace space;
    space.input_count = static_cast<std::int32_t>(request.inputs.size());
    space.shape.rank = 1;
    for (const ArrayDescription& input : request.inputs) {
        space.shape.rank = std::max(space.shape.rank, input.shape.rank);
    }
    std::fill_n(space.shape.extents.begin(), space.shape.rank, 1);
    std::array<std::size_t, max_rank> giver{};  // which input an extent is of
    for (std::size_t input = 0; input < request.inputs.size(); ++input) {
        const Shape& shape = request.inputs[input].shape;
        const int skipped = request.axes == AxisOrder::reversed ? 0 : space.shape.rank - shape.rank;
        const auto first = static_cast<std::size_t>(skipped);
        space.first_axis[input] = skipped;
        const auto strides = strides_of(shape);
        for (int axis = 0; axis < shape.rank; ++axis) {
            const auto at = first + static_cast<std::size_t>(axis);
            if (shape[axis] == 1) {
                continue;
            }
            if (space.shape.extents[at] != 1 && space.shape.extents[at] != shape[axis]) {
                return std::unexpected(do_not_broadcast(request, giver[at], input));
            }
            space.shape.extents[at] = shape[axis];
            giver[at] = input;
            space.strides[input][at] = strides[static_cast<std::size_t>(axis)];
        }
    }
    if (!checked_byte_count({DType::complex128, space.shape, MemoryOrder::c})) {
        return std::unexpected(Error{ErrorKind::usage, "the result's size does not fit in 63 bits",
                                     fmt::format("its shape would be {}", users_shape(request, space.shape)),
                                     "Give smaller arrays."});
    }
    return space;
}

AxisRange input_rows(const IterationSpace& space, const Shape& input_shape, std::size_t input, int input_axis,
                     int axis, AxisRange rows) {
    const bool goes_along = space.first_axis[input] + input_axis == axis && input_shape[input_axis] > 1;
    return goes_along ? rows : AxisRange{0, input_shape[input_axis]};
}

}  // namespace slab::kernels::expression
