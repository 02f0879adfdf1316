#pragma once

#include "daemon/kernels/realign/memory_run.hpp"
#include "daemon/kernels/realign/slabs.hpp"

#include <array>
#include <cstdint>
#include <limits>

namespace slab::kernels::realign {

// What a frame differs by from the reference, to first order: 3 of translation, 3 of rotation about the centre, an offset
// and a factor of the intensity.
inline constexpr std::int64_t column_count = 8;

using NormalMatrix = std::array<double, column_count * column_count>;

// Facts of a reference that lie before its voxels in memory.
struct ReferenceFacts {
    std::int64_t voxels = 0;
    double weight = 0.0;          // sum
    double weighted_value = 0.0;  // sum
    Point centre{};               // mm; the same of all slabs
    Point low{huge, huge, huge};  // of the voxels, from the centre
    Point high{-huge, -huge, -huge};
    NormalMatrix normal{};  // columns times instruments

    static constexpr double huge = std::numeric_limits<double>::max();
    double mean() const { return weight > 0.0 ? weighted_value / weight : 0.0; }
};

// The voxels of a reference image, or of a slab of it, that take part, in memory order, and all of it that does not depend on
// the frame. Columns B are [g, y x g, 1, I] with g the gradient in mm, y the place from the centre, I the value. They are
// weighted by instruments Z, which are the same of the image blurred, times the weight: noise in the reference then does not
// shorten the steps (instrumental variables: M. G. Kendall, A. Stuart, The Advanced Theory of Statistics 2, chapter 29).
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

// Images of planes [first_plane, last_plane) of a grid.
struct ReferenceSource {
    const VolumeGrid& grid;
    std::int64_t first_plane = 0;
    std::int64_t last_plane = 0;  // one behind
    const float* value = nullptr;
    const float* weight = nullptr;                // voxels above least_weight may take part
    std::array<const float*, 3> slope{};          // along the index of each axis
    std::array<const float*, 3> blurred_slope{};  // of the image blurred
    const float* information = nullptr;           // null: all may take part
    float least_information = 0.0F;
};

void make_reference(const ReferenceSource& source, const Point& centre, ReferenceImage& reference);

// The gradient in mm, of slopes by index: slopes * inverse of the grid's matrix.
class ToMillimetres {
  public:
    explicit ToMillimetres(const VolumeGrid& grid) : inverse_map_(inverse(grid.to_mm)) {}

    std::array<float, 3> operator()(const std::array<const float*, 3>& slope, std::int64_t i) const {
        std::array<float, 3> gradient{};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            double sum = 0.0;
            for (std::size_t k = 0; k < 3; ++k) {
                sum += static_cast<double>(slope[k][i]) * inverse_map_.rows[k][axis];
            }
            gradient[axis] = static_cast<float>(sum);
        }
        return gradient;
    }

  private:
    AffineMatrix inverse_map_;
};

// A reference in its slabs; those of coarse levels have one.
struct Reference {
    std::int64_t count = 0;
    std::array<ReferenceImage, most_slabs> slab{};
    ReferenceFacts facts;  // of all

    void add(const ReferenceImage& next);
};

// The eight corners of the box of the voxels.
std::array<Point, 8> corners_of(const ReferenceFacts& facts);

}  // namespace slab::kernels::realign
