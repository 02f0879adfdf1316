#pragma once

#include "daemon/kernels/realign/memory_run.hpp"
#include "daemon/kernels/realign/volume_grid.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace slab::kernels::realign {

// What a frame differs by from the reference, to first order: 3 of translation, 3 of rotation about the centre, an offset
// and a factor of the intensity.
inline constexpr std::int64_t column_count = 8;
inline constexpr std::int64_t most_gain_fields = 64;

using NormalMatrix = std::array<double, column_count * column_count>;

// Facts of a reference that lie before its voxels in memory.
struct ReferenceFacts {
    std::int64_t voxels = 0;
    double weight = 0.0;  // sum
    double mean = 0.0;    // of the values, weighted
    Point centre{};       // mm
    Point low{};          // of the voxels, from the centre
    Point high{};
    NormalMatrix normal{};  // columns times instruments
};

// The voxels of a reference image that take part, in memory order, and all of it that does not depend on the frame. Columns
// B are [g, y x g, 1, I] with g the gradient in mm, y the place from the centre, I the value. They are weighted by
// instruments Z, which are the same of the image blurred, times the weight: noise in the reference then does not shorten
// the steps (instrumental variables: M. G. Kendall, A. Stuart, The Advanced Theory of Statistics 2, chapter 29).
struct ReferenceImage {
    ReferenceFacts* facts = nullptr;
    // One for each voxel.
    std::int32_t* index = nullptr;  // in the frame
    std::array<float*, 3> at{};     // indices, memory order
    std::array<float*, 3> place{};  // mm from the centre
    float* value = nullptr;
    float* weight = nullptr;
    std::array<float*, 3> slope{};       // g
    std::array<float*, 3> instrument{};  // of g, times the weight
};

// A reference of up to `capacity` voxels at the front of the run.
ReferenceImage lay_out_reference(MemoryRun& run, std::int64_t capacity);

// Images on one grid.
struct ReferenceSource {
    const float* value = nullptr;
    const float* weight = nullptr;                // voxels above least_weight may take part
    std::array<const float*, 3> slope{};          // along the index of each axis
    std::array<const float*, 3> blurred_slope{};  // of the image blurred
    // Only the voxels with the largest weighted squares of the blurred gradient, which hold this share of their sum: but
    // at least `least_chosen`.
    double share = 1.0;
};
inline constexpr std::int64_t least_chosen = 10000;

// other: as many elements as the grid has.
void make_reference(const ReferenceSource& source, const VolumeGrid& grid, ReferenceImage& reference,
                    float* other);

// The eight corners of the box of the voxels.
std::array<Point, 8> corners_of(const ReferenceFacts& facts);

}  // namespace slab::kernels::realign
