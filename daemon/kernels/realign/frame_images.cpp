#include "daemon/kernels/realign/frame_images.hpp"

#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/realign/memory_run.hpp"
#include "daemon/kernels/realign/natural_spline.hpp"
#include "daemon/kernels/realign/phase_workspaces.hpp"
#include "daemon/kernels/realign/volume_filters.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace slab::kernels::realign {
namespace {

// Voxels of an input from `first` on; what is not finite counts as 0.
void load_voxels(const ConstArrayView& from_input, std::int64_t first, std::int64_t count, float* to) {
    with_element_type(from_input.dtype, [&]<typename Element>(Element element) {
        const std::byte* from = from_input.data + first * static_cast<std::int64_t>(sizeof(Element));
        for (std::int64_t i = 0; i < count; ++i, from += sizeof(Element)) {
            std::memcpy(&element, from, sizeof(Element));
            const auto value = as_working<Element, float>(element);
            to[i] = std::abs(value) <= std::numeric_limits<float>::max() ? value : 0.0F;
        }
    });
}

// Voxels of a frame, the image of the reference among them.
void load_voxels(const RealignProgram& program, const TileCall& call, std::int64_t frame, std::int64_t first,
                 std::int64_t count, float* to) {
    const bool is_in_series = frame < program.frames;
    load_voxels(call.inputs[is_in_series ? 0 : static_cast<std::size_t>(program.reference_input)],
                (is_in_series ? frame * program.grid.count() : 0) + first, count, to);
}

// Block means of the frame itself, a row of results at a time. scratch: a row of voxels, and a row of doubles.
void take_frame_means(const RealignProgram& program, const TileCall& call, std::int64_t frame, float* to) {
    const Extents& n = program.grid.extents;
    const Extents& factors = program.factors[0];
    const Extents means = level_grid(program, 1).extents;
    MemoryRun run(call.scratch.data());
    auto* const sums = run.take<double>(means[2]);
    auto* const voxels = run.take<float>(n[2]);
    const double share = 1.0 / static_cast<double>(factors[0] * factors[1] * factors[2]);
    for (std::int64_t z = 0; z < means[0]; ++z) {
        for (std::int64_t y = 0; y < means[1]; ++y, to += means[2]) {
            std::fill_n(sums, means[2], 0.0);
            for (std::int64_t k = 0; k < factors[0] * factors[1]; ++k) {
                const std::int64_t line =
                    (z * factors[0] + k / factors[1]) * n[1] + y * factors[1] + k % factors[1];
                load_voxels(program, call, frame, line * n[2], n[2], voxels);
                for (std::int64_t x = 0; x < means[2]; ++x) {
                    for (std::int64_t i = 0; i < factors[2]; ++i) {
                        sums[x] += static_cast<double>(voxels[x * factors[2] + i]);
                    }
                }
            }
            for (std::int64_t x = 0; x < means[2]; ++x) {
                to[x] = static_cast<float>(sums[x] * share);
            }
        }
    }
}

// In voxels.
std::array<double, 3> smoothing_sigma(const RealignProgram& program) {
    std::array<double, 3> sigma = program.grid.spacing();
    for (double& one : sigma) {
        one = program.smooth_fwhm / std::sqrt(8.0 * std::log(2.0)) / one;
    }
    return sigma;
}

}  // namespace

void load_reference(const RealignProgram& program, const TileCall& call, float* to) {
    const Extents& n = program.grid.extents;
    load_voxels(program, call, program.reference, 0, program.grid.count(), to);
    blur_in_place(to, n, {n[1] * n[2], n[2]}, smoothing_sigma(program),
                  reinterpret_cast<float*>(call.scratch.data()));
}

void load_mask(const RealignProgram& program, const TileCall& call, std::int64_t level, float* to,
               float* other) {
    const std::int64_t count = program.grid.count();
    load_voxels(call.inputs[static_cast<std::size_t>(program.mask_input)], 0, count, to);
    for (std::int64_t i = 0; i < count; ++i) {
        to[i] = std::clamp(to[i], 0.0F, 1.0F);
    }
    for (std::int64_t l = 1; l <= level; ++l) {
        take_block_means(to, level_grid(program, l - 1).extents,
                         program.factors[static_cast<std::size_t>(l - 1)], other);
        std::copy_n(other, level_grid(program, l).count(), to);
    }
}

void fill_coefficients(const RealignProgram& program, const TileCall& call) {
    const Extents& n = program.grid.extents;
    const std::int64_t row = n[2] + 2;
    const std::int64_t plane = (n[1] + 2) * row;
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        float* const padded =
            reinterpret_cast<float*>(call.target.data) + frame * program.grid.padded_count();
        for (std::int64_t z = 0; z < n[0]; ++z) {
            for (std::int64_t y = 0; y < n[1]; ++y) {
                load_voxels(program, call, frame, (z * n[1] + y) * n[2], n[2],
                            padded + (z + 1) * plane + (y + 1) * row + 1);
            }
        }
        blur_in_place(padded + plane + row + 1, n, {plane, row}, smoothing_sigma(program),
                      reinterpret_cast<float*>(call.scratch.data()));
        take_coefficients(padded, n, reinterpret_cast<float*>(call.scratch.data()));
    }
}

void fill_coarse_images(const RealignProgram& program, const TileCall& call) {
    const std::int64_t elements = coarse_begin(program, program.levels + 1);
    const std::int64_t pitch = call.target.shape[1];
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        MemoryRun run(call.target.data + frame * pitch * 4);
        auto* const images = run.take<float>(std::max<std::int64_t>(elements, 1));
        images[0] = 0.0F;  // where there are none
        // Each level's image is made of the means before smoothing, which the next level takes means of.
        auto* means = run.take<float>(elements);
        auto* const other = run.take<float>(elements);
        for (std::int64_t level = 1; level <= program.levels; ++level) {
            const VolumeGrid grid = level_grid(program, level);
            if (level == 1) {
                take_frame_means(program, call, frame, means);
            } else {
                const VolumeGrid finer = level_grid(program, level - 1);
                take_block_means(means, finer.extents, program.factors[static_cast<std::size_t>(level - 1)],
                                 means + finer.count());
                means += finer.count();
            }
            smooth_binomially(means, grid.extents, images + coarse_begin(program, level), other);
        }
    }
}

SampledFrame frame_at(const RealignProgram& program, const TileCall& call, std::int64_t frame,
                      std::int64_t level) {
    if (level == 0) {
        return {floats_of(workspace(call, RealignPhase::coefficients), frame, program.grid.padded_count()),
                Sampling::cubic, program.grid};
    }
    const ConstArrayView& coarse = workspace(call, RealignPhase::coarse_images);
    return {floats_of(coarse, frame, coarse.shape[1]) + coarse_begin(program, level), Sampling::linear,
            level_grid(program, level)};
}

std::int64_t coarse_images_elements(const RealignProgram& program) {
    const std::int64_t elements = coarse_begin(program, program.levels + 1);
    MemoryRun run;
    run.take<float>(std::max<std::int64_t>(elements, 1));
    run.take<float>(elements);
    run.take<float>(elements);
    return run.used() / 4;
}

}  // namespace slab::kernels::realign
