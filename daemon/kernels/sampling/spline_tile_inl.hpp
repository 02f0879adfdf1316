// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_SPLINE_TILE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_SPLINE_TILE
#undef SLAB_KERNELS_SPLINE_TILE
#else
#define SLAB_KERNELS_SPLINE_TILE
#endif

#include "daemon/kernels/interpolation/element_rows_inl.hpp"
#include "daemon/kernels/sampling/sampling_tile.hpp"
#include "daemon/kernels/sampling/spline_line_inl.hpp"
#include "daemon/kernels/streaming/store_run_inl.hpp"

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

// A tile of the output of order 1 to 5.
template <typename T, int taps>
class SplineTile {
    using Line = SplineLine<T, taps>;
    // The scratch: lines of values; of interleaved frames also the lines turned round; values in the output's dtype.
    static constexpr std::int64_t image_elements = 32 * 1024;
    static constexpr std::size_t image_bytes = image_elements * sizeof(double);  // no element is longer
    static_assert(3 * image_bytes <= scratch_bytes);
    static constexpr std::int64_t most_grouped =
        8 * 1024;  // of lines that are stored together: they stay in L1
    static constexpr std::int64_t most_interleaved_planes = 1024;

  public:
    SplineTile(const SamplingProgram& program, const TileCall& call)
        : program_(program), call_(call), tile_(sampling_tile(program, call.target.shape, call.tile)),
          array_(sampled_array(program, call)), dtype_(part_dtype(call.target.dtype)),
          bytes_(static_cast<std::int64_t>(size_of(dtype_))) {
        staging_ = call.scratch.data();
        values_ = reinterpret_cast<T*>(staging_ + image_bytes);
        turned_ = reinterpret_cast<T*>(staging_ + 2 * image_bytes);
        mode_ = store_mode_for(element_count(call.target.shape) * program.parts * bytes_);
    }

    void fill() {
        for (std::int64_t outer_0 = tile_.outer[0].begin; outer_0 < tile_.outer[0].end; ++outer_0) {
            for (std::int64_t outer_1 = tile_.outer[1].begin; outer_1 < tile_.outer[1].end; ++outer_1) {
                const std::int64_t outer = outer_0 * tile_.outer_pitch + outer_1;
                if (program_.inner == 1) {
                    fill_frame(outer);
                } else {
                    fill_interleaved(outer);
                }
            }
        }
        if (mode_ == StoreMode::streaming) {
            hwy::FlushStream();
        }
    }

  private:
    std::int64_t output_index(std::int64_t outer, std::int64_t z, std::int64_t y, std::int64_t x) const {
        const auto& [nz, ny, nx] = program_.target;
        return ((outer * nz + z) * ny + y) * nx + x;
    }

    void fill_frame(std::int64_t outer) {
        const auto plane = sampled_plane<T>(program_, array_, outer);
        const PullBack pull_back = pull_back_of(call_.table, outer);
        const auto& [z_range, y_range, x_range] = tile_.space;
        const std::int64_t width = x_range.end - x_range.begin;
        const bool are_adjacent = width == program_.target[2] && width <= most_grouped;
        const std::int64_t lines_at_once = are_adjacent ? most_grouped / width : 1;
        for (std::int64_t z = z_range.begin; z < z_range.end; ++z) {
            for (std::int64_t y = y_range.begin; y < y_range.end; y += lines_at_once) {
                const std::int64_t lines = std::min(lines_at_once, y_range.end - y);
                for (std::int64_t x = x_range.begin; x < x_range.end; x += most_grouped) {
                    const AxisRange part{x, std::min(x + most_grouped, x_range.end)};
                    const std::int64_t elements = part.end - part.begin;
                    for (std::int64_t line = 0; line < lines; ++line) {
                        fill_line(plane, pull_back, z, y + line, part, values_ + line * elements);
                    }
                    store(values_, output_index(outer, z, y, x), lines * elements);
                }
            }
        }
    }

    // Frames, or parts of complex numbers, that are neighbours in memory: lines of each, then turned round.
    void fill_interleaved(std::int64_t outer) {
        const auto& [z_range, y_range, x_range] = tile_.space;
        const std::int64_t parts = program_.parts;
        for (std::int64_t inner_0 = tile_.inner[0].begin; inner_0 < tile_.inner[0].end; ++inner_0) {
            const std::int64_t begin = (inner_0 * tile_.inner_pitch + tile_.inner[1].begin) * parts;
            const std::int64_t end = (inner_0 * tile_.inner_pitch + tile_.inner[1].end) * parts;
            for (std::int64_t first = begin; first < end; first += most_interleaved_planes) {
                const std::int64_t planes = std::min(most_interleaved_planes, end - first);
                const std::int64_t width = image_elements / planes - Line::overhang;
                for (std::int64_t z = z_range.begin; z < z_range.end; ++z) {
                    for (std::int64_t y = y_range.begin; y < y_range.end; ++y) {
                        for (std::int64_t x = x_range.begin; x < x_range.end; x += width) {
                            turn_round(outer, {first, first + planes}, z, y,
                                       {x, std::min(x + width, x_range.end)});
                        }
                    }
                }
            }
        }
    }

    void turn_round(std::int64_t outer, AxisRange inner, std::int64_t z, std::int64_t y, AxisRange x) {
        const std::int64_t planes = inner.end - inner.begin;
        const std::int64_t elements = x.end - x.begin;
        for (std::int64_t p = 0; p < planes; ++p) {
            const std::int64_t index = outer * program_.inner + inner.begin + p;
            const auto plane = sampled_plane<T>(program_, array_, index);
            T* const values = values_ + p * (elements + Line::overhang);
            fill_line(plane, pull_back_of(call_.table, index / program_.parts), z, y, x, values);
            for (std::int64_t i = 0; i < elements; ++i) {
                turned_[i * planes + p] = values[i];
            }
        }
        const std::int64_t at = output_index(outer, z, y, x.begin) * program_.inner + inner.begin;
        if (planes == program_.inner) {
            store(turned_, at, elements * planes);
            return;
        }
        for (std::int64_t i = 0; i < elements; ++i) {
            store(turned_ + i * planes, at + i * program_.inner, planes);
        }
    }

    // Elements x of a line; writes up to Line::overhang elements more.
    HWY_NOINLINE void fill_line(const SampledPlane<T>& plane, const PullBack& pull_back, std::int64_t z,
                                std::int64_t y, AxisRange x, T* values) {
        const LineCoordinates line = line_coordinates(pull_back, z, y);
        const AxisRange computed = computed_elements(program_, call_, line, z, y, x);
        const AxisRange inside = elements_with_taps(program_, line, computed);
        T* const row = values - x.begin;
        std::fill(row + x.begin, row + computed.begin, plane.cval);
        if (computed.begin < computed.end) {
            Line sampler(plane, line);
            sampler.sample_anywhere({computed.begin, inside.begin}, row + computed.begin);
            sampler.sample_inside(inside, row + inside.begin);
            sampler.sample_anywhere({inside.end, computed.end}, row + inside.end);
        }
        std::fill(row + computed.end, row + x.end, plane.cval);
    }

    // Parts of elements, from the part `at` of the output.
    void store(const T* values, std::int64_t at, std::int64_t count) {
        std::byte* const to = call_.target.data + at * bytes_;
        const auto bytes = static_cast<std::size_t>(count * bytes_);
        const bool is_working = dtype_ == (sizeof(T) == sizeof(float) ? DType::float32 : DType::float64);
        if (is_working) {
            store_run(reinterpret_cast<const std::byte*>(values), to, bytes, mode_);
            return;
        }
        store_row(values, staging_, dtype_, count);
        store_run(staging_, to, bytes, mode_);
    }

    const SamplingProgram& program_;
    const TileCall& call_;
    SamplingTile tile_;
    const ConstArrayView& array_;
    DType dtype_;
    std::int64_t bytes_;
    std::byte* staging_ = nullptr;
    T* values_ = nullptr;
    T* turned_ = nullptr;
    StoreMode mode_ = StoreMode::cached;
};

template <typename T, int taps>
HWY_NOINLINE void sample_tile(const SamplingProgram& program, const TileCall& call) {
    SplineTile<T, taps>(program, call).fill();
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
