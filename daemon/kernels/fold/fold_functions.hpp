#pragma once

#include "daemon/kernels/fold/fused_tail.hpp"
#include "daemon/kernels/fold/reduction.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace slab::kernels::fold {

// Element i of a run gathers in lane i % 32, whatever vectors there are: part of the result's definition.
inline constexpr std::int64_t lanes_of_run = 32;
struct RunLanes {
    alignas(64) std::array<double, lanes_of_run> sums{};
};

// A reduction of values of one type.
struct FoldFunctions {
    std::int64_t state_bytes = 0;  // a multiple of 8
    void (*empty)(std::byte* states, std::int64_t count) = nullptr;
    // `count` values into one state. Their indices, of argmin and argmax: from `index` on, `step` apart.
    void (*run)(std::byte* state, const std::byte* values, std::int64_t count, std::int64_t index,
                std::int64_t step) = nullptr;
    // One value into each of `count` states, all of the same index.
    void (*columns)(std::byte* states, const std::byte* values, std::int64_t count,
                    std::int64_t index) = nullptr;
    // The state of later values into that of earlier ones.
    void (*combine)(std::byte* state, const std::byte* later) = nullptr;
    // As run, in pieces, of doubles that are not there yet but for their operands; see FusedTail. `lanes` begin with zeros and
    // gather pieces of whole rounds of them; join_lanes ends a run of `count` values. Null: not of this reduction, or of
    // the definition.
    std::array<void (*)(RunLanes& lanes, const FusedTail& tail, const std::byte* const* operands,
                        std::int64_t count),
               tail_terms>
        gather_tail{};
    void (*join_lanes)(std::byte* state, RunLanes& lanes, std::int64_t count) = nullptr;
};

// `gathered`: float64, int64, uint64 or complex128. Histograms are apart.
FoldFunctions scalar_fold(Reduction reduction, DType gathered);
FoldFunctions simd_fold(Reduction reduction, DType gathered);

// Puts the loops of this machine's instruction set in the place of the definition's, where there are some.
void take_simd_loops(Reduction reduction, DType gathered, FoldFunctions& functions);
void take_tail_loops(FoldFunctions& functions);

}  // namespace slab::kernels::fold
