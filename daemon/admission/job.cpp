#include "daemon/admission/job.hpp"

namespace slab::daemon {

std::vector<ByteRange> Holdings::runs() const {
    std::vector<ByteRange> all;
    if (segment) {
        return all;
    }
    for (const std::optional<ByteRange>& input : inputs) {
        if (input) {
            all.push_back(*input);
        }
    }
    for (const std::optional<ByteRange>& run : {output, ring, work}) {
        if (run) {
            all.push_back(*run);
        }
    }
    return all;
}

Placement Job::placement(std::int64_t number, const BandPlan& part) const {
    // Memory and file agree in the place within a page: O_DIRECT wants it so.
    constexpr std::int64_t page = 4096;
    const std::int64_t slot =
        holds.ring ? holds.ring->begin + pipeline.slot_of(number) * plan.ring.slot_bytes : 0;
    // What the last band has read is given back before it is flushed, and lies nowhere then.
    const auto begin_of = [](const std::optional<ByteRange>& run) { return run ? run->begin : 0; };
    Placement places;
    for (std::size_t input = 0; input < part.inputs.size(); ++input) {
        const std::int64_t in_page = (request.inputs[input].offset + part.inputs[input].begin) % page;
        places.inputs.push_back(plan.ring.input_at[input] < 0 ? begin_of(holds.inputs[input]) + in_page
                                                              : slot + plan.ring.input_at[input] + in_page);
    }
    const std::int64_t file_offset = request.output ? request.output->offset : 0;
    // Between inputs and output a band's part begins where its room does.
    for (const std::int64_t at : plan.work.array_at) {
        places.targets.push_back(begin_of(holds.work) + at);
    }
    places.targets.push_back(plan.ring.output_at < 0
                                 ? holds.output->begin + part.output().begin
                                 : slot + plan.ring.output_at + (file_offset + part.output().begin) % page);
    return places;
}

}  // namespace slab::daemon
