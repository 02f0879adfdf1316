#include "daemon/scheduling/band_layout.hpp"

#include "common/volume/layout.hpp"

#include <algorithm>

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

// What all bands of one size need, before it is decided which arrays stream.
class Layout {
  public:
    Layout(const JobPlan& plan, bool output_stays)
        : plan_(plan), phase_(plan.phases.front()), axis_(kernels::band_axis_of(plan.kernel_output_shape)),
          rows_(plan.kernel_output_shape[axis_]), output_row_bytes_(plan.bytes_out / rows_),
          output_stays_(output_stays) {
        for (std::size_t input = 0; input < plan.inputs.size(); ++input) {
            const Shape& shape = plan.kernel_input_shapes[input];
            const int input_axis = kernels::band_axis_of(shape);
            const kernels::AxisRange first = reads(input, {0, std::min(rows_, phase_.kernel.band_step)});
            // One that the first band needs whole, all need whole: ranges do not shrink.
            streams_.push_back(first.end - first.begin < shape[input_axis]);
            if (!streams_.back()) {
                resident_ += extents_for(room_for(byte_count(plan.inputs[input])));
            }
        }
        if (output_stays_) {
            resident_ += extents_for(plan.bytes_out);
        }
    }

    std::int64_t rows() const { return rows_; }
    std::int64_t resident() const { return resident_; }
    bool anything_streams() const {
        return !output_stays_ || std::ranges::find(streams_, true) != streams_.end();
    }

    // The slot for bands of so many rows.
    RingPlan ring(std::int64_t band_rows) const {
        RingPlan ring;
        std::int64_t at = 0;
        for (std::size_t input = 0; input < streams_.size(); ++input) {
            ring.input_at.push_back(streams_[input] ? at : -1);
            if (streams_[input]) {
                at += room_for(most_input_bytes(input, band_rows));
            }
        }
        if (!output_stays_) {
            ring.output_at = at;
            at += room_for(band_rows * output_row_bytes_);
        }
        ring.slot_bytes = at;
        return ring;
    }

    std::int64_t holds(const RingPlan& ring) const {
        return resident_ + extents_for(ring.slots * ring.slot_bytes);
    }

  private:
    kernels::AxisRange reads(std::size_t input, kernels::AxisRange rows) const {
        const Shape& shape = plan_.kernel_input_shapes[input];
        return plan_.kernel->band_reads(
            {&phase_.kernel, plan_.kernel_input_shapes, input, kernels::band_axis_of(shape), axis_, rows});
    }

    std::int64_t most_input_bytes(std::size_t input, std::int64_t band_rows) const {
        const Shape& shape = plan_.kernel_input_shapes[input];
        std::int64_t most = 0;
        for (std::int64_t begin = 0; begin < rows_; begin += band_rows) {
            const kernels::AxisRange range = reads(input, {begin, std::min(rows_, begin + band_rows)});
            most = std::max(most, range.end - range.begin);
        }
        return most * (byte_count(plan_.inputs[input]) / shape[kernels::band_axis_of(shape)]);
    }

    const JobPlan& plan_;
    const PhasePlan& phase_;
    int axis_;
    std::int64_t rows_;
    std::int64_t output_row_bytes_;
    bool output_stays_;
    std::vector<bool> streams_;
    std::int64_t resident_ = 0;
};

void count_tiles(JobPlan& plan) {
    plan.tile_count = 0;
    for (std::size_t phase = 0; phase < plan.phases.size(); ++phase) {
        // All bands but the last have the same tiles.
        const std::int64_t bands = plan.phases[phase].band_count;
        plan.tile_count += (bands - 1) * plan.band(phase, 0).tiles.tile_count() +
                           plan.band(phase, bands - 1).tiles.tile_count();
    }
}

}  // namespace

void lay_out_whole(JobPlan& plan) {
    PhasePlan& phase = plan.phases.front();
    phase.band_axis = kernels::band_axis_of(plan.kernel_output_shape);
    phase.band_rows = plan.kernel_output_shape[phase.band_axis];
    phase.band_count = 1;
    plan.ring = {1, 0, std::vector<std::int64_t>(plan.inputs.size(), -1), -1};
    plan.holds_bytes = extents_for(plan.bytes_out);
    for (const ArrayDescription& input : plan.inputs) {
        plan.holds_bytes += extents_for(room_for(byte_count(input)));
    }
    plan.least_bytes = plan.holds_bytes;
    count_tiles(plan);
}

bool lay_out_ring(JobPlan& plan, const Room& room) {
    PhasePlan& phase = plan.phases.front();
    if (plan.kernel->band_reads == nullptr) {
        return false;
    }
    const Layout layout(plan, room.output_stays);
    if (!layout.anything_streams()) {
        return false;
    }
    const std::int64_t step = phase.kernel.band_step;
    const std::int64_t rows = layout.rows();
    const std::int64_t most_steps = (rows + step - 1) / step;
    const std::int64_t least_steps = (most_steps + most_bands - 1) / most_bands;
    const auto ring_of = [&](std::int64_t steps, int slots) {
        RingPlan ring = layout.ring(std::min(rows, steps * step));
        ring.slots = slots;
        return ring;
    };
    plan.least_bytes = std::min(plan.least_bytes, layout.holds(ring_of(least_steps, 1)));
    // As many slots as fit: loading, computing and flushing each want one, and a fourth evens out their rates. Then
    // the largest band that fits in them.
    for (int slots = most_slots; slots >= 1; --slots) {
        const auto fits = [&](std::int64_t steps) {
            const RingPlan ring = ring_of(steps, slots);
            return layout.holds(ring) <= room.most_bytes &&
                   (ring.slot_bytes <= preferred_slot_bytes || steps == least_steps);
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
        phase.band_axis = kernels::band_axis_of(plan.kernel_output_shape);
        phase.band_rows = std::min(rows, fitting * step);
        phase.band_count = (rows + phase.band_rows - 1) / phase.band_rows;
        plan.ring = ring_of(fitting, static_cast<int>(std::min<std::int64_t>(slots, phase.band_count)));
        plan.holds_bytes = layout.holds(plan.ring);
        count_tiles(plan);
        return true;
    }
    return false;
}

}  // namespace slab::daemon
