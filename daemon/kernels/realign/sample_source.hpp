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

// The samples of a reference's voxels, slab after slab and group after group: NaN where there is none. From here on the frame
// itself, moved. What was outside the time before can be kept outside.
class MovedFrame {
  public:
    // missing: room_for_missing(reference) bytes.
    MovedFrame(const SampledFrame& frame, const Reference& reference, std::byte* missing)
        : frame_(frame), reference_(reference) {
        for (std::size_t slab = 0; slab < static_cast<std::size_t>(reference.count); ++slab) {
            missing_[slab] = missing;
            missing += VoxelBits::bytes_for(reference.slab[slab].facts->voxels);
        }
    }

    void move(const AffineMatrix& pull_back, bool keeps_missing) {
        pull_back_ = pull_back;
        keeps_missing_ = keeps_missing;
    }
    void keep_missing() { keeps_missing_ = true; }

    void read(std::int64_t slab, std::int64_t begin, std::int64_t count, float* to) {
        const ReferenceImage& reference = reference_.slab[static_cast<std::size_t>(slab)];
        VoxelBits missing(missing_[static_cast<std::size_t>(slab)]);
        sample_voxels(frame_, reference, pull_back_, begin, count, to);
        for (std::int64_t i = 0; i < count; ++i) {
            if (keeps_missing_ && missing.has(begin + i)) {
                to[i] = std::numeric_limits<float>::quiet_NaN();
            }
            missing.put(begin + i, to[i] != to[i]);
        }
    }

  private:
    const SampledFrame& frame_;
    const Reference& reference_;
    AffineMatrix pull_back_;
    bool keeps_missing_ = false;
    std::array<std::byte*, most_slabs> missing_{};
};

// Samples of a slab that are stored for the voxels of `first`, of which the reference's are some, in the same order.
struct StoredSlab {
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

// Of a frame: its slabs lie `capacity` samples apart.
struct StoredFrame {
    const Reference& first;
    const Reference& reference;
    const float* samples;
    std::int64_t capacity;
    std::int64_t next = 0;

    void read(std::int64_t slab, std::int64_t begin, std::int64_t count, float* to) {
        const auto at = static_cast<std::size_t>(slab);
        StoredSlab stored{first.slab[at], reference.slab[at], samples + slab * capacity, next};
        stored.read(begin, count, to);
        next = stored.next;
    }
};

}  // namespace slab::kernels::realign
