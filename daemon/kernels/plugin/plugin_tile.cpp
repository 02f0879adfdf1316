#include "daemon/kernels/plugin/plugin_tile.hpp"

#include "daemon/kernels/plugin/plugin_values.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace slab::kernels {
namespace {

static_assert(SLAB_MOST_DIMENSIONS == max_rank && SLAB_MOST_INPUTS == most_inputs);
static_assert(SLAB_MOST_WORKSPACES <= most_workspaces && SLAB_SCRATCH_BYTES == scratch_bytes);

using Strides = std::array<std::int64_t, max_rank>;

// Of an array in C order.
Strides strides_of(DType dtype, const Shape& shape) {
    Strides strides{};
    auto bytes = static_cast<std::int64_t>(size_of(dtype));
    for (auto axis = static_cast<std::size_t>(shape.rank); axis-- > 0;) {
        strides[axis] = bytes;
        bytes *= shape.extents[axis];
    }
    return strides;
}

Box turned(Box box) {
    std::reverse(box.begin.begin(), box.begin.begin() + box.rank);
    std::reverse(box.end.begin(), box.end.begin() + box.rank);
    return box;
}

// A part of an array in C order: where its first element lies, and how it goes on.
struct Part {
    std::byte* data = nullptr;
    Strides strides{};
};

Part part_of(const ArrayView& array, const Box& box) {
    Part part{array.data, strides_of(array.dtype, array.shape)};
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(box.rank); ++axis) {
        part.data += box.begin[axis] * part.strides[axis];
    }
    return part;
}

bool is_aligned(const Part& part, DType dtype) {
    return reinterpret_cast<std::uintptr_t>(part.data) % swap_unit_of(dtype) == 0;
}

// Row by row along the last axis, contiguous in both.
void copy_part(const Part& from, const Part& to, const Box& box, std::size_t element) {
    const auto last = static_cast<std::size_t>(box.rank - 1);
    const auto row = static_cast<std::size_t>(box.extent(box.rank - 1)) * element;
    std::array<std::int64_t, max_rank> at{};
    for (;;) {
        std::int64_t source = 0;
        std::int64_t target = 0;
        for (std::size_t axis = 0; axis < last; ++axis) {
            source += at[axis] * from.strides[axis];
            target += at[axis] * to.strides[axis];
        }
        std::memcpy(to.data + target, from.data + source, row);
        std::size_t axis = last;
        while (axis > 0 && ++at[axis - 1] == box.extent(static_cast<int>(axis - 1))) {
            at[--axis] = 0;
        }
        if (axis == 0) {
            return;
        }
    }
}

// Copies of what is not aligned: raw files may begin anywhere. The memory stays for the worker's next tiles.
class AlignedCopies {
  public:
    explicit AlignedCopies(std::size_t most) { buffers().resize(std::max(buffers().size(), most)); }

    Part copy_for(const Box& box, DType dtype) {
        Shape shape;
        shape.rank = box.rank;
        for (int axis = 0; axis < box.rank; ++axis) {
            shape[axis] = box.extent(axis);
        }
        std::vector<std::byte>& buffer = buffers()[used_++];
        buffer.resize(static_cast<std::size_t>(element_count(box)) * size_of(dtype));
        return {buffer.data(), strides_of(dtype, shape)};
    }

  private:
    static std::vector<std::vector<std::byte>>& buffers() {
        static std::vector<std::vector<std::byte>> kept;
        return kept;
    }
    std::size_t used_ = 0;
};

// `box`: of the array in C order.
slab_view view_of(const Part& part, DType dtype, const Shape& shape, const Box& box, bool is_turned) {
    slab_view view{};
    view.data = reinterpret_cast<char*>(part.data);
    view.dtype = static_cast<std::int32_t>(dtype);
    view.dimensions = shape.rank;
    for (int axis = 0; axis < shape.rank; ++axis) {
        const auto from = static_cast<std::size_t>(is_turned ? shape.rank - 1 - axis : axis);
        view.begin[axis] = box.begin[from];
        view.end[axis] = box.end[from];
        view.strides[axis] = part.strides[from];
        view.shape[axis] = shape.extents[from];
    }
    return view;
}

slab_value value_of(const StoredValue& stored, const std::byte* table) {
    slab_value value{};
    value.is_given = stored.is_given;
    value.integer = stored.integer;
    value.real = stored.real;
    std::ranges::copy(stored.integers, value.integers);
    std::ranges::copy(stored.reals, value.reals);
    value.text = stored.text_at < 0 ? nullptr : reinterpret_cast<const char*>(table + stored.text_at);
    value.table = stored.table_at < 0 ? nullptr : reinterpret_cast<const double*>(table + stored.table_at);
    value.rows = stored.rows;
    value.columns = stored.columns;
    return value;
}

}  // namespace

void fill_plugin_tile(const PluginKernel& kernel, slab_fill fill, const TileCall& call) {
    const bool is_turned = call.program->as<PluginProgram>().is_turned != 0;
    const PluginPhase& phase = kernel.phases[call.phase];
    std::array<Shape, most_inputs> shapes;
    for (std::size_t i = 0; i < call.inputs.size(); ++i) {
        shapes[i] = is_turned ? reversed(call.inputs[i].shape) : call.inputs[i].shape;
    }
    SymbolTable symbols(kernel, {shapes.data(), call.inputs.size()}, call.table);
    symbols.set_tile(is_turned ? turned(call.tile) : call.tile);

    AlignedCopies copies(call.inputs.size() + 1);
    const auto seen = [&](const ConstArrayView& array, const ReadRule& reads) {
        if (reads.reads_nothing()) {
            return view_of({}, array.dtype, array.shape, Box{array.shape.rank, {}, {}}, is_turned);
        }
        const Shape shape = is_turned ? reversed(array.shape) : array.shape;
        Box box{shape.rank, {}, {}};
        for (int axis = 0; axis < shape.rank; ++axis) {
            // The plan has looked: it can be computed.
            const AxisRange range = *reads.range(symbols.symbols(), shape, axis);
            box.begin[static_cast<std::size_t>(axis)] = range.begin;
            box.end[static_cast<std::size_t>(axis)] = range.end;
        }
        box = is_turned ? turned(box) : box;
        // The view's data are writable by type only: C has no view of either kind.
        Part part = part_of({const_cast<std::byte*>(array.data), array.dtype, array.shape}, box);
        if (!is_aligned(part, array.dtype)) {
            const Part copy = copies.copy_for(box, array.dtype);
            copy_part(part, copy, box, size_of(array.dtype));
            part = copy;
        }
        return view_of(part, array.dtype, array.shape, box, is_turned);
    };
    std::array<slab_view, most_inputs> inputs;
    for (std::size_t i = 0; i < call.inputs.size(); ++i) {
        inputs[i] = seen(call.inputs[i], phase.reads[kernel.described(i)]);
    }
    std::array<slab_view, SLAB_MOST_WORKSPACES> workspaces;
    for (std::size_t i = 0; i < call.phase; ++i) {
        workspaces[i] = seen(call.workspaces[i], phase.reads[kernel.description.inputs.size() + i]);
    }
    std::array<slab_value, SLAB_MOST_PARAMETERS> values;
    for (std::size_t i = 0; i < kernel.description.parameters.size(); ++i) {
        values[i] = value_of(stored_value(call.table, i), call.table.data());
    }
    const Part target = part_of(call.target, call.tile);
    const bool is_direct = is_aligned(target, call.target.dtype);
    const Part written = is_direct ? target : copies.copy_for(call.tile, call.target.dtype);
    const slab_view output = view_of(written, call.target.dtype, call.target.shape, call.tile, is_turned);
    const slab_tile tile{
        .output = &output,
        .inputs = inputs.data(),
        .workspaces = workspaces.data(),
        .parameters = values.data(),
        .input_count = call.inputs.size(),
        .scratch = call.scratch.data(),
    };
    fill(&tile);
    if (!is_direct) {
        copy_part(written, target, call.tile, size_of(call.target.dtype));
    }
}

Kernel plugin_kernel(const std::shared_ptr<const PluginKernel>& kernel, PluginCode code) {
    const auto fill = [kernel, find = std::move(code.fill)](const TileCall& call) {
        fill_plugin_tile(*kernel, find(call.phase), call);
    };
    return {.describe = [kernel]() -> const KernelDescription& { return kernel->description; },
            .plan = [kernel](const PlanRequest& request) { return plan_plugin(*kernel, request); },
            .fill_scalar = fill,
            .fill = fill,
            .band_reads = [kernel](const BandQuery& query) { return plugin_band_reads(*kernel, query); },
            .load = std::move(code.load)};
}

}  // namespace slab::kernels
