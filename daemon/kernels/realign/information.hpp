#pragma once

#include "daemon/kernels/realign/phase_workspaces.hpp"

#include <array>
#include <bit>
#include <cstdint>

// Which voxels of the reference take part: those that tell the most of the motion, the weighted squares of the blurred
// image's gradient, which hold a share of all there is.
namespace slab::kernels::realign {

// How much of it there is from each magnitude to the next: sixteen to an octave.
struct InformationHistogram {
    static constexpr unsigned dropped_bits = 19;
    static constexpr std::size_t bins = std::size_t{1} << (31 - dropped_bits);

    // Positive floats are in the order of their bits.
    static std::size_t bin_of(float information) {
        return std::bit_cast<std::uint32_t>(information) >> dropped_bits;
    }
    static float least_of(std::size_t bin) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bin) << dropped_bits);
    }

    std::array<double, bins> sums{};
    std::array<std::int64_t, bins> counts{};

    // information >= 0
    void add(float information) {
        sums[bin_of(information)] += static_cast<double>(information);
        ++counts[bin_of(information)];
    }
};

// From how much on voxels take part.
struct Thresholds {
    float first_pass = 0.0F;
    float all = 0.0F;
};
inline constexpr std::int64_t thresholds_bytes = sizeof(Thresholds);

inline const Thresholds& thresholds_of(const TileCall& call) {
    return record_of<Thresholds>(workspace(call, RealignPhase::thresholds), 0);
}

void fill_thresholds(const RealignProgram& program, const TileCall& call);

}  // namespace slab::kernels::realign
