// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_NEAREST_TILE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_NEAREST_TILE
#undef SLAB_KERNELS_NEAREST_TILE
#else
#define SLAB_KERNELS_NEAREST_TILE
#endif

#include "daemon/kernels/sampling/sampling_tile.hpp"
#include "daemon/kernels/streaming/store_run_inl.hpp"

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

// Order 0 moves the nearest sample's bytes.
template <std::size_t element_bytes>
class NearestTile {
    static constexpr std::int64_t image_elements = 16 * 1024;
    static constexpr auto bytes = static_cast<std::int64_t>(element_bytes);

  public:
    NearestTile(const SamplingProgram& program, const TileCall& call)
        : program_(program), call_(call), grid_(tap_grid(program)), image_(call.scratch.data()) {
        const DType part = part_dtype(call.target.dtype);
        store_element(program.cval, cval_, part, 0);
        if (is_complex(call.target.dtype)) {
            store_element(0.0, cval_, part, 1);
        }
        mode_ = store_mode_for(element_count(call.target.shape) * bytes);
    }

    void fill() {
        const SamplingTile tile = sampling_tile(program_, call_.target.shape, call_.tile);
        for (std::int64_t outer_0 = tile.outer[0].begin; outer_0 < tile.outer[0].end; ++outer_0) {
            for (std::int64_t outer_1 = tile.outer[1].begin; outer_1 < tile.outer[1].end; ++outer_1) {
                for (std::int64_t inner_0 = tile.inner[0].begin; inner_0 < tile.inner[0].end; ++inner_0) {
                    for (std::int64_t inner_1 = tile.inner[1].begin; inner_1 < tile.inner[1].end; ++inner_1) {
                        fill_frame(tile, outer_0 * tile.outer_pitch + outer_1,
                                   inner_0 * tile.inner_pitch + inner_1);
                    }
                }
            }
        }
        if (mode_ == StoreMode::streaming) {
            hwy::FlushStream();
        }
    }

  private:
    void fill_frame(const SamplingTile& tile, std::int64_t outer, std::int64_t inner) {
        const PullBack pull_back = pull_back_of(call_.table, outer * program_.inner + inner);
        const auto& [nz, ny, nx] = program_.target;
        const std::byte* const frame =
            call_.inputs[0].data +
            (outer * grid_.extents[0] * grid_.pitches[0] * program_.inner + inner) * bytes;
        const auto& [z_range, y_range, x_range] = tile.space;
        for (std::int64_t z = z_range.begin; z < z_range.end; ++z) {
            for (std::int64_t y = y_range.begin; y < y_range.end; ++y) {
                const LineCoordinates line = line_coordinates(pull_back, z, y);
                for (std::int64_t x = x_range.begin; x < x_range.end; x += image_elements) {
                    const AxisRange part{x, std::min(x + image_elements, x_range.end)};
                    fill_line(frame, line, z, y, part);
                    const std::int64_t at = ((outer * nz + z) * ny + y) * nx + x;
                    store((at * program_.inner + inner) * bytes, part.end - part.begin);
                }
            }
        }
    }

    void store(std::int64_t offset, std::int64_t elements) {
        std::byte* const to = call_.target.data + offset;
        if (program_.inner == 1) {
            store_run(image_, to, static_cast<std::size_t>(elements * bytes), mode_);
            return;
        }
        for (std::int64_t i = 0; i < elements; ++i) {
            std::memcpy(to + i * program_.inner * bytes, image_ + i * bytes, element_bytes);
        }
    }

    void fill_line(const std::byte* frame, const LineCoordinates& line, std::int64_t z, std::int64_t y,
                   AxisRange x) {
        const AxisRange computed = computed_elements(program_, call_, line, z, y, x);
        const AxisRange inside = elements_with_taps(program_, line, computed);
        fill_cval(x.begin, x.begin, computed.begin);
        move_anywhere(frame, line, x.begin, computed.begin, inside.begin);
        move_inside(frame, line, x.begin, inside);
        move_anywhere(frame, line, x.begin, inside.end, computed.end);
        fill_cval(x.begin, computed.end, x.end);
    }

    void fill_cval(std::int64_t origin, std::int64_t begin, std::int64_t end) {
        for (std::int64_t x = begin; x < end; ++x) {
            std::memcpy(image_ + (x - origin) * bytes, cval_, element_bytes);
        }
    }

    void move_anywhere(const std::byte* frame, const LineCoordinates& line, std::int64_t origin,
                       std::int64_t begin, std::int64_t end) {
        for (std::int64_t x = begin; x < end; ++x) {
            const ElementTaps taps = element_taps(grid_, line, x);
            std::int64_t from = 0;
            bool is_beyond = taps.is_outside;
            for (const auto& along : taps.offsets.along) {
                is_beyond = is_beyond || along[0] < 0;
                from += along[0];
            }
            std::memcpy(image_ + (x - origin) * bytes,
                        is_beyond ? cval_ : frame + from * program_.inner * bytes, element_bytes);
        }
    }

    void move_inside(const std::byte* frame, const LineCoordinates& line, std::int64_t origin,
                     AxisRange inside) {
        const hn::ScalableTag<double> dd;
        const auto lanes = static_cast<std::int64_t>(hn::Lanes(dd));
        alignas(HWY_MAX_BYTES) double offsets[HWY_MAX_BYTES / sizeof(double)];
        const auto half = hn::Set(dd, 0.5);
        for (std::int64_t begin = inside.begin; begin < inside.end; begin += lanes) {
            const auto x = hn::Iota(dd, static_cast<double>(begin));
            auto offset = hn::Zero(dd);
            for (std::size_t axis = 0; axis < space_axes; ++axis) {
                if (program_.is_sampled[axis]) {
                    const auto coordinate = hn::Add(
                        hn::Add(hn::Set(dd, line.base[axis]), hn::Mul(hn::Set(dd, line.step[axis]), x)),
                        hn::Set(dd, line.offset[axis]));
                    // Whole numbers below 2^53: exact.
                    offset = hn::MulAdd(hn::Floor(hn::Add(coordinate, half)),
                                        hn::Set(dd, static_cast<double>(grid_.pitches[axis])), offset);
                }
            }
            hn::Store(offset, dd, offsets);
            const std::int64_t count = std::min(lanes, inside.end - begin);
            std::byte* const to = image_ + (begin - origin) * bytes;
            for (std::int64_t i = 0; i < count; ++i) {
                const auto from = static_cast<std::int64_t>(offsets[i]);
                std::memcpy(to + i * bytes, frame + from * program_.inner * bytes, element_bytes);
            }
        }
    }

    const SamplingProgram& program_;
    const TileCall& call_;
    TapGrid grid_;
    std::byte* image_;
    StoreMode mode_ = StoreMode::cached;
    std::byte cval_[16] = {};
};

inline void move_nearest(const SamplingProgram& program, const TileCall& call) {
    switch (size_of(call.target.dtype)) {
    case 1: NearestTile<1>(program, call).fill(); break;
    case 2: NearestTile<2>(program, call).fill(); break;
    case 4: NearestTile<4>(program, call).fill(); break;
    case 8: NearestTile<8>(program, call).fill(); break;
    default: NearestTile<16>(program, call).fill(); break;
    }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
