#pragma once

#include <cstdint>

namespace slab {

enum class TileState : std::uint8_t { waiting, leased, filled };

// clang-format off
inline constexpr bool tile_may_move[3][3] = {
    //             waiting leased filled
    /* waiting */ {false, true, false},   // the scheduler gave it away in a lease
    /* leased  */ {true, false, true},    // waiting again: its worker was reaped, or gave it back on cancel; filled: it said so
    /* filled  */ {false, false, false},  // final: the bytes belong to the mover
};
// clang-format on

constexpr bool may_move(TileState from, TileState to) {
    return tile_may_move[static_cast<int>(from)][static_cast<int>(to)];
}

}  // namespace slab
