#include "daemon/kernels/expression/block_evaluator.hpp"
#include "daemon/kernels/map/map.hpp"

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>

namespace slab::kernels {
namespace {

using expression::BlockEvaluator;

using StoreBlock = void (*)(const std::byte* from, std::byte* to, std::size_t bytes, StoreMode mode);

void store_by_copy(const std::byte* from, std::byte* to, std::size_t bytes, StoreMode) {
    std::memcpy(to, from, bytes);
}

// A run of the output's memory. Streamed: the first block ends where whole lines begin.
void fill_run(BlockEvaluator& evaluator, const TileCall& call, std::int64_t first, std::int64_t count,
              StoreMode mode, StoreBlock store) {
    const auto bytes = static_cast<std::int64_t>(size_of(call.target.dtype));
    std::byte* to = call.target.data + first * bytes;
    constexpr std::int64_t line = 64;
    std::int64_t block = evaluator.block_elements();
    const auto to_line = static_cast<std::int64_t>(-reinterpret_cast<std::uintptr_t>(to) &
                                                   static_cast<std::uintptr_t>(line - 1));
    if (to_line % bytes == 0 && to_line > 0) {
        block += to_line / bytes - line / bytes;
    }
    while (count > 0) {
        block = std::min(block, count);
        const std::byte* const result =
            evaluator.evaluate(first, block, mode == StoreMode::cached ? to : nullptr);
        if (result != to) {
            store(result, to, static_cast<std::size_t>(block * bytes), mode);
        }
        first += block;
        count -= block;
        to += block * bytes;
        block = evaluator.block_elements();
    }
}

void fill(const TileCall& call, const expression::BlockFunctions& functions, StoreBlock store) {
    const auto& table = *reinterpret_cast<const MapTable*>(call.table.data());
    BlockEvaluator evaluator(table.program, functions, table.space, call.inputs, call.scratch);
    const Shape& shape = call.target.shape;
    const StoreMode mode =
        store_mode_for(element_count(shape) * static_cast<std::int64_t>(size_of(call.target.dtype)));
    const auto strides = expression::strides_of(shape);
    // Runs: the axes behind `along` are there whole.
    int along = shape.rank - 1;
    while (along > 0 && call.tile.extent(along) == shape[along]) {
        --along;
    }
    std::int64_t first = 0;
    for (int axis = 0; axis < shape.rank; ++axis) {
        first += call.tile.begin[static_cast<std::size_t>(axis)] * strides[static_cast<std::size_t>(axis)];
    }
    const std::int64_t run = call.tile.extent(along) * strides[static_cast<std::size_t>(along)];
    std::array<std::int64_t, max_rank> index{};
    for (bool is_done = false; !is_done;) {
        fill_run(evaluator, call, first, run, mode, store);
        is_done = true;
        for (int axis = along; axis-- > 0;) {
            const auto a = static_cast<std::size_t>(axis);
            first += strides[a];
            if (++index[a] < call.tile.extent(axis)) {
                is_done = false;
                break;
            }
            first -= strides[a] * call.tile.extent(axis);
            index[a] = 0;
        }
    }
    if (mode == StoreMode::streaming) {
        hwy::FlushStream();
    }
}

}  // namespace

void fill_map_scalar(const TileCall& call) noexcept {
    fill(call, expression::scalar_functions(), store_by_copy);
}

void fill_map_simd(const TileCall& call) noexcept {
    fill(call, expression::simd_functions(), store_map_block);
}

}  // namespace slab::kernels
