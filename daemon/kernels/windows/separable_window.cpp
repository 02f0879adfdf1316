#include "daemon/kernels/windows/separable_window.hpp"

#include "common/array/box_walk.hpp"
#include "daemon/kernels/windows/separable_scalar.hpp"
#include "daemon/kernels/windows/separable_tiles.hpp"

#include <cstring>

namespace slab::kernels {
namespace {

// Windows of one element along all axes leave every bit as it is.
bool is_moved(const WindowProgram& program, const TileCall& call) {
    return program.passes[0].count == 0 && call.inputs[0].dtype == call.target.dtype;
}

void move_tile(const TileCall& call) {
    const auto last = static_cast<std::size_t>(call.target.shape.rank - 1);
    const auto bytes = static_cast<std::int64_t>(size_of(call.target.dtype));
    std::array<std::int64_t, max_rank> index = call.tile.begin;
    do {
        std::int64_t place = 0;
        for (std::size_t a = 0; a <= last; ++a) {
            place = place * call.target.shape.extents[a] + index[a];
        }
        std::memcpy(call.target.data + place * bytes, call.inputs[0].data + place * bytes,
                    static_cast<std::size_t>((call.tile.end[last] - call.tile.begin[last]) * bytes));
    } while (next_index(index, call.tile, last));
}

}  // namespace

void fill_window_scalar(const TileCall& call) noexcept {
    const auto program = call.program->as<WindowProgram>();
    if (is_moved(program, call)) {
        move_tile(call);
    } else {
        define_window(program, call);
    }
}

void fill_window_simd(const TileCall& call) noexcept {
    const auto program = call.program->as<WindowProgram>();
    if (is_moved(program, call)) {
        move_tile(call);
    } else if (program.type == WorkingType::float32) {
        fill_window_in_float(program, call);
    } else {
        fill_window_in_double(program, call);
    }
}

}  // namespace slab::kernels
