#include "daemon/kernels/correlate/correlate_tiles.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/correlate/correlate_double.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/correlate/correlate_tile_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

void fill_correlate_tile_in_double(const CorrelateProgram& program, const TileCall& call) {
#if HWY_TARGET == HWY_SCALAR
    (void)program;
    correlate_tile_scalar(call);
#else
    CorrelateTile<double>(program, call).fill();
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {
namespace {

HWY_EXPORT(fill_correlate_tile_in_double);

}  // namespace

void correlate_tile_in_double(const CorrelateProgram& program, const TileCall& call) noexcept {
    HWY_DYNAMIC_DISPATCH(fill_correlate_tile_in_double)(program, call);
}

}  // namespace slab::kernels
#endif
