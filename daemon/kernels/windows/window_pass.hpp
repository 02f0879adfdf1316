#pragma once

#include "daemon/kernels/windows/separable_window.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace slab::kernels {

// How the axes of a pass are worked on: one within rows, up to two as sums of rows and of blocks of rows, the faster
// first.
struct WindowLayout {
    const WindowAxis* row = nullptr;
    std::int64_t inner = 1;  // parts of one index of that axis; without it, of an element
    std::size_t level_count = 0;
    std::array<const WindowAxis*, 2> levels{};
};

// Of `array`, the pass' source or target. The pointers are into the program.
WindowLayout window_layout(const WindowProgram& program, std::size_t pass, const ArrayDescription& array);
inline WindowLayout window_layout(const WindowProgram& program, std::size_t pass,
                                  const ConstArrayView& array) {
    return window_layout(program, pass, ArrayDescription{array.dtype, array.shape, MemoryOrder::c});
}

// Where the order of the axes does not matter, passes take several; else each has one, as they are listed.
enum class AxesOrder : std::uint8_t { free, as_listed };

// Divides the windows (each of more than one tap or with a weight that is not 1) into passes, and completes the plan:
// program, workspaces, tiles. Of the program, all but axes and passes is there.
void plan_window_passes(std::vector<WindowAxis> windows, AxesOrder order, WindowProgram program, double cval,
                        const ArrayDescription& input, KernelPlan& plan);

}  // namespace slab::kernels
