#include "daemon/kernels/realign/references.hpp"

#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/memory_run.hpp"
#include "daemon/kernels/realign/natural_spline.hpp"
#include "daemon/kernels/realign/phase_workspaces.hpp"
#include "daemon/kernels/realign/soft_mask.hpp"
#include "daemon/kernels/realign/volume_filters.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels::realign {
namespace {

constexpr double first_pass_share = 0.70;  // of the information: voxels that the first pass goes by
constexpr double blur_in_voxels = 2.0;     // FWHM of the instruments' image, of the mean voxel

Workshop lay_out_workshop(const RealignProgram& program, MemoryRun& run) {
    const std::int64_t count = program.grid.count();
    const auto image = [&] { return run.take<float>(count); };
    Workshop shop;
    shop.value = image();
    shop.weight = image();
    for (std::size_t axis = 0; axis < 3; ++axis) {
        shop.slope[axis] = image();
        shop.blurred_slope[axis] = image();
    }
    shop.other = image();
    shop.third = image();
    shop.padded = run.take<float>(program.grid.padded_count());
    shop.solver = run.take<float>(scratch_elements_for_coefficients(program.grid.extents));
    return shop;
}

References lay_out_references(const RealignProgram& program, MemoryRun& run) {
    References references;
    for (std::int64_t level = 0; level <= program.levels; ++level) {
        references.level[static_cast<std::size_t>(level)] =
            lay_out_reference(run, level_grid(program, level).count());
    }
    references.all = lay_out_reference(run, program.grid.count());
    references.shop = lay_out_workshop(program, run);
    return references;
}

SecondReference lay_out_second_reference(const RealignProgram& program, MemoryRun& run) {
    const std::int64_t count = program.grid.count();
    SecondReference reference;
    reference.image = lay_out_reference(run, count);
    reference.gain = lay_out_gain_fields(run, count);
    reference.shop = lay_out_workshop(program, run);
    return reference;
}

void take_coefficients_of(const float* image, const Extents& n, float* padded, float* solver) {
    const std::int64_t row = n[2] + 2;
    const std::int64_t plane = (n[1] + 2) * row;
    for (std::int64_t z = 0; z < n[0]; ++z) {
        for (std::int64_t y = 0; y < n[1]; ++y) {
            std::copy_n(image + (z * n[1] + y) * n[2], n[2], padded + (z + 1) * plane + (y + 1) * row + 1);
        }
    }
    take_coefficients(padded, n, solver);
}

// The slopes of the image's spline, and of the image blurred.
void take_slopes(const VolumeGrid& grid, const Workshop& shop) {
    const auto& [image, weight, slope, blurred_slope, other, third, padded, solver] = shop;
    take_coefficients_of(image, grid.extents, padded, solver);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        take_spline_slope(padded, grid.extents, axis, slope[axis]);
    }
    const Point spacing = grid.spacing();
    const double fwhm = blur_in_voxels * std::cbrt(spacing[0] * spacing[1] * spacing[2]);
    std::array<double, 3> sigma{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        sigma[axis] = fwhm / std::sqrt(8.0 * std::log(2.0)) / spacing[axis];
    }
    blur(image, grid.extents, sigma, other, third);
    take_coefficients_of(other, grid.extents, padded, solver);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        take_spline_slope(padded, grid.extents, axis, blurred_slope[axis]);
    }
}

// The mask that was given, or a soft one of the image's own. `image` is of that level.
void make_weight(const RealignProgram& program, const TileCall& call, std::int64_t level, const float* image,
                 const Workshop& shop) {
    if (program.mask_input > 0) {
        load_mask(program, call, level, shop.weight, shop.other);
    } else {
        make_soft_mask(image, level_grid(program, level), shop.weight, shop.other, shop.third);
    }
}

ReferenceSource source_of(const Workshop& shop, double share) {
    const auto read = [](const std::array<float*, 3>& images) {
        return std::array<const float*, 3>{images[0], images[1], images[2]};
    };
    return {shop.value, shop.weight, read(shop.slope), read(shop.blurred_slope), share};
}

}  // namespace

References references_of(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(const_cast<std::byte*>(workspace(call, RealignPhase::references).data));
    return lay_out_references(program, run);
}
SecondReference second_reference_of(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(const_cast<std::byte*>(workspace(call, RealignPhase::second_reference).data));
    return lay_out_second_reference(program, run);
}

void fill_references(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(call.target.data);
    References references = lay_out_references(program, run);
    const Workshop& shop = references.shop;
    for (std::int64_t level = 1; level <= program.levels; ++level) {
        const VolumeGrid grid = level_grid(program, level);
        const float* const image = frame_at(program, call, program.reference, level).data;
        make_weight(program, call, level, image, shop);
        for (std::size_t axis = 0; axis < 3; ++axis) {
            take_difference(image, grid.extents, axis, shop.slope[axis]);
        }
        ReferenceSource source = source_of(shop, 1.0);
        source.value = image;
        source.blurred_slope = source.slope;
        make_reference(source, grid, references.level[static_cast<std::size_t>(level)], shop.other);
    }
    load_reference(program, call, shop.value);
    take_slopes(program.grid, shop);
    make_weight(program, call, 0, shop.value, shop);
    make_reference(source_of(shop, std::min(first_pass_share, program.quality)), program.grid,
                   references.level[0], shop.other);
    make_reference(source_of(shop, program.quality), program.grid, references.all, shop.other);
}

void fill_second_reference(const RealignProgram& program, const TileCall& call) {
    MemoryRun run(call.target.data);
    SecondReference second = lay_out_second_reference(program, run);
    const References references = references_of(program, call);
    const ReferenceImage& first = references.all;
    const Workshop& shop = second.shop;
    const std::int64_t count = program.grid.count();
    const float* const mean = floats_of(workspace(call, RealignPhase::mean), 0, count);
    const float* const cover = mean + count;
    const GoodFrames is_good{program, call};
    const double least_cover = 0.5 * static_cast<double>(is_good.count());
    load_reference(program, call, shop.value);
    std::fill_n(shop.weight, count, 0.0F);
    for (std::int64_t i = 0; i < first.facts->voxels; ++i) {
        const std::int32_t voxel = first.index[i];
        const bool is_covered = !program.is_two_pass || static_cast<double>(cover[i]) > least_cover;
        shop.value[voxel] = program.is_two_pass ? mean[i] : shop.value[voxel];
        shop.weight[voxel] = is_covered ? first.weight[i] : 0.0F;
    }
    take_slopes(program.grid, shop);
    make_reference(source_of(shop, 1.0), program.grid, second.image, shop.other);
    if (program.has_gain_fields && program.frames >= least_frames_for_gain) {
        make_gain_fields(second.image, second.gain);
    } else {
        new (second.gain.facts) GainFacts{};
    }
}

std::int64_t references_bytes(const RealignProgram& program) {
    MemoryRun run;
    lay_out_references(program, run);
    return run.used();
}

std::int64_t second_reference_bytes(const RealignProgram& program) {
    MemoryRun run;
    lay_out_second_reference(program, run);
    return run.used();
}

}  // namespace slab::kernels::realign
