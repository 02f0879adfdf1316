#pragma once

#include "daemon/kernels/realign/reference_image.hpp"

namespace slab::kernels::realign {

// How frames are read between their voxels.
enum class Sampling : std::uint8_t {
    linear,  // samples
    cubic,   // coefficients of a spline, one longer at both ends of each axis
};

// One frame, or a coarser image of it.
struct SampledFrame {
    const float* data = nullptr;
    Sampling sampling = Sampling::cubic;
    VolumeGrid grid;
};

// A place this far beyond the outermost voxels' centres, in voxels, is still inside: what is not moved must not fall out by
// rounding.
inline constexpr double face_tolerance = 1e-3;

// Voxels are gone through in groups, whose samples stay in the first cache.
inline constexpr std::int64_t voxel_group = 512;

// The frame at voxels [begin, begin + count) of the reference: pull_back maps their indices to the frame's. NaN where the
// place lies outside the frame.
void sample_voxels(const SampledFrame& frame, const ReferenceImage& reference, const AffineMatrix& pull_back,
                   std::int64_t begin, std::int64_t count, float* to);

// From indices of the reference's grid to those of the frame's: `motion` maps the reference's mm to the frame's.
inline AffineMatrix pull_back_of(const VolumeGrid& reference, const AffineMatrix& motion,
                                 const VolumeGrid& frame) {
    return inverse(frame.to_mm) * motion * reference.to_mm;
}

}  // namespace slab::kernels::realign
