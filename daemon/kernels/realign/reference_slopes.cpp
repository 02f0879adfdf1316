#include "daemon/kernels/realign/reference_slopes.hpp"

#include "daemon/kernels/realign/axis_filters.hpp"
#include "daemon/kernels/realign/coarse_references.hpp"
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/input_voxels.hpp"
#include "daemon/kernels/realign/mean_image.hpp"
#include "daemon/kernels/realign/soft_mask.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels::realign {
namespace {

constexpr double blur_in_voxels = 2.0;  // FWHM of the instruments' image, of the mean voxel

ReferenceSlopes lay_out(const RealignProgram& program, MemoryRun& run) {
    const std::int64_t capacity = Slabs(program.grid).capacity();
    ReferenceSlopes slopes;
    slopes.value = run.take<float>(capacity);
    slopes.weight = run.take<float>(capacity);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        slopes.slope[axis] = run.take<float>(capacity);
        slopes.blurred_slope[axis] = run.take<float>(capacity);
    }
    slopes.information = run.take<float>(capacity);
    slopes.histogram = run.take<InformationHistogram>(1);
    return slopes;
}

SecondSlopes lay_out_second(const RealignProgram& program, MemoryRun& run) {
    const std::int64_t capacity = Slabs(program.grid).capacity();
    SecondSlopes slopes;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        slopes.slope[axis] = run.take<float>(capacity);
        slopes.blurred_slope[axis] = run.take<float>(capacity);
    }
    return slopes;
}

// Of an image whose spline's values and slopes are given by these filters.
FilterPairs pairs_of(const AxisFilter& value, const AxisFilter& slope) {
    return {{value, value, value}, {slope, slope, slope}};
}

FilterPairs blurred(FilterPairs pairs, const std::array<double, 3>& sigma) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const AxisFilter gaussian = gaussian_filter(sigma[axis]);
        pairs.value[axis] = composed(gaussian, pairs.value[axis]);
        pairs.slope[axis] = composed(gaussian, pairs.slope[axis]);
    }
    return pairs;
}

std::array<double, 3> instrument_blur(const VolumeGrid& grid) {
    const Point spacing = grid.spacing();
    const double fwhm = blur_in_voxels * std::cbrt(spacing[0] * spacing[1] * spacing[2]);
    std::array<double, 3> sigma{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        sigma[axis] = fwhm / std::sqrt(8.0 * std::log(2.0)) / spacing[axis];
    }
    return sigma;
}

// Slopes of an image, and of that image blurred, in one plane.
void fill_slopes(const FilterSource& source, const FilterPairs& own, const FilterPairs& blurred_pairs,
                 std::int64_t plane, float* value, const std::array<float*, 3>& slope,
                 const std::array<float*, 3>& blurred_slope, std::span<std::byte> scratch) {
    filter_plane(source, own, plane, {value, slope}, scratch);
    filter_plane(source, blurred_pairs, plane, {nullptr, blurred_slope}, scratch);
}

std::array<float*, 3> moved(const std::array<float*, 3>& images, std::int64_t by) {
    return {images[0] + by, images[1] + by, images[2] + by};
}

void find_information(const ToMillimetres& in_mm, const ReferenceSlopes& slopes, std::int64_t voxels) {
    auto& histogram = *new (slopes.histogram) InformationHistogram{};
    const std::array<const float*, 3> blurred_slope{slopes.blurred_slope[0], slopes.blurred_slope[1],
                                                    slopes.blurred_slope[2]};
    for (std::int64_t i = 0; i < voxels; ++i) {
        const auto g = in_mm(blurred_slope, i);
        const float square = g[0] * g[0] + g[1] * g[1] + g[2] * g[2];
        const float told = slopes.weight[i] > least_weight ? slopes.weight[i] * square : 0.0F;
        slopes.information[i] = told > 0.0F ? told : 0.0F;  // what is no number tells nothing
        histogram.add(slopes.information[i]);
    }
}

}  // namespace

ReferenceSlopes reference_slopes_of(const RealignProgram& program, const TileCall& call, std::int64_t slab) {
    MemoryRun run = row_of(workspace(call, RealignPhase::reference_slopes), slab);
    return lay_out(program, run);
}

SecondSlopes second_slopes_of(const RealignProgram& program, const TileCall& call, std::int64_t slab) {
    MemoryRun run = row_of(workspace(call, RealignPhase::second_slopes), slab);
    return lay_out_second(program, run);
}

void fill_reference_slopes(const RealignProgram& program, const TileCall& call) {
    const Slabs slabs(program.grid);
    const Extents& n = program.grid.extents;
    const std::int64_t row_step = n[2] + 2;
    const std::int64_t plane_step = (n[1] + 2) * row_step;
    const FilterSource coefficients{frame_at(program, call, program.reference, 0).data + plane_step +
                                        row_step + 1,
                                    n, row_step, plane_step};
    const FilterPairs spline = pairs_of(spline_value_filter(), spline_slope_filter());
    const FilterPairs instruments = blurred(spline, instrument_blur(program.grid));
    const FilterPairs mask = blurred(spline, mask_blur(program.grid));
    const ToMillimetres in_mm(program.grid);
    for (std::int64_t slab = call.tile.begin[0]; slab < call.tile.end[0]; ++slab) {
        MemoryRun run = row_of(call.target, slab);
        const ReferenceSlopes slopes = lay_out(program, run);
        for (std::int64_t plane = slabs.begin(slab); plane < slabs.end(slab); ++plane) {
            const std::int64_t at = (plane - slabs.begin(slab)) * slabs.plane_voxels;
            fill_slopes(coefficients, spline, instruments, plane, slopes.value + at, moved(slopes.slope, at),
                        moved(slopes.blurred_slope, at), call.scratch);
            if (program.mask_input > 0) {
                load_mask_plane(program, call, plane, slopes.weight + at);
                continue;
            }
            filter_plane(coefficients, mask, plane, {slopes.weight + at, {}}, call.scratch);
            std::transform(slopes.weight + at, slopes.weight + at + slabs.plane_voxels, slopes.weight + at,
                           [&](float value) { return mask_weight(value, head_of(call).brightness); });
        }
        find_information(in_mm, slopes, slabs.voxels(slab));
    }
}

void fill_second_slopes(const RealignProgram& program, const TileCall& call) {
    const Slabs slabs(program.grid);
    const Extents& n = program.grid.extents;
    const FilterSource mean{mean_of(program, call).value, n, n[2], n[1] * n[2]};
    const FilterPairs spline = pairs_of(AxisFilter{}, sample_slope_filter(1e-6));
    // Blurred, what is far away is small.
    const FilterPairs instruments =
        blurred(pairs_of(AxisFilter{}, sample_slope_filter(1e-3)), instrument_blur(program.grid));
    for (std::int64_t slab = call.tile.begin[0]; slab < call.tile.end[0]; ++slab) {
        MemoryRun run = row_of(call.target, slab);
        const SecondSlopes slopes = lay_out_second(program, run);
        for (std::int64_t plane = slabs.begin(slab); plane < slabs.end(slab); ++plane) {
            const std::int64_t at = (plane - slabs.begin(slab)) * slabs.plane_voxels;
            fill_slopes(mean, spline, instruments, plane, nullptr, moved(slopes.slope, at),
                        moved(slopes.blurred_slope, at), call.scratch);
        }
    }
}

std::int64_t reference_slopes_bytes(const RealignProgram& program) {
    MemoryRun run;
    lay_out(program, run);
    return run.used();
}

std::int64_t second_slopes_bytes(const RealignProgram& program) {
    MemoryRun run;
    lay_out_second(program, run);
    return run.used();
}

}  // namespace slab::kernels::realign
