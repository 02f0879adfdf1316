#include "daemon/kernels/simd_targets.hpp"
#include "daemon/kernels/windows/separable_scalar.hpp"
#include "daemon/kernels/windows/separable_tiles.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/windows/separable_float.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/windows/window_tile_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

void fill_window_tile_in_float(const WindowProgram& program, const TileCall& call) {
#if HWY_TARGET == HWY_SCALAR
    define_window(program, call);
#else
    WindowTile<float>(program, call).fill();
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {
namespace {

HWY_EXPORT(fill_window_tile_in_float);

}  // namespace

void fill_window_in_float(const WindowProgram& program, const TileCall& call) noexcept {
    HWY_DYNAMIC_DISPATCH(fill_window_tile_in_float)(program, call);
}

}  // namespace slab::kernels
#endif
