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

class Layout {
  public:
    Layout(const JobPlan& plan, bool output_stays)
        : plan_(plan), rows_(plan.kernel_output_shape[plan.cut.axis]),
          output_row_bytes_(plan.bytes_out / rows_), output_stays_(output_stays) {
        const std::size_t sources = plan.inputs.size() + plan.kernel_plan.workspaces.size();
        for (std::size_t source = 0; source < sources; ++source) {
            const Shape& shape = plan.source_shape(source);
            const kernels::AxisRange first =
                plan.source_rows(source, {0, std::min(rows_, plan.kernel_plan.band_step)});
            // One that the first band needs whole, all need whole: ranges do not shrink.
            is_whole_.push_back(first.end - first.begin == shape[kernels::band_axis_of(shape)]);
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
        BandLayout layout;
        std::int64_t at = 0;
        for (std::size_t input = 0; input < plan_.inputs.size(); ++input) {
            layout.ring.input_at.push_back(is_whole_[input] ? -1 : at);
            if (!is_whole_[input]) {
                at += room_for(most_bytes(input, plan_.inputs[input], band_rows));
            }
        }
        if (!output_stays_) {
            layout.ring.output_at = at;
            at += room_for(band_rows * output_row_bytes_);
        }
        layout.ring.slot_bytes = at;
        layout.ring.slots = slots;
        layout.work = work(band_rows);
        layout.holds_bytes = resident_ + extents_for(slots * at) +
                             (layout.work.bytes > 0 ? extents_for(layout.work.bytes) : 0);
        return layout;
    }

  private:
    WorkPlan work(std::int64_t band_rows) const {
        WorkPlan work;
        work.bytes = in_pages(static_cast<std::int64_t>(plan_.kernel_plan.table.size()));
        for (std::size_t i = 0; i < plan_.kernel_plan.workspaces.size(); ++i) {
            const std::size_t source = plan_.inputs.size() + i;
            const ArrayDescription& array = plan_.kernel_plan.workspaces[i].array;
            work.workspace_at.push_back(work.bytes);
            work.is_whole.push_back(is_whole_[source]);
            work.bytes +=
                in_pages(is_whole_[source] ? byte_count(array) : most_bytes(source, array, band_rows));
        }
        return work;
    }

    std::int64_t most_bytes(std::size_t source, const ArrayDescription& array, std::int64_t band_rows) const {
        const Shape& shape = plan_.source_shape(source);
        std::int64_t most = 0;
        for (std::int64_t begin = 0; begin < rows_; begin += band_rows) {
            const kernels::AxisRange range =
                plan_.source_rows(source, {begin, std::min(rows_, begin + band_rows)});
            most = std::max(most, range.end - range.begin);
        }
        return most * (byte_count(array) / shape[kernels::band_axis_of(shape)]);
    }

    const JobPlan& plan_;
    std::int64_t rows_;
    std::int64_t output_row_bytes_;
    bool output_stays_;
    std::vector<bool> is_whole_;  // the inputs, then the workspaces
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

}  // namespace

void lay_out_whole(JobPlan& plan) {
    const int axis = kernels::band_axis_of(plan.kernel_output_shape);
    plan.cut = {axis, plan.kernel_output_shape[axis], 1};
    plan.ring = {1, 0, std::vector<std::int64_t>(plan.inputs.size(), -1), -1};
    plan.work = {};
    plan.work.bytes = in_pages(static_cast<std::int64_t>(plan.kernel_plan.table.size()));
    for (const kernels::Workspace& workspace : plan.kernel_plan.workspaces) {
        plan.work.workspace_at.push_back(plan.work.bytes);
        plan.work.is_whole.push_back(true);
        plan.work.bytes += in_pages(byte_count(workspace.array));
    }
    plan.holds_bytes = extents_for(plan.bytes_out) + (plan.work.bytes > 0 ? extents_for(plan.work.bytes) : 0);
    for (const ArrayDescription& input : plan.inputs) {
        plan.holds_bytes += extents_for(room_for(byte_count(input)));
    }
    plan.least_bytes = plan.holds_bytes;
    count_tiles(plan);
}

bool lay_out_ring(JobPlan& plan, const Room& room) {
    if (plan.kernel->band_reads == nullptr) {
        return false;
    }
    plan.cut.axis = kernels::band_axis_of(plan.kernel_output_shape);
    const Layout layout(plan, room.output_stays);
    if (!layout.anything_streams()) {
        return false;
    }
    const std::int64_t step = plan.kernel_plan.band_step;
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
        const BandCut cut{plan.cut.axis, band_rows, (rows + band_rows - 1) / band_rows};
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

}  // namespace slab::daemon
