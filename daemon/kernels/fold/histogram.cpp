#include "daemon/kernels/expression/block_evaluator.hpp"
#include "daemon/kernels/expression/element_type.hpp"
#include "daemon/kernels/fold/fold.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace slab::kernels::fold {
namespace {

using expression::BlockEvaluator;
using expression::element_at;

// numpy's bins: equal ones, the last of which includes its right end. The edges are numpy.linspace's in the type of the
// values; a value's bin is found by arithmetic and put right by them.
template <typename T>
class Bins {
  public:
    Bins(std::int64_t count, double low, double high)
        : count_(count), low_(low), high_(high), step_((high - low) / static_cast<double>(count)),
          first_(static_cast<T>(low)), last_(static_cast<T>(high)),
          per_unit_(static_cast<T>(static_cast<double>(count) / (high - low))) {}

    // Negative: in none.
    std::int64_t bin_of(T value) const {
        if (!(value >= first_ && value <= last_)) {
            return -1;
        }
        const T place = (value - first_) * per_unit_;
        // Compared as a real number: what is too large for an integer is none, nor is a NaN (0 * infinity).
        auto bin = place < static_cast<T>(count_) ? static_cast<std::int64_t>(place) : count_ - 1;
        bin -= bin > 0 && value < edge(bin) ? 1 : 0;
        bin += bin < count_ - 1 && value >= edge(bin + 1) ? 1 : 0;
        return bin;
    }

  private:
    T edge(std::int64_t bin) const {
        return bin == count_ ? last_ : static_cast<T>(static_cast<double>(bin) * step_ + low_);
    }

    std::int64_t count_;
    double low_;
    double high_;
    double step_;
    T first_;
    T last_;
    T per_unit_;
};

struct ValueRange {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
};

template <typename T>
void widen(ValueRange& range, const std::byte* values, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        const auto value = static_cast<double>(element_at<T>(values, i));
        const bool is_finite = std::abs(value) <= std::numeric_limits<double>::max();
        range.low = is_finite && value < range.low ? value : range.low;
        range.high = is_finite && value > range.high ? value : range.high;
    }
}

// Calls visit(values, count) for the blocks of one group.
template <class Visit>
void visit_group(const FoldTable& table, BlockEvaluator& evaluator, std::int64_t group, const Visit& visit) {
    std::int64_t first = group * table.geometry.group_size;
    const std::int64_t end = std::min(table.geometry.reduced, first + table.geometry.group_size);
    while (first < end) {
        const std::int64_t count = std::min(evaluator.block_elements(), end - first);
        visit(evaluator.evaluate(first, count), count);
        first += count;
    }
}

template <typename T>
void fill_ranges(const TileCall& call, const FoldTable& table, BlockEvaluator& evaluator) {
    for (std::int64_t group = call.tile.begin[1]; group < call.tile.end[1]; ++group) {
        ValueRange range;
        visit_group(table, evaluator, group,
                    [&](const std::byte* values, std::int64_t count) { widen<T>(range, values, count); });
        for (std::int64_t field = call.tile.begin[3]; field < call.tile.end[3]; ++field) {
            expression::set_element(call.target.data, group * 2 + field, field == 0 ? range.low : range.high);
        }
    }
}

// Of all groups; as numpy, around a single value it is one wide. Without any finite value: 0 to 1.
void fill_whole_range(const TileCall& call, const FoldTable& table) {
    ValueRange range;
    for (std::int64_t group = 0; group < table.geometry.groups; ++group) {
        range.low = std::min(range.low, element_at<double>(call.workspaces[0].data, 2 * group));
        range.high = std::max(range.high, element_at<double>(call.workspaces[0].data, 2 * group + 1));
    }
    if (range.low > range.high) {
        range = {0.0, 1.0};
    } else if (range.low == range.high) {
        range = {range.low - 0.5, range.high + 0.5};
    }
    for (std::int64_t field = call.tile.begin[3]; field < call.tile.end[3]; ++field) {
        expression::set_element(call.target.data, field, field == 0 ? range.low : range.high);
    }
}

template <typename T>
void fill_counts(const TileCall& call, const FoldTable& table, BlockEvaluator& evaluator,
                 const Bins<T>& bins) {
    auto* const counts = reinterpret_cast<std::int64_t*>(evaluator.rest().data());
    for (std::int64_t group = call.tile.begin[1]; group < call.tile.end[1]; ++group) {
        std::fill_n(counts, table.bins.count, 0);
        visit_group(table, evaluator, group, [&](const std::byte* values, std::int64_t count) {
            for (std::int64_t i = 0; i < count; ++i) {
                if (const std::int64_t bin = bins.bin_of(element_at<T>(values, i)); bin >= 0) {
                    ++counts[bin];
                }
            }
        });
        std::memcpy(call.target.data + 8 * (group * table.bins.count + call.tile.begin[3]),
                    counts + call.tile.begin[3], static_cast<std::size_t>(8 * call.tile.extent(3)));
    }
}

void fill_total(const TileCall& call, const FoldTable& table, const std::byte* partials) {
    for (std::int64_t bin = call.tile.begin[0]; bin < call.tile.end[0]; ++bin) {
        std::int64_t total = 0;
        for (std::int64_t group = 0; group < table.geometry.groups; ++group) {
            total += element_at<std::int64_t>(partials, group * table.bins.count + bin);
        }
        expression::set_element(call.target.data, bin, total);
    }
}

template <typename T>
void fill_values(const TileCall& call, const FoldTable& table, const expression::BlockFunctions& blocks,
                 bool is_range) {
    BlockEvaluator evaluator(table.program, blocks, table.space, call.inputs, call.scratch);
    if (is_range) {
        return fill_ranges<T>(call, table, evaluator);
    }
    ValueRange range{table.bins.low, table.bins.high};
    if (table.bins.source == RangeSource::values) {
        range = {element_at<double>(call.workspaces[1].data, 0),
                 element_at<double>(call.workspaces[1].data, 1)};
    }
    fill_counts<T>(call, table, evaluator, Bins<T>(table.bins.count, range.low, range.high));
}

}  // namespace

// The phases: counts of groups, all counts; before them, without a given range, ranges of groups and the whole range.
void fill_histogram(const TileCall& call, const expression::BlockFunctions& blocks) {
    const auto& table = *reinterpret_cast<const FoldTable*>(call.table.data());
    const std::size_t counting = table.bins.source == RangeSource::values ? 2 : 0;
    if (call.phase == counting + 1) {
        return fill_total(call, table, call.workspaces[counting].data);
    }
    if (call.phase + 1 == counting) {
        return fill_whole_range(call, table);
    }
    const bool is_range = call.phase < counting;
    table.gathered == DType::float32 ? fill_values<float>(call, table, blocks, is_range)
                                     : fill_values<double>(call, table, blocks, is_range);
}

}  // namespace slab::kernels::fold
