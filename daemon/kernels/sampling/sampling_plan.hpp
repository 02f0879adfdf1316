#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/sampling/pull_back.hpp"

#include <string_view>
#include <vector>

namespace slab::kernels {

// How a spline is evaluated: the parameters that affine and reslice share.
struct SplineChoices {
    int order = 3;
    Boundary boundary = Boundary::constant;
    double cval = 0.0;
    bool is_prefiltered = true;
    WorkingType type = WorkingType::float64;
};

// mode, cval, prefilter, precision, as users see them.
std::vector<ParameterDescription> spline_parameters();

// The values of those; the order is the kernel's own parameter. Refuses what does not exist and a cval that the array's
// integers cannot hold.
Expected<SplineChoices> spline_choices(const PlanRequest& request, std::int64_t order);

enum class Masking : std::uint8_t { each_frame, shared };

// What is to be planned: the input seen as [outer axes][axes of space][inner axes].
struct SamplingRequest {
    ArrayDescription input;
    Shape output;
    int outer_axes = 0;
    int space_rank = 0;
    SplineChoices spline;
    std::vector<PullBack> frames;  // of every (outer, inner) index, inner fastest
    Masking masking = Masking::each_frame;
};

// The phases: the prefilter axis by axis where the order needs it; then the planes where neighbours along x are none in
// memory; then the mask; then the output. Refuses an output whose size does not fit in 63 bits.
Expected<KernelPlan> plan_sampling(const SamplingRequest& request);

// Frames that come first in memory stream, each needs itself alone; all else needs its sources whole.
AxisRange sampling_band_reads(const BandQuery& query);

}  // namespace slab::kernels
