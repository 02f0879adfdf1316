#pragma once

#include "daemon/kernels/correlate/correlate_program.hpp"
#include "daemon/kernels/interpolation/element_value.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels {

// Calls visit(place in the turned window, part's weight) for each weight of this part (1: imaginary) that is not 0, in C
// order of the turned window.
template <typename T, class Visit>
void for_each_weight(const CorrelateProgram& program, const ConstArrayView& weights, std::int64_t part,
                     const Visit& visit) {
    const std::int64_t count = element_count(weights.shape);
    const std::int64_t parts = parts_of(weights.dtype);
    std::array<std::int64_t, max_rank> place{};
    for (std::int64_t i = 0; i < count; ++i) {
        // Turned along every axis, the array's elements are in the opposite order.
        const std::int64_t from = program.turn == Turn::none ? i : count - 1 - i;
        T weight = load_element<T>(weights.data, weights.dtype, from * parts + part);
        if (!(weight == T(0))) {
            weight = part == 1 && program.weight_parts == WeightParts::conjugate ? -weight : weight;
            visit(place, weight);
        }
        for (auto axis = static_cast<std::size_t>(weights.shape.rank); axis-- > 0;) {
            if (++place[axis] < weights.shape.extents[axis]) {
                break;
            }
            place[axis] = 0;
        }
    }
}

}  // namespace slab::kernels
