#include "daemon/kernels/map/map.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/map/map_store_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/streaming/store_run_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

void store_block_here(const std::byte* from, std::byte* to, std::size_t bytes, StoreMode mode) {
    store_run(from, to, bytes, mode);
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(store_block_here);

void store_map_block(const std::byte* from, std::byte* to, std::size_t bytes, StoreMode mode) {
    HWY_DYNAMIC_DISPATCH(store_block_here)(from, to, bytes, mode);
}

}  // namespace slab::kernels
#endif
