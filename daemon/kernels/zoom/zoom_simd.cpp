#include "daemon/kernels/simd_targets.hpp"
#include "daemon/kernels/zoom/zoom.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/zoom/zoom_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/zoom/zoom_row_inl.hpp"

#include "daemon/kernels/streaming/store_run_inl.hpp"
#include "daemon/kernels/zoom/fill_value.hpp"
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

// The scratch: the table of a block of x, an image of output rows that are about to be stored, a row of cval.
struct Scratch {
    RowTable table;
    alignas(64) std::byte image[32 * 1024 + row_overhang];
    alignas(64) std::byte cval[most_block_bytes];
};
constexpr std::int64_t image_bytes = 32 * 1024;
static_assert(sizeof(Scratch) <= scratch_bytes);
static_assert(image_bytes >= most_block_bytes);

// Rows that don't begin and end with lines of memory cost two partial stores each. Those that lie side by side in the
// output are put together first.
constexpr std::int64_t vector_bytes = 64;

// How far ahead input is fetched. Measured: 0 to 5 % less time with 4096 than with the next row alone.
constexpr std::int64_t ahead_bytes = 4096;

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

    // Bytes to the input plane, or `shows_cval`.
    std::int64_t source_offset() const {
        std::int64_t offset = 0;
        for (std::size_t a = 0; a < count(); ++a) {
            if (repeats_[a].source == shows_cval) {
                return shows_cval;
            }
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

// The blocks of x that one table serves, in all rows of one group of planes. Each input row is expanded once and stored
// wherever it is shown.
struct BlockCall {
    Scratch& scratch;
    const TileAxis& rows;
    const PlaneGroup& planes;
    const std::byte* maybe_input;  // the first row of the input plane; null: the plane shows cval
    std::byte* output;             // column x of the first block, in row 0 of the first plane of the output
    StoreMode mode;

    // Where the block's input begins in the row that comes about `ahead_bytes` of input after output row `y`.
    const std::byte* maybe_row_ahead(std::int64_t y) const {
        const std::int64_t wanted = y + ahead_bytes / scratch.table.input_span;
        return wanted < rows.end ? maybe_row(source_index(rows.zoom, wanted)) : nullptr;
    }

    const std::byte* maybe_row(std::int64_t source) const {
        return maybe_input == nullptr || source == shows_cval ? nullptr
                                                              : maybe_input + source * rows.input_pitch;
    }
};

// Where the row's block lies, ready to be stored: in the image (`to`), or where it is already.
HWY_INLINE const std::byte* block_of_row(const Scratch& scratch, const std::byte* maybe_row,
                                         std::int64_t repeat, const std::byte* maybe_ahead, std::byte* to) {
    const RowTable& table = scratch.table;
    if (maybe_row == nullptr) {
        return scratch.cval;
    }
    const std::byte* const row = maybe_row + repeat * table.input_advance;
    if (table.method == RowMethod::copy) {
        return row + table.element_at[0];
    }
    expand_block(table, row, maybe_ahead == nullptr ? row : maybe_ahead, to);
    if (repeat == 0) {
        show_outside(table, row, scratch.cval, to);
    }
    return to;
}

void store_each_row(const BlockCall& call) {
    const RowTable& table = call.scratch.table;
    for (std::int64_t y = call.rows.begin; y < call.rows.end;) {
        const Repeat shown = repeat_from(call.rows, y);
        const std::byte* const maybe_row = call.maybe_row(shown.source);
        const std::byte* const maybe_next = call.maybe_row_ahead(shown.end);
        for (std::int64_t repeat = 0; repeat < table.repeats; ++repeat) {
            const std::byte* const maybe_ahead = repeat + 1 < table.repeats && maybe_row != nullptr
                                                     ? maybe_row + (repeat + 1) * table.input_advance
                                                     : maybe_next;
            const std::byte* const from =
                block_of_row(call.scratch, maybe_row, repeat, maybe_ahead, call.scratch.image);
            call.planes.for_each([&](std::int64_t plane) HWY_ATTR {
                std::byte* const to = call.output + plane + repeat * table.row_bytes;
                for (std::int64_t row = shown.begin; row < shown.end; ++row) {
                    store_run(from, to + row * call.rows.output_pitch,
                              static_cast<std::size_t>(table.row_bytes), call.mode);
                }
            });
        }
        y = shown.end;
    }
}

void store_rows_together(const BlockCall& call) {
    const std::int64_t bytes = call.scratch.table.row_bytes;
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, image_bytes / bytes);
    for (std::int64_t y = call.rows.begin; y < call.rows.end;) {
        const std::int64_t end = std::min(y + rows_at_once, call.rows.end);
        std::byte* to = call.scratch.image;
        for (std::int64_t row = y; row < end;) {
            const Repeat shown = repeat_from(call.rows, row);
            const std::byte* const maybe_next = call.maybe_row_ahead(shown.end);
            const std::byte* const from =
                block_of_row(call.scratch, call.maybe_row(shown.source), 0, maybe_next, to);
            for (; row < std::min(shown.end, end); ++row, to += bytes) {
                if (from != to) {
                    std::memcpy(to, from, static_cast<std::size_t>(bytes));
                }
            }
        }
        call.planes.for_each([&](std::int64_t plane) HWY_ATTR {
            store_run(call.scratch.image, call.output + plane + y * bytes,
                      static_cast<std::size_t>((end - y) * bytes), call.mode);
        });
        y = end;
    }
}

void fill_row_of_cval(double cval, DType dtype, Scratch& scratch) {
    const ElementBytes element = fill_value(cval, dtype);
    std::size_t filled = size_of(dtype);
    std::memcpy(scratch.cval, element.data(), filled);
    for (; filled < sizeof(scratch.cval); filled *= 2) {
        std::memcpy(scratch.cval + filled, scratch.cval, std::min(filled, sizeof(scratch.cval) - filled));
    }
}

// What lies outside comes before or after all that lies inside.
bool reaches_outside(const TileAxis& axis) {
    return source_index(axis.zoom, axis.begin) == shows_cval ||
           source_index(axis.zoom, axis.end - 1) == shows_cval;
}

bool reaches_outside(const TileAxes& axes) {
    bool reaches = reaches_outside(axes.x) || reaches_outside(axes.rows);
    for (std::size_t a = 0; a < static_cast<std::size_t>(axes.plane_axes); ++a) {
        reaches = reaches || reaches_outside(axes.planes[a]);
    }
    return reaches;
}

void fill_zoom(const TileCall& call) {
    const ConstArrayView& input = call.inputs[0];
    const std::size_t dtype_bytes = size_of(input.dtype);
    const StoreMode mode =
        store_mode_for(element_count(call.target.shape) * static_cast<std::int64_t>(dtype_bytes));
    const auto program = call.program->as<ZoomProgram>();
    const TileAxes axes = tile_axes(program, input.shape, call.target.shape, call.tile, dtype_bytes);
    auto& scratch = *new (call.scratch.data()) Scratch;
    const RowTable& table = scratch.table;
    if (reaches_outside(axes)) {
        fill_row_of_cval(program.cval, input.dtype, scratch);
    }

    for (std::int64_t x = axes.x.begin; x < axes.x.end;) {
        x = make_row_table(axes.x, axes.element_bytes, x, scratch.table);
        const bool rows_are_adjacent = table.repeats == 1 && table.row_bytes == axes.rows.output_pitch;
        std::byte* const output = call.target.data + table.begin * axes.element_bytes;
        const auto address = reinterpret_cast<std::intptr_t>(output);
        const bool rows_are_aligned = (address | axes.rows.output_pitch) % vector_bytes == 0;
        PlaneGroup planes(axes);
        do {
            const std::int64_t plane = planes.source_offset();
            const BlockCall block{.scratch = scratch,
                                  .rows = axes.rows,
                                  .planes = planes,
                                  .maybe_input = plane == shows_cval ? nullptr : input.data + plane,
                                  .output = output,
                                  .mode = mode};
            if (rows_are_adjacent && !rows_are_aligned) {
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
