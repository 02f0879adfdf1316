// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_PLANE_COPY) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_PLANE_COPY
#undef SLAB_KERNELS_PLANE_COPY
#else
#define SLAB_KERNELS_PLANE_COPY
#endif

#include "daemon/kernels/interpolation/element_rows_inl.hpp"
#include "daemon/kernels/sampling/sampling_program.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

// [outer][z][y][x][inner] of any dtype becomes [plane][z][y][x] of the working type. In blocks: a run of neighbours of
// inner is read and converted at once, then its planes are written.
template <typename T>
void copy_planes(const SamplingProgram& program, const TileCall& call) {
    constexpr std::int64_t most_planes = 64;
    constexpr std::int64_t most_elements = 64;  // with the planes, 32 KiB of double
    const auto coefficients = workspace_of(program, SamplingPhase::filter);
    const ConstArrayView& source = coefficients ? call.workspaces[*coefficients] : call.inputs[0];
    const DType dtype = part_dtype(source.dtype);
    const auto bytes = static_cast<std::int64_t>(size_of(dtype));
    const Shape& shape = call.target.shape;
    const std::int64_t volume = shape[1] * shape[2] * shape[3];
    const auto& begin = call.tile.begin;
    const auto& end = call.tile.end;
    auto* const target = reinterpret_cast<T*>(call.target.data);
    auto* const block = reinterpret_cast<T*>(call.scratch.data());
    for (std::int64_t plane = begin[0]; plane < end[0];) {
        const std::int64_t inner = plane % program.inner;
        const std::int64_t planes = std::min({most_planes, end[0] - plane, program.inner - inner});
        const std::int64_t frames = plane / program.inner * volume;
        for (std::int64_t z = begin[1]; z < end[1]; ++z) {
            for (std::int64_t y = begin[2]; y < end[2]; ++y) {
                const std::int64_t line = (z * shape[2] + y) * shape[3];
                if (program.inner == 1) {  // only another type
                    const std::int64_t at = frames + line + begin[3];
                    load_row(source.data + at * bytes, dtype, target + plane * volume + line + begin[3],
                             end[3] - begin[3]);
                    continue;
                }
                for (std::int64_t x = begin[3]; x < end[3]; x += most_elements) {
                    const std::int64_t elements = std::min(most_elements, end[3] - x);
                    for (std::int64_t i = 0; i < elements; ++i) {
                        const std::int64_t from = (frames + line + x + i) * program.inner + inner;
                        load_row(source.data + from * bytes, dtype, block + i * planes, planes);
                    }
                    for (std::int64_t p = 0; p < planes; ++p) {
                        T* const to = target + (plane + p) * volume + line + x;
                        for (std::int64_t i = 0; i < elements; ++i) {
                            to[i] = block[i * planes + p];
                        }
                    }
                }
            }
        }
        plane += planes;
    }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
