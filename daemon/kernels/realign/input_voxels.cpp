#include "daemon/kernels/realign/input_voxels.hpp"

#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/realign/volume_filters.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace slab::kernels::realign {
namespace {

void load(const ConstArrayView& input, std::int64_t first, std::int64_t count, float* to) {
    with_element_type(input.dtype, [&]<typename Element>(Element element) {
        const std::byte* from = input.data + first * static_cast<std::int64_t>(sizeof(Element));
        for (std::int64_t i = 0; i < count; ++i, from += sizeof(Element)) {
            std::memcpy(&element, from, sizeof(Element));
            const auto value = as_working<Element, float>(element);
            to[i] = std::abs(value) <= std::numeric_limits<float>::max() ? value : 0.0F;
        }
    });
}

void load_mask_planes(const RealignProgram& program, const TileCall& call, std::int64_t begin,
                      std::int64_t end, float* to) {
    const std::int64_t plane = program.grid.extents[1] * program.grid.extents[2];
    load(call.inputs[static_cast<std::size_t>(program.mask_input)], begin * plane, (end - begin) * plane, to);
    std::transform(to, to + (end - begin) * plane, to,
                   [](float weight) { return std::clamp(weight, 0.0F, 1.0F); });
}

}  // namespace

void load_voxels(const RealignProgram& program, const TileCall& call, std::int64_t frame, std::int64_t first,
                 std::int64_t count, float* to) {
    const bool is_in_series = frame < program.frames;
    load(call.inputs[is_in_series ? 0 : static_cast<std::size_t>(program.reference_input)],
         (is_in_series ? frame * program.grid.count() : 0) + first, count, to);
}

void load_mask(const RealignProgram& program, const TileCall& call, std::int64_t level, float* to,
               float* other) {
    load_mask_planes(program, call, 0, program.grid.extents[0], to);
    for (std::int64_t l = 1; l <= level; ++l) {
        take_block_means(to, level_grid(program, l - 1).extents,
                         program.factors[static_cast<std::size_t>(l - 1)], other);
        std::copy_n(other, level_grid(program, l).count(), to);
    }
}

void load_mask_plane(const RealignProgram& program, const TileCall& call, std::int64_t plane, float* to) {
    load_mask_planes(program, call, plane, plane + 1, to);
}

}  // namespace slab::kernels::realign
