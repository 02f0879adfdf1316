#pragma once

#include "daemon/kernels/realign/voxel_sampler.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace slab::kernels::realign {

using GroupSamples = std::array<float, voxel_group>;

// A bit for each voxel.
class VoxelBits {
  public:
    static std::int64_t bytes_for(std::int64_t voxels) { return (voxels + 63) / 64 * 8; }
    explicit VoxelBits(std::byte* memory) : words_(reinterpret_cast<std::uint64_t*>(memory)) {}

    bool has(std::int64_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
    void put(std::int64_t i, bool value) {
        const std::uint64_t bit = std::uint64_t{1} << (i % 64);
        words_[i / 64] = value ? words_[i / 64] | bit : words_[i / 64] & ~bit;
    }

  private:
    std::uint64_t* words_;
};

// The samples of a reference's voxels, group after group: NaN where there is none. From here on the frame itself, moved.
// What was outside the time before can be kept outside.
struct MovedFrame {
    const SampledFrame& frame;
    const ReferenceImage& reference;
    AffineMatrix pull_back;
    VoxelBits missing;
    bool keeps_missing = false;

    void read(std::int64_t begin, std::int64_t count, float* to) {
        sample_voxels(frame, reference, pull_back, begin, count, to);
        for (std::int64_t i = 0; i < count; ++i) {
            if (keeps_missing && missing.has(begin + i)) {
                to[i] = std::numeric_limits<float>::quiet_NaN();
            }
            missing.put(begin + i, to[i] != to[i]);
        }
    }
};

// Samples that are stored for the voxels of `first`, of which the reference's are some, in the same order.
struct StoredSamples {
    const ReferenceImage& first;
    const ReferenceImage& reference;
    const float* samples;
    std::int64_t next = 0;

    void read(std::int64_t begin, std::int64_t count, float* to) {
        next = begin == 0 ? 0 : next;
        for (std::int64_t i = 0; i < count; ++i, ++next) {
            while (first.index[next] != reference.index[begin + i]) {
                ++next;
            }
            to[i] = samples[next];
        }
    }
};

}  // namespace slab::kernels::realign
