#include "daemon/scheduling/band_layout.hpp"

#include "common/volume/layout.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace slab::daemon {
namespace {

constexpr std::int64_t page = 4096;

std::int64_t extents_for(std::int64_t bytes) {
    return round_up(std::max<std::int64_t>(bytes, 1), extent_bytes);
}

// A file's data may start anywhere in a page, is loaded to the same place in the volume's page, and read by whole pages.
std::int64_t room_for(std::int64_t bytes) {
    return round_up(bytes + page - 1, page);
}

constexpr std::int64_t in_pages(std::int64_t bytes) {
    return round_up(bytes, page);
}

// What all bands of one size need.
struct BandLayout {
    RingPlan ring;
    WorkPlan work;
    std::int64_t holds_bytes = 0;
};

// An array of the work run: from the first phase that writes it to the last that reads it nothing else lies there.
struct WorkArray {
    std::int64_t bytes;
    std::size_t first_phase;
    std::size_t last_phase;
    bool outlives_its_band;  // what other bands put elsewhere may not lie there either
};

// The last phase that may read what this one fills: a kernel says of its workspaces, and a step's output is read by the steps that name it.
std::size_t last_reader(const JobPlan& plan, std::size_t phase) {
    const StepPlan& own = plan.step_of(phase);
    const auto is_of_phase = [&](const kernels::ToldTable& table) {
        return own.first_phase + table.workspace == phase;
    };
    if (std::ranges::any_of(own.plan.told, is_of_phase)) {
        return plan.phase_count();  // told when all is computed
    }
    if (phase != own.output_phase()) {
        const auto& reader = own.plan.workspaces[phase - own.first_phase].last_reader;
        return reader ? own.first_phase + *reader : own.output_phase();
    }
    std::size_t last = own.output_phase();
    const std::size_t source = plan.inputs.size() + phase;
    for (const StepPlan& step : plan.steps) {
        if (std::ranges::find(step.inputs, source) != step.inputs.end()) {
            last = std::max(last, step.output_phase());
        }
    }
    return last;
}

// Tables first, then each array at the lowest place that is free as long as it is needed.
WorkPlan place_work(const JobPlan& plan, const std::vector<WorkArray>& arrays) {
    WorkPlan work;
    for (const StepPlan& step : plan.steps) {
        work.table_at.push_back(work.bytes);
        work.bytes += in_pages(static_cast<std::int64_t>(step.plan.table.size()));
    }
    const std::int64_t begin = work.bytes;
    for (const WorkArray& array : arrays) {
        const auto clashes = [&](std::size_t other) {
            return array.outlives_its_band || arrays[other].outlives_its_band ||
                   (arrays[other].last_phase >= array.first_phase &&
                    arrays[other].first_phase <= array.last_phase);
        };
        const std::int64_t bytes = in_pages(array.bytes);
        std::int64_t at = begin;
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t other = 0; other < work.array_at.size(); ++other) {
                const std::int64_t other_end = work.array_at[other] + in_pages(arrays[other].bytes);
                if (clashes(other) && at < other_end && work.array_at[other] < at + bytes) {
                    at = other_end;
                    moved = true;
                }
            }
        }
        work.array_at.push_back(at);
        work.bytes = std::max(work.bytes, at + bytes);
    }
    return work;
}

class Layout {
  public:
    Layout(const JobPlan& plan, bool output_stays)
        : plan_(plan), rows_(plan.target(plan.cut.phase).shape[plan.cut.axis]),
          output_stays_(output_stays || plan.ends_with_output()) {
        const std::int64_t first_rows = std::min(rows_, plan.step_of(plan.cut.phase).plan.band_step);
        const std::vector<kernels::AxisRange> first = plan.needed_rows({0, first_rows});
        const std::size_t banded = plan.inputs.size() + plan.cut.phase;
        for (std::size_t source = 0; source < first.size(); ++source) {
            const Shape& shape = plan.source_shape(source);
            // One that the first band needs whole, all need whole: ranges do not shrink. What gathers is no such thing,
            // nor what waits for the last band: each band fills its part of them, or none.
            is_whole_.push_back(source < banded && first[source].end - first[source].begin ==
                                                       shape[kernels::band_axis_of(shape)]);
            if (source < plan.inputs.size() && is_whole_.back()) {
                resident_ += extents_for(room_for(byte_count(plan.inputs[source])));
            }
        }
        if (output_stays_) {
            resident_ += extents_for(plan.bytes_out);
        }
    }

    std::int64_t rows() const { return rows_; }
    bool anything_streams() const {
        const auto inputs_end = is_whole_.begin() + static_cast<std::ptrdiff_t>(plan_.inputs.size());
        return !output_stays_ || std::find(is_whole_.begin(), inputs_end, false) != inputs_end;
    }

    // The slots for bands of so many rows.
    BandLayout bands(std::int64_t band_rows, int slots) const {
        const std::vector<std::int64_t> most = most_bytes(band_rows);
        BandLayout layout;
        std::int64_t at = 0;
        for (std::size_t input = 0; input < plan_.inputs.size(); ++input) {
            layout.ring.input_at.push_back(is_whole_[input] ? -1 : at);
            if (!is_whole_[input]) {
                at += room_for(most[input]);
            }
        }
        if (!output_stays_) {
            layout.ring.output_at = at;
            at += room_for(most.back());
        }
        layout.ring.slot_bytes = at;
        layout.ring.slots = slots;
        layout.work = work(most);
        layout.holds_bytes = resident_ + extents_for(slots * at) +
                             (layout.work.bytes > 0 ? extents_for(layout.work.bytes) : 0);
        return layout;
    }

  private:
    WorkPlan work(const std::vector<std::int64_t>& most) const {
        std::vector<WorkArray> arrays;
        for (std::size_t phase = 0; phase + 1 < plan_.phase_count(); ++phase) {
            const std::size_t source = plan_.inputs.size() + phase;
            const bool outlives_its_band = is_whole_[source] || phase >= plan_.cut.phase;
            arrays.push_back({most[source], phase,
                              outlives_its_band ? plan_.phase_count() : last_reader(plan_, phase),
                              outlives_its_band});
        }
        WorkPlan work = place_work(plan_, arrays);
        work.is_whole.assign(is_whole_.begin() + static_cast<std::ptrdiff_t>(plan_.inputs.size()),
                             is_whole_.end() - 1);
        return work;
    }

    // Of each source: the bytes that the neediest band has of it.
    std::vector<std::int64_t> most_bytes(std::int64_t band_rows) const {
        std::vector<std::int64_t> most(is_whole_.size());
        for (std::int64_t begin = 0; begin < rows_; begin += band_rows) {
            const std::vector<kernels::AxisRange> needed =
                plan_.needed_rows({begin, std::min(rows_, begin + band_rows)});
            for (std::size_t source = 0; source < most.size(); ++source) {
                most[source] = std::max(most[source], needed[source].end - needed[source].begin);
            }
        }
        for (std::size_t source = 0; source < most.size(); ++source) {
            const bool is_input = source < plan_.inputs.size();
            const std::int64_t bytes =
                byte_count(is_input ? plan_.inputs[source] : plan_.target(source - plan_.inputs.size()));
            const bool is_there_whole =
                is_whole_[source] ||
                (!is_input && plan_.ends_with_output() && source >= plan_.inputs.size() + plan_.cut.phase);
            const Shape& shape = plan_.source_shape(source);
            most[source] =
                is_there_whole ? bytes : most[source] * (bytes / shape[kernels::band_axis_of(shape)]);
        }
        return most;
    }

    const JobPlan& plan_;
    std::int64_t rows_;
    bool output_stays_;
    std::vector<bool> is_whole_;  // the inputs, then what the phases fill
    std::int64_t resident_ = 0;
};

// How much longer a band takes when it waits for others: estimates, made so that a job without a halo gets four slots
// and one whose halo is as large as its bands gets fewer, larger ones.
double cost_of_slots(int slots) {
    switch (slots) {
    case 1: return 2.0;
    case 2: return 1.3;
    case 3: return 1.1;
    default: return 1.0;
    }
}

void count_tiles(JobPlan& plan) {
    plan.tile_count = 0;
    for (std::int64_t number = 0; number < plan.cut.count; ++number) {
        const BandPlan band = plan.band(number);
        for (std::size_t phase = 0; phase < band.phases.size(); ++phase) {
            plan.tile_count += number > 0 && plan.is_done_once(phase) ? 0 : band.phases[phase].tile_count();
        }
    }
}

// The phases whose targets bands may be cut along, the best first: of the last step; then of those before it that
// gather, whose output is mostly small.
std::vector<std::size_t> phases_to_cut(const JobPlan& plan) {
    const StepPlan& last = plan.steps.back();
    std::vector<std::size_t> phases{last.plan.gathers ? last.first_phase + *last.plan.gathers
                                                      : last.output_phase()};
    for (const StepPlan& step : plan.steps) {
        if (step.plan.gathers && &step != &last) {
            phases.push_back(step.first_phase + *step.plan.gathers);
        }
    }
    return phases;
}

// Bands of the phase plan.cut names.
bool lay_out_ring_of_cut(JobPlan& plan, const Room& room) {
    const StepPlan& banded = plan.step_of(plan.cut.phase);
    plan.cut.axis = kernels::band_axis_of(plan.target(plan.cut.phase).shape);
    const Layout layout(plan, room.output_stays);
    // A kernel that knows no bands needs its inputs whole and gives its output at once.
    if (banded.kernel->band_reads == nullptr || !layout.anything_streams()) {
        return false;
    }
    const std::int64_t step = banded.plan.band_step;
    const std::int64_t rows = layout.rows();
    const std::int64_t most_steps = (rows + step - 1) / step;
    const std::int64_t least_steps = (most_steps + most_bands - 1) / most_bands;
    const auto bands_of = [&](std::int64_t steps, int slots) {
        return layout.bands(std::min(rows, steps * step), slots);
    };
    plan.least_bytes = std::min(plan.least_bytes, bands_of(least_steps, 1).holds_bytes);
    // Loading, computing and flushing each want a slot, and a fourth evens out their rates; but many slots mean small
    // bands, and each band brings its halo again. The cheapest of both.
    std::optional<std::pair<double, BandCut>> cheapest;
    for (int slots = most_slots; slots >= 1; --slots) {
        const auto fits = [&](std::int64_t steps) {
            const BandLayout bands = bands_of(steps, slots);
            return bands.holds_bytes <= room.most_bytes &&
                   (bands.ring.slot_bytes <= preferred_slot_bytes || steps == least_steps);
        };
        if (!fits(least_steps)) {
            continue;
        }
        std::int64_t fitting = least_steps;
        std::int64_t most = most_steps;
        while (fitting < most) {
            const std::int64_t middle = fitting + (most - fitting + 1) / 2;
            if (fits(middle)) {
                fitting = middle;
            } else {
                most = middle - 1;
            }
        }
        const std::int64_t band_rows = std::min(rows, fitting * step);
        const BandCut cut{plan.cut.phase, plan.cut.axis, band_rows, (rows + band_rows - 1) / band_rows};
        BandLayout bands = bands_of(fitting, static_cast<int>(std::min<std::int64_t>(slots, cut.count)));
        const double cost =
            cost_of_slots(bands.ring.slots) * static_cast<double>(bands.ring.slot_bytes * cut.count);
        if (!cheapest || cost < cheapest->first) {
            cheapest = {cost, cut};
            plan.ring = std::move(bands.ring);
            plan.work = std::move(bands.work);
            plan.holds_bytes = bands.holds_bytes;
        }
    }
    if (!cheapest) {
        return false;
    }
    plan.cut = cheapest->second;
    count_tiles(plan);
    return true;
}

}  // namespace

void lay_out_whole(JobPlan& plan) {
    const std::size_t banded = phases_to_cut(plan).front();
    const Shape& shape = plan.target(banded).shape;
    const int axis = kernels::band_axis_of(shape);
    plan.cut = {banded, axis, shape[axis], 1};
    plan.ring = {1, 0, std::vector<std::int64_t>(plan.inputs.size(), -1), -1};
    std::vector<WorkArray> arrays;
    for (std::size_t phase = 0; phase + 1 < plan.phase_count(); ++phase) {
        arrays.push_back({byte_count(plan.target(phase)), phase, last_reader(plan, phase), false});
    }
    plan.work = place_work(plan, arrays);
    plan.work.is_whole.assign(arrays.size(), true);
    plan.holds_bytes = extents_for(plan.bytes_out) + (plan.work.bytes > 0 ? extents_for(plan.work.bytes) : 0);
    for (const ArrayDescription& input : plan.inputs) {
        plan.holds_bytes += extents_for(room_for(byte_count(input)));
    }
    plan.least_bytes = plan.holds_bytes;
    count_tiles(plan);
}

bool lay_out_ring(JobPlan& plan, const Room& room) {
    const BandCut whole = plan.cut;
    for (const std::size_t phase : phases_to_cut(plan)) {
        plan.cut.phase = phase;
        if (lay_out_ring_of_cut(plan, room)) {
            return true;
        }
    }
    plan.cut = whole;
    return false;
}

}  // namespace slab::daemon
