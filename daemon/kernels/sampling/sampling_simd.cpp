#include "daemon/kernels/sampling/sampling.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/sampling/sampling_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/interpolation/element_rows_inl.hpp"
#include "daemon/kernels/sampling/nearest_tile_inl.hpp"
#include "daemon/kernels/sampling/plane_copy_inl.hpp"
#include "daemon/kernels/sampling/spline_tile_inl.hpp"
#include "daemon/kernels/streaming/store_run_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void fill_sampling(const SamplingProgram&, const TileCall& call) {
    fill_sampling_scalar(call);
}

#else

template <typename T>
void fill_spline_tile(const SamplingProgram& program, const TileCall& call) {
    switch (program.order) {
    case 1: sample_tile<T, 2>(program, call); break;
    case 2: sample_tile<T, 3>(program, call); break;
    case 3: sample_tile<T, 4>(program, call); break;
    case 4: sample_tile<T, 5>(program, call); break;
    default: sample_tile<T, 6>(program, call); break;
    }
}

void fill_sampling(const SamplingProgram& program, const TileCall& call) {
    const bool is_float = program.type == WorkingType::float32;
    if (program.phases[call.phase] == SamplingPhase::planes) {
        is_float ? copy_planes<float>(program, call) : copy_planes<double>(program, call);
    } else if (program.order == 0) {
        move_nearest(program, call);
    } else {
        is_float ? fill_spline_tile<float>(program, call) : fill_spline_tile<double>(program, call);
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(fill_sampling);

void fill_sampling_simd(const TileCall& call) noexcept {
    const auto program = call.program->as<SamplingProgram>();
    switch (program.phases[call.phase]) {
    case SamplingPhase::filter: filter_lines_simd(program.filters[call.phase], call); break;
    case SamplingPhase::mask: fill_shared_mask(program, call); break;
    default: HWY_DYNAMIC_DISPATCH(fill_sampling)(program, call);
    }
}

}  // namespace slab::kernels
#endif
