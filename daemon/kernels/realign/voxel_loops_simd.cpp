#include "daemon/kernels/realign/axis_filters.hpp"
#include "daemon/kernels/realign/gain_fields.hpp"
#include "daemon/kernels/realign/normal_equations.hpp"
#include "daemon/kernels/realign/voxel_sampler.hpp"
#include "daemon/kernels/simd_targets.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/realign/voxel_loops_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/realign/filter_loops_inl.hpp"
#include "daemon/kernels/realign/gain_loops_inl.hpp"
#include "daemon/kernels/realign/voxel_loops_inl.hpp"

#if HWY_ONCE
namespace slab::kernels::realign {

HWY_EXPORT(sample_group);
HWY_EXPORT(sum_group);
HWY_EXPORT(sum_normal_of);
HWY_EXPORT(weigh_rows_of);
HWY_EXPORT(weigh_neighbours_of);
HWY_EXPORT(sum_fields_of_group);
HWY_EXPORT(add_field_normal_of_group);

void sample_voxels(const SampledFrame& frame, const ReferenceImage& reference, const AffineMatrix& pull_back,
                   std::int64_t begin, std::int64_t count, float* to) {
    for (std::int64_t done = 0; done < count; done += voxel_group) {
        HWY_DYNAMIC_DISPATCH(sample_group)
        (frame, reference, pull_back, begin + done, std::min(voxel_group, count - done), to + done);
    }
}

void sum_residuals(const ReferenceImage& reference, std::int64_t begin, std::int64_t count,
                   const float* samples, GroupSums& sums) {
    HWY_DYNAMIC_DISPATCH(sum_group)(reference, begin, count, samples, sums);
}

void sum_normal(const ReferenceImage& reference, NormalMatrix& normal) {
    HWY_DYNAMIC_DISPATCH(sum_normal_of)(reference, normal);
}

void sum_fields(const GainFields& fields, const GainWaves& waves, std::int64_t begin, std::int64_t count,
                const float* weighted_rest, double* sums) {
    HWY_DYNAMIC_DISPATCH(sum_fields_of_group)(fields, waves, begin, count, weighted_rest, sums);
}

void add_field_normal(const ReferenceImage& reference, const GainFields& fields, const GainWaves& waves,
                      std::int64_t begin, std::int64_t count, GainNormal& normal) {
    HWY_DYNAMIC_DISPATCH(add_field_normal_of_group)(reference, fields, waves, begin, count, normal);
}

void weigh_rows(std::span<const float* const> rows, const float* weights, std::int64_t count, float* to) {
    HWY_DYNAMIC_DISPATCH(weigh_rows_of)(rows, weights, count, to);
}

void weigh_neighbours(const float* from, std::span<const float> weights, std::int64_t count, float* to) {
    HWY_DYNAMIC_DISPATCH(weigh_neighbours_of)(from, weights, count, to);
}

}  // namespace slab::kernels::realign
#endif
