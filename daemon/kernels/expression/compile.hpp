#pragma once

#include "common/errors/error.hpp"
#include "daemon/kernels/expression/block_program.hpp"

#include <span>
#include <string_view>

namespace slab::kernels::expression {

// The expression over arrays of these types (a, b, c, ...) as a program. numpy's types; parts without an array are
// computed once, here. The result is cast to each of `casts` in turn, as astype does. Errors of kind usage, with a caret.
Expected<BlockProgram> compile(std::string_view text, std::span<const DType> inputs,
                               std::span<const DType> casts = {});

// The KernelPlan's tolerance of a program: nothing where every operation is exact, a few units in the last place of values
// as large as the inputs where some are approximated.
double approximation_of(const BlockProgram& program);

// From one register for each instruction to as few as may be: a register whose value nobody reads any more is used
// again by an instruction whose result has the same size. Sets block_elements.
void allocate_registers(BlockProgram& program);

}  // namespace slab::kernels::expression
