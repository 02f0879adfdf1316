#include "daemon/kernels/sampling/sampling.hpp"
#include "daemon/kernels/sampling/sampling_tile.hpp"

#include <cstring>

namespace slab::kernels {

void fill_shared_mask(const SamplingProgram& program, const TileCall& call) {
    for (std::int64_t z = call.tile.begin[0]; z < call.tile.end[0]; ++z) {
        for (std::int64_t y = call.tile.begin[1]; y < call.tile.end[1]; ++y) {
            AxisRange inside{0, program.target[2]};
            for (std::int64_t frame = 0; frame < program.frames && inside.begin < inside.end; ++frame) {
                inside =
                    elements_inside(program, line_coordinates(pull_back_of(call.table, frame), z, y), inside);
            }
            const std::array<std::int64_t, 2> ends{inside.begin, inside.end};
            const std::int64_t at = (z * call.target.shape[1] + y) * 2 + call.tile.begin[2];
            const auto count = static_cast<std::size_t>(call.tile.extent(2));
            std::memcpy(call.target.data + at * 8, ends.data() + call.tile.begin[2], count * 8);
        }
    }
}

}  // namespace slab::kernels
