#pragma once

#include "common/errors/error.hpp"
#include "daemon/kernels/kernel.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels::expression {

// The elements that an expression is computed of: the shape to which its inputs are broadcast, by numpy's rules. Plain
// data, which travels in the plan's table.
struct IterationSpace {
    Shape shape;  // at least one axis
    std::int32_t input_count = 0;
    std::array<std::int32_t, most_inputs> first_axis{};  // the space's axis that is the input's axis 0
    std::array<std::array<std::int64_t, max_rank>, most_inputs>
        strides{};  // elements; 0: the input is repeated
};

// Shapes are aligned at their last axis as the user counts them. Errors: two shapes that do not broadcast, both shown.
Expected<IterationSpace> broadcast(const PlanRequest& request);

// Of an input, along its own axis `input_axis`: what the space's indices `rows` along `axis` read.
AxisRange input_rows(const IterationSpace& space, const Shape& input_shape, std::size_t input, int input_axis,
                     int axis, AxisRange rows);

// Elements from one index of an axis to the next, in C order.
std::array<std::int64_t, max_rank> strides_of(const Shape& shape);

}  // namespace slab::kernels::expression
