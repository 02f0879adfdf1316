#pragma once

#include "daemon/kernels/realign/information.hpp"
#include "daemon/kernels/realign/reference_image.hpp"

#include <array>
#include <cstdint>

// A reference's values and slopes in all voxels of a slab: the first one's, and the second one's, which is the mean.
namespace slab::kernels::realign {

// Slopes are by index.
struct ReferenceSlopes {
    float* value = nullptr;
    float* weight = nullptr;
    std::array<float*, 3> slope{};
    std::array<float*, 3> blurred_slope{};
    float* information = nullptr;
    InformationHistogram* histogram = nullptr;
};
ReferenceSlopes reference_slopes_of(const RealignProgram& program, const TileCall& call, std::int64_t slab);
void fill_reference_slopes(const RealignProgram& program, const TileCall& call);
std::int64_t reference_slopes_bytes(const RealignProgram& program);  // of a slab

struct SecondSlopes {
    std::array<float*, 3> slope{};
    std::array<float*, 3> blurred_slope{};
};
SecondSlopes second_slopes_of(const RealignProgram& program, const TileCall& call, std::int64_t slab);
void fill_second_slopes(const RealignProgram& program, const TileCall& call);
std::int64_t second_slopes_bytes(const RealignProgram& program);  // of a slab

}  // namespace slab::kernels::realign
