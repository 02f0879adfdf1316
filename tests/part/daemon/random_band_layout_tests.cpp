#include "tests/part/daemon/job_plan_requests.hpp"

#include "common/volume/layout.hpp"
#include "daemon/scheduling/band_layout.hpp"
#include "daemon/scheduling/job_planning.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace slab;
using namespace slab::daemon;
using namespace slab::test;

namespace {

std::int64_t in_pages(std::int64_t bytes) {
    return round_up(bytes, page);
}

class RandomRequests {
  public:
    JobPlanRequest next() {
        const auto dtype = static_cast<DType>(below(dtype_count));
        switch (below(4)) {
        case 0: return outer_request(dtype, 1 + below(9000), 1 + below(9000));
        case 1: return halo_request(shape());
        default: {
            JobPlanRequest request =
                zoom_request(dtype, shape(), 1.0, below(3) == 0 ? MemoryOrder::fortran : MemoryOrder::c);
            std::vector<double> factors;
            for (int axis = 0; axis < request.inputs[0].shape.rank; ++axis) {
                factors.push_back(1.0 + static_cast<double>(below(300)) / 100.0);
                if (below(3) == 0 && request.inputs[0].shape[axis] > 3) {
                    factors.back() = 1.0 / factors.back();
                }
            }
            constexpr const char* conventions[] = {"scipy", "scipy-grid", "round", "floor"};
            request.steps[0].parameters.set("factor", factors);
            request.steps[0].parameters.set("convention", std::string(conventions[below(4)]));
            request.steps[0].parameters.set("order", std::int64_t{0});
            return request;
        }
        }
    }

    std::int64_t below(std::int64_t limit) {
        return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
    }

  private:
    Shape shape() {
        Shape shape;
        shape.rank = 1 + static_cast<int>(below(max_rank));
        std::int64_t elements = 1;
        for (int axis = 0; axis < shape.rank; ++axis) {
            const std::int64_t most = std::max<std::int64_t>(1, (std::int64_t{1} << 22) / elements);
            shape[axis] = below(4) == 0 ? 1 : 1 + below(std::min<std::int64_t>(most, 5000));
            elements *= shape[axis];
        }
        return shape;
    }

    std::mt19937_64 random_{20261121};
};

std::string text_of(const JobPlanRequest& request) {
    std::string text = request.steps[0].kernel->describe().name;
    for (const ArrayDescription& input : request.inputs) {
        text += " " + to_text(input.shape) + std::string(name_of(input.dtype));
    }
    return text + " room " + std::to_string(request.room.most_bytes) +
           (request.room.output_stays ? " output stays" : "");
}

void check_bands_cover_the_output_once(const JobPlan& plan) {
    const BandCut& cut = plan.cut;
    const auto axis = static_cast<std::size_t>(cut.axis);
    std::int64_t at = 0;
    std::int64_t row = 0;
    std::int64_t tiles = 0;
    bool only_the_axis_is_cut = true;
    bool on_the_step = true;
    for (std::int64_t number = 0; number < cut.count; ++number) {
        const BandPlan band = plan.band(number);
        REQUIRE(band.output().begin == at);
        REQUIRE(band.output().end > at);
        at = band.output().end;
        Box rest = band.output_tiles().domain;
        REQUIRE(rest.begin[axis] == row);
        on_the_step = on_the_step && row % plan.steps.back().plan.band_step == 0;
        row = rest.end[axis];
        rest.begin[axis] = 0;
        rest.end[axis] = plan.kernel_output_shape.extents[axis];
        only_the_axis_is_cut = only_the_axis_is_cut && rest == whole(plan.kernel_output_shape);
        tiles += band.tile_count();
    }
    CHECK(at == plan.bytes_out);
    CHECK(row == plan.kernel_output_shape.extents[axis]);
    CHECK(tiles == plan.tile_count);
    CHECK(only_the_axis_is_cut);
    CHECK(on_the_step);
    CHECK(cut.count <= most_bands);
}

// Of a slot: where each array's part begins, and where the next one's does.
std::int64_t end_of_part(const RingPlan& ring, std::int64_t begin) {
    std::int64_t end = ring.slot_bytes;
    for (const std::int64_t other : ring.input_at) {
        end = other > begin ? std::min(end, other) : end;
    }
    return ring.output_at > begin ? std::min(end, ring.output_at) : end;
}

// A file's part may begin anywhere in a page, and is read by whole pages.
bool has_room(const RingPlan& ring, std::int64_t begin, std::int64_t bytes) {
    return begin % page == 0 && end_of_part(ring, begin) - begin >= in_pages(bytes + page - 1);
}

void check_every_band_fits_its_slot(const JobPlan& plan) {
    const RingPlan& ring = plan.ring;
    if (!plan.streams()) {
        CHECK(plan.cut.count == 1);
        return;
    }
    CHECK(ring.slots >= 1);
    CHECK(ring.slots <= std::min<std::int64_t>(most_slots, plan.cut.count));
    CHECK(ring.slot_bytes % page == 0);
    bool fits = true;
    bool inputs_go_forward = true;
    BandPlan before = plan.band(0);
    for (std::int64_t number = 0; number < plan.cut.count; ++number) {
        const BandPlan band = plan.band(number);
        fits = fits && (ring.output_at < 0 || has_room(ring, ring.output_at, band.output().bytes()));
        for (std::size_t input = 0; input < band.inputs.size(); ++input) {
            fits = fits && (ring.input_at[input] < 0 ||
                            has_room(ring, ring.input_at[input], band.inputs[input].bytes()));
            inputs_go_forward = inputs_go_forward && band.inputs[input].begin >= before.inputs[input].begin &&
                                band.inputs[input].end >= before.inputs[input].end &&
                                band.inputs[input].end <= byte_count(plan.inputs[input]);
        }
        before = band;
    }
    CHECK(fits);
    CHECK(inputs_go_forward);
}

// What the supervisor will reserve, run by run, in whole extents.
std::int64_t reserved_bytes(const JobPlan& plan) {
    std::int64_t bytes = 0;
    for (std::size_t input = 0; input < plan.inputs.size(); ++input) {
        if (plan.ring.input_at[input] < 0) {
            bytes += round_up(byte_count(plan.inputs[input]) + page - 1, extent_bytes);
        }
    }
    bytes += plan.ring.output_at < 0 ? round_up(plan.bytes_out, extent_bytes) : 0;
    return bytes + round_up(plan.ring.slots * plan.ring.slot_bytes, extent_bytes);
}

}  // namespace

TEST_CASE(
    "whatever the arrays and the room: bands cover the output once, each fits its slot, all fit the room") {
    RandomRequests requests;
    int streaming = 0;
    for (int round = 0; round < 3000; ++round) {
        JobPlanRequest request = requests.next();
        const auto whole = plan_job(request);
        if (!whole) {
            continue;  // a factor that leaves nothing of an axis
        }
        request.room.most_bytes = 1 + requests.below(whole->holds_bytes + 4 * mib);
        request.room.output_stays = requests.below(5) == 0;
        const auto plan = plan_job(request);
        INFO(text_of(request));
        if (!plan) {
            CHECK(plan.error().kind == ErrorKind::refused);
            continue;
        }
        streaming += plan->streams() ? 1 : 0;
        CHECK(plan->holds_bytes <= request.room.most_bytes);
        CHECK(plan->holds_bytes >= reserved_bytes(*plan));
        CHECK((!request.room.output_stays || plan->ring.output_at < 0));
        check_bands_cover_the_output_once(*plan);
        check_every_band_fits_its_slot(*plan);
    }
    CHECK(streaming > 500);
}

TEST_CASE("the least room that a plan names is taken, and one byte less is refused") {
    RandomRequests requests;
    int tried = 0;
    for (int round = 0; round < 600; ++round) {
        JobPlanRequest request = requests.next();
        request.room.prefers_ring = true;  // otherwise what fits is whole, and names what that takes
        request.room.output_stays = requests.below(4) == 0;
        const auto roomy = plan_job(request);
        if (!roomy) {
            continue;
        }
        INFO(text_of(request), " least ", roomy->least_bytes, ", holds ", roomy->holds_bytes);
        request.room.most_bytes = roomy->least_bytes;
        const auto least = plan_job(request);
        request.room.most_bytes = roomy->least_bytes - 1;
        const auto less = plan_job(request);
        REQUIRE(least.has_value());
        CHECK(least->holds_bytes <= roomy->least_bytes);
        CHECK_FALSE(less.has_value());
        ++tried;
    }
    CHECK(tried > 300);
}
