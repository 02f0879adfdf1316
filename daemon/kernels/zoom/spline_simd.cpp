#include "daemon/kernels/simd_targets.hpp"
#include "daemon/kernels/zoom/spline_zoom.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/zoom/spline_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/zoom/spline_tile_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void fill_spline_zoom(const TileCall& call) {
    fill_spline_zoom_scalar(call);
}

#else

void fill_spline_zoom(const TileCall& call) {
    const auto program = call.program->as<SplineZoomProgram>();
    if (program.type == WorkingType::float32) {
        SplineZoomTile<float>(call).fill();
    } else {
        SplineZoomTile<double>(call).fill();
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(fill_spline_zoom);

void fill_spline_zoom_simd(const TileCall& call) noexcept {
    const auto program = call.program->as<SplineZoomProgram>();
    if (call.phase < static_cast<std::size_t>(program.filter_count)) {
        filter_lines_simd(program.filters[call.phase], call);
        return;
    }
    HWY_DYNAMIC_DISPATCH(fill_spline_zoom)(call);
}

}  // namespace slab::kernels
#endif
