#include "daemon/scheduling/band_layout.hpp"

#include "common/volume/layout.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/scheduling/job_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace slab;
using namespace slab::daemon;

namespace {

constexpr std::int64_t page = 4096;
constexpr std::int64_t mib = std::int64_t{1} << 20;
constexpr std::int64_t everything = std::int64_t{1} << 60;

std::int64_t in_pages(std::int64_t bytes) {
    return round_up(bytes, page);
}

// ---- a kernel with a halo and groups: the output is as the input, a row needs `halo` rows on both sides

constexpr std::int64_t halo = 3;
constexpr std::int64_t group = 5;

const kernels::KernelDescription& describe_halo() {
    static const kernels::KernelDescription description{.name = "test_halo",
                                                        .summary = "",
                                                        .details = "",
                                                        .inputs = {{"input", "any"}},
                                                        .parameters = {},
                                                        .dtypes = "all",
                                                        .reads = kernels::Reads::window,
                                                        .example = ""};
    return description;
}

Expected<kernels::KernelPlan> plan_halo(const kernels::PlanRequest& request) {
    kernels::KernelPlan plan;
    plan.output = request.inputs[0];
    plan.band_step = group;
    return plan;
}

kernels::AxisRange halo_reads(const kernels::BandQuery& query) {
    return {std::max<std::int64_t>(0, query.rows.begin - halo),
            std::min(query.inputs[0][query.source_axis], query.rows.end + halo)};
}

const kernels::Kernel halo_kernel{describe_halo, plan_halo, nullptr, nullptr, halo_reads};
const kernels::Kernel kernel_without_bands{describe_halo, plan_halo, nullptr, nullptr, nullptr};

// ---- a kernel that gathers: row n of its workspace is made of `gathered` rows of the input, its output of all of them

constexpr std::int64_t gathered = 4;

Expected<kernels::KernelPlan> plan_sum(const kernels::PlanRequest& request) {
    const Shape& shape = request.inputs[0].shape;
    kernels::KernelPlan plan;
    plan.output = {DType::float64, {2}, MemoryOrder::c};
    plan.workspaces.push_back(
        {{DType::float64, {(shape[0] + gathered - 1) / gathered, 2}, MemoryOrder::c}, {}});
    plan.gathers = 0;
    plan.is_answer = true;
    return plan;
}

kernels::AxisRange sum_reads(const kernels::BandQuery& query) {
    return {query.rows.begin * gathered,
            std::min(query.inputs[0][query.source_axis], query.rows.end * gathered)};
}

const kernels::Kernel sum_kernel{describe_halo, plan_sum, nullptr, nullptr, sum_reads};

// ---- requests

JobPlanRequest zoom_request(DType dtype, const Shape& shape, double factor,
                            MemoryOrder order = MemoryOrder::c) {
    JobPlanRequest request{
        {{"zoom", kernels::find_kernel("zoom"), {}, {{}}}}, {{dtype, shape, order}}, 64 * 1024, {}};
    request.steps[0].parameters.set("factor", std::vector<double>{factor});
    request.steps[0].parameters.set("convention", std::string("round"));
    request.room.most_bytes = everything;
    return request;
}

JobPlanRequest halo_request(const Shape& shape) {
    return {{{"halo", &halo_kernel, {}, {{}}}},
            {{DType::uint16, shape, MemoryOrder::c}},
            64 * 1024,
            {everything, false, false}};
}

JobPlanRequest outer_request(DType dtype, std::int64_t rows, std::int64_t columns) {
    return {{{"outer", kernels::find_kernel("outer"), {}, {{.number = 0}, {.number = 1}}}},
            {{dtype, {rows}, MemoryOrder::c}, {dtype, {columns}, MemoryOrder::c}},
            64 * 1024,
            {everything, false, false}};
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

// ---- what has to hold of every plan

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

TEST_CASE("arrays that fit are one band, whole in the volume, unless a ring is preferred") {
    JobPlanRequest request = zoom_request(DType::uint8, {256, 256, 64}, 2.0);
    const auto plan = plan_job(request);
    request.room.prefers_ring = true;
    const auto ring = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK_FALSE(plan->streams());
    CHECK(plan->cut.count == 1);
    CHECK(plan->ring.output_at == -1);
    CHECK(plan->band(0).output() == ByteSpan{0, 8 * 256 * 256 * 64});
    CHECK(plan->band(0).inputs.front() == ByteSpan{0, 256 * 256 * 64});
    REQUIRE(ring.has_value());
    CHECK(ring->streams());
    CHECK(ring->holds_bytes <= round_up(most_slots * (preferred_slot_bytes + page), extent_bytes));
}

TEST_CASE("an exact fit of the room is whole, one extent less streams") {
    JobPlanRequest request = zoom_request(DType::uint8, {256, 256, 64}, 2.0);
    const std::int64_t whole_bytes = plan_job(request)->holds_bytes;
    request.room.most_bytes = whole_bytes;
    CHECK_FALSE(plan_job(request)->streams());
    request.room.most_bytes = whole_bytes - 1;
    CHECK(plan_job(request)->streams());
}

TEST_CASE("a band's input has its halo, cut at the array's ends, and bands begin at multiples of the group") {
    JobPlanRequest request = halo_request({203, 64 * 1024});
    request.room.most_bytes = 8 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    REQUIRE(plan->cut.count > 2);
    CHECK(plan->cut.rows % group == 0);
    constexpr std::int64_t row_bytes = 2 * 64 * 1024;
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        const BandPlan band = plan->band(number);
        CHECK(band.inputs.front().begin == std::max<std::int64_t>(0, band.output().begin - halo * row_bytes));
        CHECK(band.inputs.front().end ==
              std::min<std::int64_t>(203 * row_bytes, band.output().end + halo * row_bytes));
    }
}

TEST_CASE("a result that stays is whole while the input streams beside it") {
    JobPlanRequest request = zoom_request(DType::uint8, {64, 1024, 1024}, 0.5);
    request.room = {24 * mib, true, false};
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->streams());
    CHECK(plan->ring.output_at == -1);
    CHECK(plan->ring.input_at.front() == 0);
    CHECK(plan->holds_bytes <= 24 * mib);
}

TEST_CASE("a result that stays and does not fit is refused, with what to do") {
    JobPlanRequest request = zoom_request(DType::uint8, {64, 1024, 1024}, 2.0);
    request.room = {100 * mib, true, false};
    const auto plan = plan_job(request);

    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().kind == ErrorKind::refused);
    CHECK(plan.error().because.find("stays in the volume") != std::string::npos);
    CHECK(plan.error().remedy.find("file instead of keeping") != std::string::npos);
}

TEST_CASE("a kernel that knows nothing of bands is refused when its arrays do not fit") {
    JobPlanRequest request = halo_request({1024, 4096});
    request.steps[0].kernel = &kernel_without_bands;
    REQUIRE(plan_job(request).has_value());
    request.room.most_bytes = 4 * mib;
    const auto plan = plan_job(request);

    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().because.find("cannot work in bands") != std::string::npos);
}

TEST_CASE("an array in Fortran order is cut along its last axis, which is the slowest") {
    JobPlanRequest request = zoom_request(DType::uint8, {300, 500, 200}, 2.0, MemoryOrder::fortran);
    request.room.most_bytes = 16 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->output.order == MemoryOrder::fortran);
    CHECK(plan->kernel_output_shape == Shape{400, 1000, 600});
    CHECK(plan->cut.axis == 0);
    CHECK(plan->band(0).output_tiles().domain.end[1] == 1000);
    CHECK(plan->cut.count > 10);
    CHECK(plan->output.shape == Shape{600, 1000, 400});
}

TEST_CASE("leading axes of one index are passed over: bands go along the first that has more") {
    JobPlanRequest request = zoom_request(DType::uint8, {1, 1, 400, 300, 100}, 1.0);
    request.steps[0].parameters.set("factor", std::vector<double>{1.0, 1.0, 2.0, 2.0, 2.0});
    request.room.most_bytes = 8 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->cut.axis == 2);
    CHECK(plan->cut.count > 10);
    CHECK(plan->ring.input_at.front() >= 0);
}

TEST_CASE("an outer product of one row goes along its columns, of many along its rows") {
    JobPlanRequest row = outer_request(DType::float64, 1, 4'000'000);
    row.room.most_bytes = 8 * mib;
    const auto along_columns = plan_job(row);
    REQUIRE(along_columns.has_value());
    CHECK(along_columns->cut.axis == 1);
    CHECK(along_columns->ring.input_at == std::vector<std::int64_t>{-1, 0});

    JobPlanRequest rows = outer_request(DType::float64, 40'000, 100);
    rows.room.most_bytes = 8 * mib;
    const auto along_rows = plan_job(rows);
    REQUIRE(along_rows.has_value());
    CHECK(along_rows->cut.axis == 0);
    CHECK(along_rows->ring.input_at == std::vector<std::int64_t>{0, -1});
}

TEST_CASE("a phase has at most 16384 bands, also where one row would be enough") {
    JobPlanRequest request = zoom_request(DType::uint8, {1'000'003, 70}, 1.0);
    request.room.most_bytes = 2 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->cut.count <= most_bands);

    JobPlanRequest long_rows = zoom_request(DType::uint8, {100'003, 70'000}, 1.0);
    long_rows.room.most_bytes = 4 * mib;
    const auto bounded = plan_job(long_rows);
    REQUIRE(bounded.has_value());
    CHECK(bounded->cut.count <= most_bands);
    CHECK(bounded->cut.rows >= 100'003 / most_bands);
}

TEST_CASE("two plans have one fingerprint only when their work is cut the same") {
    JobPlanRequest request = zoom_request(DType::uint8, {64, 512, 512}, 2.0);
    request.room.most_bytes = 16 * mib;
    const auto once = plan_job(request);
    const auto again = plan_job(request);
    request.room.most_bytes = 8 * mib;
    const auto smaller_ring = plan_job(request);
    request.tile_bytes = 4096;
    const auto smaller_tiles = plan_job(request);

    CHECK(once->fingerprint() == again->fingerprint());
    CHECK(once->fingerprint() != smaller_ring->fingerprint());
    CHECK(smaller_ring->fingerprint() != smaller_tiles->fingerprint());
}

TEST_CASE("a kernel that gathers goes along what it gathers in, and its output waits for the last band") {
    JobPlanRequest request = halo_request({203, 64 * 1024});
    request.steps[0].kernel = &sum_kernel;
    request.room.most_bytes = 8 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->streams());
    CHECK(plan->holds_bytes <= 8 * mib);
    CHECK(plan->ring.output_at == -1);
    REQUIRE(plan->cut.count > 2);
    constexpr std::int64_t row_bytes = 2 * 64 * 1024;
    std::int64_t row = 0;
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        const BandPlan band = plan->band(number);
        const bool is_last = number + 1 == plan->cut.count;
        CHECK(band.phases[0].domain.begin[0] == row);
        row = band.phases[0].domain.end[0];
        CHECK(band.inputs[0].begin == band.phases[0].domain.begin[0] * gathered * row_bytes);
        CHECK(band.inputs[0].end == std::min<std::int64_t>(203, row * gathered) * row_bytes);
        CHECK(band.targets[0] == ByteSpan{0, 51 * 2 * 8});  // whole, whichever band it is
        CHECK(band.phases[1].tile_count() == (is_last ? 1 : 0));
        CHECK(band.output().bytes() == (is_last ? 16 : 0));
    }
    CHECK(row == 51);
}

TEST_CASE("the steps of a pipeline go through the bands together, each with the halo of those after it") {
    JobPlanRequest request = halo_request({203, 64 * 1024});
    request.steps.push_back({"again", &halo_kernel, {}, {{StepInput::From::step, 0}}});
    request.room.most_bytes = 24 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->streams());
    CHECK(plan->phase_count() == 2);
    REQUIRE(plan->cut.count > 2);
    constexpr std::int64_t row_bytes = 2 * 64 * 1024;
    const auto group_begin = [](std::int64_t row) { return std::max<std::int64_t>(0, row) / group * group; };
    const auto group_end = [](std::int64_t row) {
        return std::min<std::int64_t>(203, (row + group - 1) / group * group);
    };
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        const BandPlan band = plan->band(number);
        const std::int64_t begin = band.output().begin / row_bytes;
        const std::int64_t end = band.output().end / row_bytes;
        CHECK(band.targets[0] ==
              ByteSpan{group_begin(begin - halo) * row_bytes, group_end(end + halo) * row_bytes});
        CHECK(band.inputs[0].begin == std::max<std::int64_t>(0, band.targets[0].begin - halo * row_bytes));
    }
}

TEST_CASE("a step's output gives its place to a later one when nobody reads it any more") {
    JobPlanRequest request = halo_request({64, 64 * 1024});
    for (std::size_t step = 0; step < 5; ++step) {
        request.steps.push_back({"again", &halo_kernel, {}, {{StepInput::From::step, step}}});
    }
    constexpr std::int64_t array = std::int64_t{64} * 64 * 1024 * 2;
    const auto chain = plan_job(request);
    REQUIRE(chain.has_value());
    CHECK(chain->work.bytes == 2 * array);  // in turns

    request.steps.back().inputs = {{StepInput::From::step, 0}};
    request.steps[4].inputs = {{StepInput::From::step, 0}};  // nothing but step 0's output is read at the end
    const auto kept = plan_job(request);
    REQUIRE(kept.has_value());
    CHECK(kept->work.bytes == 3 * array);
}

TEST_CASE("of a pipeline whose last kernel gathers, as of all others, bands cover everything once") {
    JobPlanRequest request = halo_request({403, 64 * 1024});
    request.steps.push_back({"sum", &sum_kernel, {}, {{StepInput::From::step, 0}}});
    request.room.most_bytes = 16 * mib;
    const auto plan = plan_job(request);

    REQUIRE(plan.has_value());
    CHECK(plan->banded_phase() == 1);
    CHECK(plan->phase_count() == 3);
    std::int64_t row = 0;
    std::int64_t tiles = 0;
    for (std::int64_t number = 0; number < plan->cut.count; ++number) {
        const BandPlan band = plan->band(number);
        CHECK(band.phases[1].domain.begin[0] == row);
        row = band.phases[1].domain.end[0];
        tiles += band.tile_count();
    }
    CHECK(row == 101);
    CHECK(tiles == plan->tile_count);
}
