#include "daemon/kernels/expression/block_evaluator.hpp"
#include "daemon/kernels/fold/fold.hpp"

#include <algorithm>
#include <array>
#include <complex>
#include <cstring>
#include <optional>
#include <type_traits>

namespace slab::kernels::fold {
namespace {

using expression::BlockEvaluator;

constexpr std::int64_t most_cells = 1024;
constexpr std::int64_t most_short_row = 16;

// Elements that a tail finds in the first-level cache after the instructions before it, beside those that are on their way
// there. Whole rounds of lanes.
constexpr std::int64_t tail_piece = 512;
static_assert(tail_piece % lanes_of_run == 0);

// Cells that lie side by side along one kept axis, and gather together.
struct CellRun {
    std::int64_t first = 0;  // element of the space: the first cell's, all reduced indices 0
    std::int64_t count = 1;
};

// Gathers one group of some cells.
class GroupFold {
  public:
    GroupFold(const FoldTable& table, BlockEvaluator& evaluator, const FoldFunctions& functions,
              std::byte* states)
        : geometry_(table.geometry), evaluator_(evaluator), functions_(functions), states_(states),
          value_bytes_(static_cast<std::int64_t>(size_of(table.gathered))),
          inner_(geometry_.axes[static_cast<std::size_t>(geometry_.rank - 1)]),
          tail_(functions.join_lanes != nullptr ? fused_tail(table.program) : std::nullopt),
          piece_(tail_ && tail_->instructions < table.program.instruction_count
                     ? tail_piece
                     : evaluator.block_elements()) {}

    // As many cells as can gather together.
    std::int64_t most_cells_of_run() const {
        return inner_.is_reduced != 0 && !are_runs_batched()
                   ? 1
                   : std::min(most_cells, evaluator_.block_elements());
    }

    void gather(const CellRun& cells, std::int64_t group) {
        functions_.empty(states_, cells.count);
        const std::int64_t begin = group * geometry_.group_size;
        // The grouped axis is the first reduced one: the outermost loop.
        range_ = {begin, geometry_.grouped < 0
                             ? 1
                             : std::min(geometry_.grouped_extent(), begin + geometry_.group_size)};
        if (geometry_.grouped < 0) {
            return columns(cells, cells.first, 0, 0, 1);
        }
        reduce(cells, 0, cells.first, 0);
    }

    const std::byte* states() const { return states_; }

  private:
    AxisRange range_of(std::int64_t axis) const {
        return axis == geometry_.grouped
                   ? range_
                   : AxisRange{0, geometry_.axes[static_cast<std::size_t>(axis)].extent};
    }

    // Short rows that are reduced whole gather several to a block.
    bool are_runs_batched() const {
        return geometry_.rank > 1 &&
               geometry_.axes[static_cast<std::size_t>(geometry_.rank - 2)].is_reduced == 0 &&
               (geometry_.grouped != geometry_.rank - 1 || geometry_.groups == 1) &&
               2 * inner_.extent <= evaluator_.block_elements();
    }

    // These go another way to their sums, with other roundings: of one cell, too.
    bool are_rows_short() const { return inner_.extent <= most_short_row && are_runs_batched(); }

    // All indices of the reduced axes from `axis` on, in order; the last reduced axes in blocks.
    void reduce(const CellRun& cells, std::int64_t axis, std::int64_t first, std::int64_t index) {
        while (axis < geometry_.rank && geometry_.axes[static_cast<std::size_t>(axis)].is_reduced == 0) {
            ++axis;
        }
        if (axis == geometry_.rank) {
            return columns(cells, first, index, 0, 1);
        }
        const FoldAxis& one = geometry_.axes[static_cast<std::size_t>(axis)];
        const AxisRange range = range_of(axis);
        if (axis == geometry_.rank - 1) {
            return cells.count > 1 || are_rows_short() ? batch(cells, first, index)
                                                       : run(first, index, one, range);
        }
        if (axis == geometry_.rank - 2 && inner_.is_reduced == 0) {
            return columns(cells, first + range.begin * one.stride, index + range.begin * one.user_stride,
                           one.user_stride, range.end - range.begin);
        }
        for (std::int64_t i = range.begin; i < range.end; ++i) {
            reduce(cells, axis + 1, first + i * one.stride, index + i * one.user_stride);
        }
    }

    // One cell's row, in blocks that begin at multiples of the block's size from the group's begin on.
    void run(std::int64_t first, std::int64_t index, const FoldAxis& axis, AxisRange range) {
        for (std::int64_t i = range.begin; i < range.end;) {
            const std::int64_t count = std::min(evaluator_.block_elements(), range.end - i);
            if (tail_) {
                run_tail(first + i, count);
                i += count;
                continue;
            }
            functions_.run(states_, evaluator_.evaluate(first + i, count), count,
                           index + i * axis.user_stride, axis.user_stride);
            i += count;
        }
    }

    void run_tail(std::int64_t first, std::int64_t count) {
        RunLanes lanes{};
        for (std::int64_t i = 0; i < count; i += piece_) {
            const std::int64_t part = std::min(piece_, count - i);
            evaluator_.evaluate_without(tail_->instructions, first + i, part);
            std::array<const std::byte*, expression::most_operands> operands{};
            for (std::size_t k = 0; k < operand_count(tail_->term); ++k) {
                operands[k] = evaluator_.place_of(tail_->operands[k]);
            }
            functions_.gather_tail[static_cast<std::size_t>(tail_->term)](lanes, *tail_, operands.data(),
                                                                          part);
        }
        functions_.join_lanes(states_, lanes, count);
    }

    // Whole rows of several cells, one behind the other in memory.
    void batch(const CellRun& cells, std::int64_t first, std::int64_t index) {
        const std::int64_t extent = inner_.extent;
        const std::int64_t rows = evaluator_.block_elements() / extent;
        for (std::int64_t cell = 0; cell < cells.count; cell += rows) {
            const std::int64_t count = std::min(rows, cells.count - cell);
            const std::byte* const values = evaluator_.evaluate(first + cell * extent, count * extent);
            if (are_rows_short()) {
                short_rows(states_ + cell * functions_.state_bytes, values, count, index);
                continue;
            }
            for (std::int64_t row = 0; row < count; ++row) {
                functions_.run(states_ + (cell + row) * functions_.state_bytes,
                               values + row * extent * value_bytes_, extent, index, inner_.user_stride);
            }
        }
    }

    // Pixels of a few channels, say: a value of each row at a time, as if the cells lay side by side.
    void short_rows(std::byte* states, const std::byte* values, std::int64_t count,
                    std::int64_t index) const {
        std::array<std::byte, most_cells * sizeof(std::complex<double>)> column;
        for (std::int64_t i = 0; i < inner_.extent; ++i) {
            copy_column(values + i * value_bytes_, count, column.data());
            functions_.columns(states, column.data(), count, index + i * inner_.user_stride);
        }
    }
    // `count` values, one of each row.
    void copy_column(const std::byte* values, std::int64_t count, std::byte* to) const {
        const std::int64_t row_bytes = inner_.extent * value_bytes_;
        const auto copy = [&](auto bytes) {
            for (std::int64_t row = 0; row < count; ++row) {
                std::memcpy(to + row * bytes, values + row * row_bytes, bytes);
            }
        };
        if (value_bytes_ == sizeof(double)) {
            return copy(std::integral_constant<std::int64_t, sizeof(double)>());
        }
        copy(std::integral_constant<std::int64_t, sizeof(std::complex<double>)>());
    }

    // Rows of cells, `count` of them; several to a block where they follow each other in memory.
    void columns(const CellRun& cells, std::int64_t first, std::int64_t index, std::int64_t index_step,
                 std::int64_t count) {
        const std::int64_t row_stride = inner_.extent;
        if (are_columns_narrow() && count > 1) {
            return narrow_columns(cells, first, index, index_step, count);
        }
        const bool are_adjacent = cells.count == inner_.extent;
        const std::int64_t rows =
            are_adjacent ? std::max<std::int64_t>(evaluator_.block_elements() / cells.count, 1) : 1;
        for (std::int64_t row = 0; row < count; row += rows) {
            const std::int64_t part = std::min(rows, count - row);
            // The processor follows a row, but not from row to row.
            evaluator_.expect(first + (row + rows) * row_stride,
                              std::clamp<std::int64_t>(count - row - rows, 0, rows) * cells.count);
            const std::byte* const values = evaluator_.evaluate(first + row * row_stride, part * cells.count);
            for (std::int64_t i = 0; i < part; ++i) {
                functions_.columns(states_, values + i * cells.count * value_bytes_, cells.count,
                                   index + (row + i) * index_step);
            }
        }
    }

    // A few cells, say channels of pixels: one after the other, as if each had a row of its own. Which cells of a row are
    // wanted does not show in the roundings.
    bool are_columns_narrow() const { return inner_.extent <= most_short_row; }
    void narrow_columns(const CellRun& cells, std::int64_t first, std::int64_t index, std::int64_t index_step,
                        std::int64_t count) {
        std::array<std::byte, most_cells * sizeof(std::complex<double>)> column;
        const std::int64_t rows = std::min(evaluator_.block_elements() / inner_.extent, most_cells);
        for (std::int64_t row = 0; row < count; row += rows) {
            const std::int64_t part = std::min(rows, count - row);
            const std::byte* const values =
                evaluator_.evaluate(first + row * inner_.extent, (part - 1) * inner_.extent + cells.count);
            for (std::int64_t cell = 0; cell < cells.count; ++cell) {
                copy_column(values + cell * value_bytes_, part, column.data());
                functions_.run(states_ + cell * functions_.state_bytes, column.data(), part,
                               index + row * index_step, index_step);
            }
        }
    }

    const FoldGeometry& geometry_;
    BlockEvaluator& evaluator_;
    const FoldFunctions& functions_;
    std::byte* states_;
    std::int64_t value_bytes_;
    const FoldAxis& inner_;
    std::optional<FusedTail> tail_;
    std::int64_t piece_;
    AxisRange range_{};
};

// The element of a cell's first value.
std::int64_t element_of_cell(const FoldGeometry& geometry, std::int64_t lead, std::int64_t rest) {
    std::int64_t element = geometry.leads() ? lead * geometry.axes[0].stride : 0;
    for (std::int64_t axis = geometry.rank; axis-- > (geometry.leads() ? 1 : 0);) {
        const FoldAxis& one = geometry.axes[static_cast<std::size_t>(axis)];
        if (one.is_reduced == 0) {
            element += rest % one.extent * one.stride;
            rest /= one.extent;
        }
    }
    return element;
}

// The last kept axis, along which cells gather together: its extent, and whether it is `lead`.
struct CellAxis {
    std::int64_t extent = 1;
    bool is_lead = false;
};
CellAxis cell_axis(const FoldGeometry& geometry) {
    for (std::int64_t axis = geometry.rank; axis-- > 0;) {
        if (geometry.axes[static_cast<std::size_t>(axis)].is_reduced == 0) {
            return {geometry.axes[static_cast<std::size_t>(axis)].extent, axis == 0};
        }
    }
    return {};
}

}  // namespace

void fill_partials(const TileCall& call, const expression::BlockFunctions& blocks,
                   const FoldFunctions& functions) {
    const auto& table = *reinterpret_cast<const FoldTable*>(call.table.data());
    const FoldGeometry& geometry = table.geometry;
    BlockEvaluator evaluator(table.program, blocks, table.space, call.inputs, call.scratch);
    GroupFold fold(table, evaluator, functions, evaluator.rest().data());
    const Box& tile = call.tile;
    const std::int64_t fields = call.target.shape[3];
    // States of `count` cells that lie one behind the other in the target.
    const auto write = [&](std::int64_t lead, std::int64_t group, std::int64_t rest, std::int64_t cell,
                           std::int64_t count) {
        const std::int64_t at = ((lead * geometry.groups + group) * geometry.rest + rest) * fields;
        if (tile.extent(3) == fields) {
            std::memcpy(call.target.data + 8 * at, fold.states() + cell * functions.state_bytes,
                        static_cast<std::size_t>(8 * fields * count));
            return;
        }
        for (std::int64_t i = 0; i < count; ++i) {
            std::memcpy(call.target.data + 8 * (at + i * fields + tile.begin[3]),
                        fold.states() + (cell + i) * functions.state_bytes + 8 * tile.begin[3],
                        static_cast<std::size_t>(8 * tile.extent(3)));
        }
    };
    const CellAxis cells = cell_axis(geometry);
    const std::int64_t most = fold.most_cells_of_run();
    for (std::int64_t group = tile.begin[1]; group < tile.end[1]; ++group) {
        if (cells.is_lead) {
            for (std::int64_t lead = tile.begin[0]; lead < tile.end[0];) {
                const std::int64_t count = std::min(most, tile.end[0] - lead);
                fold.gather({element_of_cell(geometry, lead, 0), count}, group);
                if (geometry.groups == 1) {  // and rest is 1: `lead` is the last kept axis
                    write(lead, group, 0, 0, count);
                } else {
                    for (std::int64_t cell = 0; cell < count; ++cell) {
                        write(lead + cell, group, 0, cell, 1);
                    }
                }
                lead += count;
            }
            continue;
        }
        for (std::int64_t lead = tile.begin[0]; lead < tile.end[0]; ++lead) {
            for (std::int64_t rest = tile.begin[2]; rest < tile.end[2];) {
                const std::int64_t count =
                    std::min({most, tile.end[2] - rest, cells.extent - rest % cells.extent});
                fold.gather({element_of_cell(geometry, lead, rest), count}, group);
                write(lead, group, rest, 0, count);
                rest += count;
            }
        }
    }
}

}  // namespace slab::kernels::fold
