#include "daemon/kernels/correlate/correlate_tiles.hpp"

namespace slab::kernels {

void correlate_tile_simd(const TileCall& call) noexcept {
    const auto program = call.program->as<CorrelateProgram>();
    (program.type == WorkingType::float32 ? correlate_tile_in_float : correlate_tile_in_double)(program,
                                                                                                call);
}

}  // namespace slab::kernels
