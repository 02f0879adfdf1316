#include "daemon/kernels/simd_targets.hpp"
#include "daemon/kernels/zoom/zoom.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/zoom/zoom_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/zoom/zoom_row_inl.hpp"

#include "daemon/kernels/streaming/store_run_inl.hpp"
#include "daemon/kernels/zoom/zoom_axes.hpp"

#include <hwy/cache_control.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void fill_zoom(const TileCall& call) {
    fill_zoom_scalar(call);
}

#else

// The scratch: the table of a block of x, then an image of output rows that are about to be stored.
constexpr std::size_t image_bytes = 24 * 1024;
static_assert(sizeof(RowTable) + image_bytes + row_overhang <= scratch_bytes);

// Output rows at least this long, or of whole vectors, are stored one by one from the one expanded row;
// shorter ones are first put together, since each row that starts or ends within a vector costs two partial
// stores.
constexpr std::int64_t short_row_bytes = 2048;
constexpr std::int64_t vector_bytes = 64;

// A run of output indices that show the same input index.
struct Repeat {
    std::int64_t begin;
    std::int64_t end;
    std::int64_t source;
};

Repeat repeat_from(const TileAxis& axis, std::int64_t begin) {
    Repeat repeat{begin, begin + 1, source_index(axis.zoom, begin)};
    while (repeat.end < axis.end && source_index(axis.zoom, repeat.end) == repeat.source) {
        ++repeat.end;
    }
    return repeat;
}

// All output planes that show one input plane: a box of indices along the slower axes.
class PlaneGroup {
  public:
    explicit PlaneGroup(const TileAxes& axes) : axes_(axes) {
        for (std::size_t a = 0; a < count(); ++a) {
            repeats_[a] = repeat_from(axes_.planes[a], axes_.planes[a].begin);
        }
    }

    // To the next input plane. False after the last.
    bool advance() {
        for (std::size_t a = count(); a-- > 0;) {
            const TileAxis& axis = axes_.planes[a];
            const bool has_more = repeats_[a].end < axis.end;
            repeats_[a] = repeat_from(axis, has_more ? repeats_[a].end : axis.begin);
            if (has_more) {
                return true;
            }
        }
        return false;
    }

    std::int64_t source_offset() const {
        std::int64_t offset = 0;
        for (std::size_t a = 0; a < count(); ++a) {
            offset += repeats_[a].source * axes_.planes[a].input_pitch;
        }
        return offset;
    }

    // Calls store(byte offset of the plane in the output) for each.
    template <class Store>
    HWY_INLINE void for_each(const Store& store) const {
        std::array<std::int64_t, max_rank> index{};
        for (std::size_t a = 0; a < count(); ++a) {
            index[a] = repeats_[a].begin;
        }
        for (;;) {
            std::int64_t offset = 0;
            for (std::size_t a = 0; a < count(); ++a) {
                offset += index[a] * axes_.planes[a].output_pitch;
            }
            store(offset);
            std::size_t a = count();
            while (a > 0 && ++index[a - 1] == repeats_[a - 1].end) {
                --a;
                index[a] = repeats_[a].begin;
            }
            if (a == 0) {
                return;
            }
        }
    }

  private:
    std::size_t count() const { return static_cast<std::size_t>(axes_.plane_axes); }

    const TileAxes& axes_;
    std::array<Repeat, max_rank> repeats_{};
};

// A block of x of all rows of one group of planes. Each input row is expanded once and stored wherever it is
// shown.
struct BlockCall {
    const RowTable& table;
    const TileAxis& rows;
    const PlaneGroup& planes;
    const std::byte* input;  // the first row of the input plane
    std::byte* output;       // column x of the block, in row 0 of the first plane of the output
    std::byte* image;
    StoreMode mode;
};

void store_each_row(const BlockCall& block) {
    const auto bytes = static_cast<std::size_t>(block.table.row_bytes);
    for (std::int64_t y = block.rows.begin; y < block.rows.end;) {
        const Repeat repeat = repeat_from(block.rows, y);
        expand_row(block.table, block.input + repeat.source * block.rows.input_pitch, block.image);
        block.planes.for_each([&](std::int64_t plane) HWY_ATTR {
            for (std::int64_t row = repeat.begin; row < repeat.end; ++row) {
                store_run(block.image, block.output + plane + row * block.rows.output_pitch, bytes,
                          block.mode);
            }
        });
        y = repeat.end;
    }
}

void store_rows_together(const BlockCall& block) {
    const std::int64_t bytes = block.table.row_bytes;
    const std::int64_t rows_at_once =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(image_bytes) / bytes);
    for (std::int64_t y = block.rows.begin; y < block.rows.end; y += rows_at_once) {
        const std::int64_t rows = std::min(rows_at_once, block.rows.end - y);
        std::int64_t shown = -1;
        for (std::int64_t row = 0; row < rows; ++row) {
            std::byte* const to = block.image + row * bytes;
            const std::int64_t source = source_index(block.rows.zoom, y + row);
            if (source == shown) {
                std::memcpy(to, to - bytes, static_cast<std::size_t>(bytes));
            } else {
                expand_row(block.table, block.input + source * block.rows.input_pitch, to);
                shown = source;
            }
        }
        block.planes.for_each([&](std::int64_t plane) HWY_ATTR {
            store_run(block.image, block.output + plane + y * bytes, static_cast<std::size_t>(rows * bytes),
                      block.mode);
        });
    }
}

void fill_zoom(const TileCall& call) {
    const ConstArrayView& input = call.inputs[0];
    const std::size_t dtype_bytes = size_of(input.dtype);
    const StoreMode mode =
        store_mode_for(element_count(call.target.shape) * static_cast<std::int64_t>(dtype_bytes));
    const TileAxes axes =
        tile_axes(call.program->as<ZoomProgram>(), input.shape, call.target.shape, call.tile, dtype_bytes);
    auto* const table = new (call.scratch.data()) RowTable;
    std::byte* const image = call.scratch.data() + sizeof(RowTable);

    for (std::int64_t x = axes.x.begin; x < axes.x.end;) {
        x = make_row_table(axes.x, axes.element_bytes, x, *table);
        const bool rows_are_adjacent = table->row_bytes == axes.rows.output_pitch;
        std::byte* const output = call.target.data + table->output_offset;
        const auto address = reinterpret_cast<std::intptr_t>(output);
        const bool rows_are_aligned = (address | axes.rows.output_pitch) % vector_bytes == 0;
        PlaneGroup planes(axes);
        do {
            const BlockCall block{*table, axes.rows, planes, input.data + planes.source_offset(),
                                  output, image,     mode};
            if (rows_are_adjacent && !rows_are_aligned && table->row_bytes < short_row_bytes) {
                store_rows_together(block);
            } else {
                store_each_row(block);
            }
        } while (planes.advance());
    }
    if (mode == StoreMode::streaming) {
        hwy::FlushStream();
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(fill_zoom);

void fill_zoom_simd(const TileCall& call) noexcept {
    HWY_DYNAMIC_DISPATCH(fill_zoom)(call);
}

}  // namespace slab::kernels
#endif
