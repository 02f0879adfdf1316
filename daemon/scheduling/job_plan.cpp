#include "daemon/scheduling/job_plan.hpp"

#include <algorithm>
#include <span>

namespace slab::daemon {
namespace {

// FNV-1a.
class Fingerprint {
  public:
    void add(const void* data, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; ++i) {
            value_ = (value_ ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3ULL;
        }
    }
    void add(std::int64_t number) { add(&number, sizeof(number)); }
    void add(std::span<const std::int64_t> numbers) { add(numbers.data(), numbers.size_bytes()); }
    std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

// From the first row of either to the last; an empty range has none.
kernels::AxisRange joined(const kernels::AxisRange& one, const kernels::AxisRange& other) {
    if (one.begin == one.end) {
        return other;
    }
    if (other.begin == other.end) {
        return one;
    }
    return {std::min(one.begin, other.begin), std::max(one.end, other.end)};
}

// The groups that hold these rows, on their grid of the whole array; one at least, because a step computes something
// even where nothing of it is read.
kernels::AxisRange whole_groups(const kernels::AxisRange& rows, std::int64_t group, std::int64_t extent) {
    const std::int64_t begin = std::min(rows.begin, extent - 1);
    const std::int64_t end = std::max(rows.end, begin + 1);
    return {begin - begin % group, std::min(extent, (end + group - 1) / group * group)};
}

}  // namespace

std::int64_t BandPlan::tile_count() const {
    std::int64_t count = 0;
    for (const TileGrid& tiles : phases) {
        count += tiles.tile_count();
    }
    return count;
}

const StepPlan& JobPlan::step_of(std::size_t phase) const {
    return *std::ranges::find_if(steps, [phase](const StepPlan& step) { return step.has_phase(phase); });
}

const Shape& JobPlan::source_shape(std::size_t source) const {
    return source < inputs.size() ? kernel_input_shapes[source] : target(source - inputs.size()).shape;
}

std::vector<ToldArray> JobPlan::told() const {
    std::vector<ToldArray> all;
    if (is_answer()) {
        return all;
    }
    for (const StepPlan& step : steps) {
        for (const kernels::ToldTable& table : step.plan.told) {
            std::erase_if(all, [&](const ToldArray& earlier) { return earlier.name == table.name; });
            all.push_back({table.name, step.first_phase + table.workspace, table.extents});
        }
    }
    return all;
}

std::vector<kernels::AxisRange> JobPlan::needed_rows(kernels::AxisRange rows) const {
    const std::size_t banded = inputs.size() + cut.phase;
    std::vector<kernels::AxisRange> needed(inputs.size() + phase_count());
    needed[banded] = rows;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        if (step->first_phase > cut.phase) {
            // What it reads of before the cut has to be there until the last band.
            for (const std::size_t source : step->inputs) {
                const Shape& shape = source_shape(source);
                if (source < banded) {
                    needed[source] = {0, shape[kernels::band_axis_of(shape)]};
                }
            }
            continue;
        }
        const std::size_t filled = step->has_phase(cut.phase) ? banded : inputs.size() + step->output_phase();
        const int output_axis = kernels::band_axis_of(source_shape(filled));
        kernels::AxisRange& wanted = needed[filled];
        if (filled != banded) {
            wanted = whole_groups(wanted, step->plan.band_step, source_shape(filled)[output_axis]);
        }
        const std::size_t own_sources = step->inputs.size() + (filled - inputs.size() - step->first_phase);
        for (std::size_t own = 0; own < own_sources; ++own) {
            const std::size_t source = own < step->inputs.size()
                                           ? step->inputs[own]
                                           : inputs.size() + step->first_phase + (own - step->inputs.size());
            const Shape& shape = own < step->inputs.size() ? step->input_shapes[own] : source_shape(source);
            const int source_axis = kernels::band_axis_of(shape);
            // Of what gathers a kernel tells the bands, not of the output that is made of it.
            const bool knows_bands =
                step->kernel->band_reads != nullptr && (filled == banded || !step->plan.gathers);
            const kernels::AxisRange reads =
                knows_bands ? step->kernel->band_reads(
                                  {&step->plan, step->input_shapes, own, source_axis, output_axis, wanted})
                            : kernels::AxisRange{0, shape[source_axis]};
            needed[source] = joined(needed[source], reads);
        }
    }
    return needed;
}

BandPlan JobPlan::band(std::int64_t number) const {
    const kernels::AxisRange rows{number * cut.rows,
                                  std::min(target(cut.phase).shape[cut.axis], (number + 1) * cut.rows)};
    const std::vector<kernels::AxisRange> needed = needed_rows(rows);
    BandPlan band;
    for (std::size_t input = 0; input < inputs.size(); ++input) {
        const std::int64_t bytes = byte_count(inputs[input]);
        if (ring.input_at[input] < 0) {
            band.inputs.push_back({0, bytes});
            continue;
        }
        // Of one dimension at least: a single number is there whole.
        const Shape& shape = kernel_input_shapes[input];
        const std::int64_t row_bytes = bytes / shape[kernels::band_axis_of(shape)];
        band.inputs.push_back({needed[input].begin * row_bytes, needed[input].end * row_bytes});
    }
    for (std::size_t phase = 0; phase < phase_count(); ++phase) {
        const ArrayDescription& array = target(phase);
        if (phase > cut.phase && number + 1 < cut.count) {
            TileGrid none;
            none.counts.fill(0);
            band.phases.push_back(none);
            band.targets.push_back({});
            continue;
        }
        Box part = whole(array.shape);
        ByteSpan span{0, byte_count(array)};
        if (phase <= cut.phase && !is_done_once(phase)) {
            const auto axis = static_cast<std::size_t>(kernels::band_axis_of(array.shape));
            const kernels::AxisRange range = needed[inputs.size() + phase];
            const std::int64_t row_bytes = span.end / array.shape.extents[axis];
            part.begin[axis] = range.begin;
            part.end[axis] = range.end;
            const bool gathers = phase == cut.phase && phase + 1 < phase_count();
            span = gathers ? span : ByteSpan{range.begin * row_bytes, range.end * row_bytes};
        }
        band.targets.push_back(span);
        band.phases.push_back(cut_into_tiles(part, static_cast<std::int64_t>(size_of(array.dtype)),
                                             step_of(phase).tiles(phase), tile_bytes));
    }
    return band;
}

std::uint64_t JobPlan::fingerprint() const {
    Fingerprint print;
    for (const StepPlan& step : steps) {
        const std::string& name = step.kernel->describe().name;
        print.add(name.data(), name.size());
        print.add(static_cast<std::int64_t>(step.first_phase));
    }
    print.add(static_cast<std::int64_t>(output.dtype));
    print.add(kernel_output_shape.values());
    for (const Shape& shape : kernel_input_shapes) {
        print.add(shape.values());
    }
    print.add(static_cast<std::int64_t>(cut.phase));
    print.add(cut.rows);
    print.add(cut.count);
    for (const TileGrid& tiles : band(0).phases) {
        print.add(tiles.domain.begin);
        print.add(tiles.domain.end);
        print.add(tiles.tile);
    }
    print.add(work.bytes);
    print.add(work.table_at);
    print.add(work.array_at);
    print.add(ring.slots);
    print.add(ring.slot_bytes);
    print.add(ring.output_at);
    print.add(ring.input_at);
    return print.value();
}

}  // namespace slab::daemon
