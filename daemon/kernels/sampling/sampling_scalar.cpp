#include "daemon/kernels/interpolation/spline.hpp"
#include "daemon/kernels/sampling/sampling.hpp"
#include "daemon/kernels/sampling/sampling_tile.hpp"

#include <cstring>

namespace slab::kernels {
namespace {

template <class Visit>
void for_each_index(AxisRange range, const Visit& visit) {
    for (std::int64_t index = range.begin; index < range.end; ++index) {
        visit(index);
    }
}

// Calls visit(outer index, z, y, x, inner index in elements, element of the target) for each element of the tile.
template <class Visit>
void for_each_element(const SamplingProgram& program, const TileCall& call, const Visit& visit) {
    const SamplingTile tile = sampling_tile(program, call.target.shape, call.tile);
    const std::int64_t inner_elements = program.inner / program.parts;
    const auto& [nz, ny, nx] = program.target;
    for_each_index(tile.outer[0], [&](std::int64_t outer_0) {
        for_each_index(tile.outer[1], [&](std::int64_t outer_1) {
            const std::int64_t outer = outer_0 * tile.outer_pitch + outer_1;
            for_each_index(tile.space[0], [&](std::int64_t z) {
                for_each_index(tile.space[1], [&](std::int64_t y) {
                    for_each_index(tile.space[2], [&](std::int64_t x) {
                        for_each_index(tile.inner[0], [&](std::int64_t inner_0) {
                            for_each_index(tile.inner[1], [&](std::int64_t inner_1) {
                                const std::int64_t inner = inner_0 * tile.inner_pitch + inner_1;
                                const std::int64_t at =
                                    (((outer * nz + z) * ny + y) * nx + x) * inner_elements + inner;
                                visit(outer, z, y, x, inner, at);
                            });
                        });
                    });
                });
            });
        });
    });
}

bool is_computed(const SamplingProgram& program, const TileCall& call, const LineCoordinates& line,
                 std::int64_t z, std::int64_t y, std::int64_t x) {
    const AxisRange computed = computed_elements(program, call, line, z, y, {x, x + 1});
    return computed.begin < computed.end;
}

// Order 0: the nearest sample's bytes.
void move_nearest(const SamplingProgram& program, const TileCall& call) {
    const ConstArrayView& input = call.inputs[0];
    const auto bytes = static_cast<std::int64_t>(size_of(input.dtype));
    const DType part = part_dtype(input.dtype);
    const TapGrid grid = tap_grid(program);
    for_each_element(program, call, [&](auto outer, auto z, auto y, auto x, auto inner, auto at) {
        const std::int64_t frame = outer * program.inner + inner;
        const LineCoordinates line = line_coordinates(pull_back_of(call.table, frame), z, y);
        const ElementTaps taps = element_taps(grid, line, x);
        std::int64_t from = 0;
        bool is_beyond = taps.is_outside || !is_computed(program, call, line, z, y, x);
        for (const auto& along : taps.offsets.along) {
            is_beyond = is_beyond || along[0] < 0;
            from += along[0];
        }
        if (is_beyond) {
            const std::int64_t parts = parts_of(input.dtype);
            store_element(program.cval, call.target.data, part, at * parts);
            if (parts == 2) {
                store_element(0.0, call.target.data, part, at * parts + 1);
            }
            return;
        }
        const std::int64_t plane = outer * grid.extents[0] * grid.pitches[0];
        std::memcpy(call.target.data + at * bytes,
                    input.data + ((plane + from) * program.inner + inner) * bytes,
                    static_cast<std::size_t>(bytes));
    });
}

// The weights of one axis; of order 1 in the working type itself, since a weight of exactly 0 says what is not read.
template <typename T>
std::array<T, most_taps> weights_along(const TapGrid& grid, std::size_t axis, double rest) {
    std::array<T, most_taps> weights{};
    if (!grid.is_sampled[axis]) {
        weights[0] = T(1);
    } else if (grid.order == 1) {
        weights[1] = static_cast<T>(rest);
        weights[0] = T(1) - weights[1];
    } else {
        const SplineTaps taps = spline_taps(rest, grid.order);
        for (std::size_t tap = 0; tap < weights.size(); ++tap) {
            weights[tap] = static_cast<T>(taps.weights[tap]);
        }
    }
    return weights;
}

// sum over the taps of z_weight * y_weight * x_weight * tap; of order 1 without those whose weight is 0.
template <typename T>
T spline_value(const SampledPlane<T>& plane, const LineCoordinates& line, std::int64_t x) {
    const ElementTaps taps = element_taps(plane.grid, line, x);
    if (taps.is_outside) {
        return plane.cval;
    }
    std::array<T, most_taps * most_taps * most_taps> block;
    plane.pick(plane.data, taps.offsets, taps.offsets.count[2], plane.cval, block.data());
    const auto z_weights = weights_along<T>(plane.grid, 0, taps.rest[0]);
    const auto y_weights = weights_along<T>(plane.grid, 1, taps.rest[1]);
    const auto x_weights = weights_along<T>(plane.grid, 2, taps.rest[2]);
    T sum = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(taps.offsets.count[0]); ++i) {
        for (std::size_t j = 0; j < static_cast<std::size_t>(taps.offsets.count[1]); ++j) {
            for (std::size_t k = 0; k < static_cast<std::size_t>(taps.offsets.count[2]); ++k, ++at) {
                const T weight = z_weights[i] * y_weights[j] * x_weights[k];
                if (plane.grid.order > 1 || weight != T(0)) {
                    sum += weight * block[at];
                }
            }
        }
    }
    return sum;
}

template <typename T>
void sample(const SamplingProgram& program, const TileCall& call) {
    const ConstArrayView& array = sampled_array(program, call);
    const DType part_type = part_dtype(call.target.dtype);
    for_each_element(program, call, [&](auto outer, auto z, auto y, auto x, auto inner, auto at) {
        for (std::int64_t part = 0; part < program.parts; ++part) {
            const std::int64_t plane = outer * program.inner + inner * program.parts + part;
            const LineCoordinates line =
                line_coordinates(pull_back_of(call.table, plane / program.parts), z, y);
            const auto sampled = sampled_plane<T>(program, array, plane);
            const T value =
                is_computed(program, call, line, z, y, x) ? spline_value(sampled, line, x) : sampled.cval;
            store_element(value, call.target.data, part_type, at * program.parts + part);
        }
    });
}

// [outer][z][y][x][inner] of any dtype becomes [plane][z][y][x] of the working type.
template <typename T>
void copy_planes(const SamplingProgram& program, const TileCall& call) {
    const auto coefficients = workspace_of(program, SamplingPhase::filter);
    const ConstArrayView& from = coefficients ? call.workspaces[*coefficients] : call.inputs[0];
    const Shape& shape = call.target.shape;
    const auto& [begin, end] = std::pair(call.tile.begin, call.tile.end);
    for (std::int64_t plane = begin[0]; plane < end[0]; ++plane) {
        const std::int64_t outer = plane / program.inner;
        const std::int64_t inner = plane % program.inner;
        for (std::int64_t z = begin[1]; z < end[1]; ++z) {
            for (std::int64_t y = begin[2]; y < end[2]; ++y) {
                for (std::int64_t x = begin[3]; x < end[3]; ++x) {
                    const std::int64_t place = (z * shape[2] + y) * shape[3] + x;
                    const std::int64_t volume = shape[1] * shape[2] * shape[3];
                    const T value = load_element<T>(from.data, part_dtype(from.dtype),
                                                    (outer * volume + place) * program.inner + inner);
                    store_element(value, call.target.data, call.target.dtype, plane * volume + place);
                }
            }
        }
    }
}

}  // namespace

void fill_sampling_scalar(const TileCall& call) noexcept {
    const auto program = call.program->as<SamplingProgram>();
    switch (program.phases[call.phase]) {
    case SamplingPhase::filter: filter_lines_scalar(program.filters[call.phase], call); return;
    case SamplingPhase::mask: fill_shared_mask(program, call); return;
    case SamplingPhase::planes:
        with_working_type(program.type, [&]<typename T>(T) { copy_planes<T>(program, call); });
        return;
    case SamplingPhase::sample: break;
    }
    if (program.order == 0) {
        move_nearest(program, call);
    } else {
        with_working_type(program.type, [&]<typename T>(T) { sample<T>(program, call); });
    }
}

}  // namespace slab::kernels
