#include "daemon/kernels/windows/window_pass.hpp"

#include "daemon/kernels/cache_size.hpp"

#include <algorithm>

namespace slab::kernels {
namespace {

// What a tile's scratch has room for at once; an axis with a longer window has a pass of its own.
constexpr std::int64_t most_row_halo = 1024;  // parts, where sums of rows follow
constexpr std::int64_t most_alone_row_halo = 16384;
constexpr std::int64_t most_row_taps = 256;     // of sums of rows that are filtered
constexpr std::int64_t most_block_taps = 40;    // of sums of blocks of rows
constexpr std::int64_t most_blocked_taps = 64;  // of sums of rows that make up blocks

std::int64_t parts_of_index(const ArrayDescription& array, int axis) {
    std::int64_t parts = parts_of(array.dtype);
    for (int faster = axis + 1; faster < array.shape.rank; ++faster) {
        parts *= array.shape[faster];
    }
    return parts;
}

bool is_filtered_within_rows(const WindowAxis& window, const ArrayDescription& array) {
    const std::int64_t inner = parts_of_index(array, window.axis);
    return inner < folded_row_parts && (window.taps - 1) * inner <= most_alone_row_halo;
}

// How many of the windows, the fastest of which is `last`, go into one pass.
std::size_t windows_of_a_pass(const std::vector<WindowAxis>& windows, std::size_t last,
                              const ArrayDescription& array) {
    std::size_t count = 1;
    if (is_filtered_within_rows(windows[last], array)) {
        const std::int64_t inner = parts_of_index(array, windows[last].axis);
        if (last == 0 || (windows[last].taps - 1) * inner > most_row_halo ||
            windows[last - 1].taps > most_row_taps) {
            return 1;
        }
        count = 2;
    }
    const std::size_t slower = last + 1 - count;  // the window whose sums are of rows
    if (slower > 0 && windows[slower].taps <= most_blocked_taps &&
        windows[slower - 1].taps <= most_block_taps) {
        ++count;
    }
    return count;
}

struct PassRange {
    std::size_t first;
    std::size_t end;
};

std::vector<PassRange> passes_of(const std::vector<WindowAxis>& windows, AxesOrder order,
                                 const ArrayDescription& array) {
    std::vector<PassRange> passes;
    for (std::size_t end = windows.size(); end > 0;) {
        const std::size_t count =
            order == AxesOrder::as_listed ? 1 : windows_of_a_pass(windows, end - 1, array);
        passes.push_back({end - count, end});
        end -= count;
    }
    std::ranges::reverse(passes);
    return passes;
}

// Long along the slowest filtered axis, whose halo is then read seldom; a mebibyte where the scheduler has no other
// wish, and more where it has.
TilePreference tiles_of_pass(const WindowLayout& layout, const ArrayDescription& array) {
    TilePreference tiles;
    const auto set = [&](int axis, std::int64_t extent) {
        tiles.brick[static_cast<std::size_t>(axis)] =
            std::min(array.shape[axis], std::max<std::int64_t>(1, extent));
    };
    std::int64_t row = (layout.level_count == 2   ? 256
                        : layout.level_count == 1 ? 1024
                                                  : 65536) /
                       parts_of(array.dtype);
    for (int axis = array.shape.rank - 1; axis >= 0 && row > 0; --axis) {
        const bool is_level = std::ranges::any_of(
            layout.levels, [&](const WindowAxis* level) { return level != nullptr && level->axis == axis; });
        if (is_level) {
            break;
        }
        set(axis, row);
        row /= array.shape[axis];
        if (layout.row != nullptr && layout.row->axis == axis) {
            break;
        }
        row = layout.row != nullptr ? std::max<std::int64_t>(row, 1) : row;
    }
    if (layout.level_count == 2) {
        constexpr std::int64_t together = 8;  // rows whose sums are made at once
        // No more rows than a block of floats has in the scratch: neighbours are filled side by side, and what both of them
        // read comes from memory once.
        const std::int64_t fitting = cached_scratch_bytes() / ((layout.levels[1]->taps + together) * 256 * 4);
        set(layout.levels[0]->axis,
            std::max<std::int64_t>(fitting < 32 ? 16 : 32, layout.levels[0]->taps / together * together));
        // Deep: sums along rows are made once more for each layer of the halo.
        set(layout.levels[1]->axis, std::max<std::int64_t>(256, 6 * layout.levels[1]->taps));
        const auto slowest = static_cast<std::size_t>(layout.levels[1]->axis);
        tiles.least[slowest] = tiles.brick[slowest];
    } else if (layout.level_count == 1) {
        set(layout.levels[0]->axis, std::max<std::int64_t>(256, 4 * layout.levels[0]->taps));
    }
    return tiles;
}

}  // namespace

WindowLayout window_layout(const WindowProgram& program, std::size_t pass, const ArrayDescription& array) {
    WindowLayout layout;
    layout.inner = parts_of(array.dtype);
    const auto axes = axes_of(program, program.passes[pass]);
    const auto fastest = std::ranges::max_element(axes, {}, &WindowAxis::axis);
    for (const WindowAxis& window : axes) {
        if (&window == &*fastest && is_filtered_within_rows(window, array)) {
            layout.row = &window;
            layout.inner = parts_of_index(array, window.axis);
        } else {
            layout.levels[layout.level_count++] = &window;
        }
    }
    return layout;
}

void plan_window_passes(std::vector<WindowAxis> windows, AxesOrder order, WindowProgram program, double cval,
                        const ArrayDescription& input, KernelPlan& plan) {
    if (order == AxesOrder::free) {
        // The slowest first: when bands stream, only the input is then read with their halo.
        std::ranges::sort(windows, {}, &WindowAxis::axis);
    }
    const ArrayDescription between{workspace_dtype(input.dtype, program.type), input.shape, MemoryOrder::c};
    double beyond = cval;
    int next = 0;
    for (const PassRange& range : passes_of(windows, order, input)) {
        WindowPass& pass = program.passes[static_cast<std::size_t>(program.pass_count++)];
        pass = {next, static_cast<int>(range.end - range.first), beyond};
        // The fastest first, but rows before what is along them: see WindowTile.
        std::vector<WindowAxis> axes(windows.rend() - static_cast<std::ptrdiff_t>(range.end),
                                     windows.rend() - static_cast<std::ptrdiff_t>(range.first));
        if (axes.size() > 1 && is_filtered_within_rows(axes[0], input)) {
            std::swap(axes[0], axes[1]);
        }
        for (const WindowAxis& window : axes) {
            program.axes[static_cast<std::size_t>(next++)] = window;
            const bool is_sum =
                program.kind == WindowKind::mean && program.whole_numbers == WholeNumbers::rounded;
            beyond *= is_sum ? static_cast<double>(window.taps) : 1.0;
        }
    }
    program.pass_count = std::max(program.pass_count, 1);  // nothing to filter: a pass of no axes
    for (int pass = 0; pass < program.pass_count; ++pass) {
        const TilePreference tiles =
            tiles_of_pass(window_layout(program, static_cast<std::size_t>(pass), input), input);
        if (pass + 1 < program.pass_count) {
            plan.workspaces.push_back({between, tiles});
        } else {
            plan.tiles = tiles;
        }
    }
    plan.program = Program(program);
}

// Whatever lies beyond an end is, but for wrapping, an image of what lies at most as far inside: the same halo at both
// ends, or a band could need less than the one before it.
AxisRange window_band_reads(const BandQuery& query) {
    const auto program = query.plan->program.as<WindowProgram>();
    const std::int64_t n = query.inputs[0][query.output_axis];
    AxisRange reads = query.rows;
    for (auto pass = static_cast<std::size_t>(program.pass_count); pass > query.source; --pass) {
        for (const WindowAxis& window : axes_of(program, program.passes[pass - 1])) {
            if (window.axis != query.output_axis) {
                continue;
            }
            if (program.boundary == Boundary::grid_wrap) {
                return {0, n};
            }
            const std::int64_t halo = std::max(window.before, window.taps - 1 - window.before);
            reads = {std::max<std::int64_t>(0, reads.begin - halo), std::min(n, reads.end + halo)};
        }
    }
    return reads;
}

}  // namespace slab::kernels
