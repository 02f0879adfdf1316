// Streaming jobs: only a band's part of each input is in memory when its tiles are filled.

#include "daemon/kernels/kernel_registry.hpp"
#include "tests/agreement/agreement_cases.hpp"
#include "tests/agreement/guarded_array.hpp"
#include "tests/agreement/kernel_run.hpp"
#include "tests/agreement/level_choice.hpp"
#include "tests/agreement/noise.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace {

using namespace slab;
using namespace slab::kernels;
using namespace slab::agreement;

// In the ring a part has whole pages to itself, and kernels may read what is left of them and of its neighbours'.
// Behind this much garbage on either side begins what nobody may read.
constexpr std::size_t readable_slack = 4096;

// A case with its inputs whole.
struct WholeCase {
    const Kernel* kernel;
    std::string name;
    std::vector<ArrayDescription> arrays;
    std::vector<Shape> shapes;
    std::vector<Bytes> inputs;  // their content, once somebody computes with it
    KernelPlan plan;
    int axis;  // of `banded`, which bands are cut along

    // The output, or the workspace in which the kernel gathers.
    const ArrayDescription& banded() const {
        return plan.gathers ? plan.workspaces[*plan.gathers].array : plan.output;
    }
};

WholeCase whole_case(const Kernel& kernel, const AgreementCase& agreement_case) {
    WholeCase result{&kernel, agreement_case.name, agreement_case.request.inputs, {}, {}, {}, 0};
    auto plan = kernel.plan(agreement_case.request);
    REQUIRE_MESSAGE(plan.has_value(), agreement_case.name);
    result.plan = *plan;
    result.axis = band_axis_of(result.banded().shape);
    for (const ArrayDescription& array : result.arrays) {
        result.shapes.push_back(array.shape);
    }
    return result;
}

// What bands give is compared with this, by the same code, bit for bit.
Bytes result_of_whole(const WholeCase& c, const Fill& fill, std::mt19937_64& random) {
    std::vector<ConstArrayView> views;
    for (std::size_t i = 0; i < c.arrays.size(); ++i) {
        views.push_back({c.inputs[i].data(), c.arrays[i].dtype, c.arrays[i].shape});
    }
    PatternedOutput output(c.plan.output);
    run_phases({c.plan, views, c.shapes, c.kernel->band_reads}, whole(c.plan.output.shape), output.view(),
               fill, one_tile, random);
    return output.content();
}

// A part of an input between pages that nobody may read, and where element 0 would be if the input were whole.
struct Part {
    GuardedArray memory;
    ConstArrayView view;
};

Part part_of(const WholeCase& c, std::size_t input, AxisRange rows, std::mt19937_64& random) {
    const ArrayDescription& array = c.arrays[input];
    const std::int64_t row_bytes = byte_count(array) / array.shape[band_axis_of(array.shape)];
    const auto begin = static_cast<std::size_t>(rows.begin * row_bytes);
    const auto bytes = static_cast<std::size_t>((rows.end - rows.begin) * row_bytes);
    Bytes content(bytes + 2 * readable_slack);
    fill_with_noise(content, random);
    std::copy_n(c.inputs[input].begin() + static_cast<std::ptrdiff_t>(begin), bytes,
                content.begin() + static_cast<std::ptrdiff_t>(readable_slack));
    const ArrayDescription as_bytes{
        DType::uint8, {static_cast<std::int64_t>(content.size())}, MemoryOrder::c};
    const std::size_t shift = random() % 2 == 0 ? 0 : random() % 16;
    const Placement placement = random() % 2 == 0 ? Placement::at_the_begin : Placement::at_the_end;
    Part part{GuardedArray(as_bytes, content, placement, shift), {}};
    const auto* const in_memory = static_cast<const std::byte*>(part.memory.view().data) + readable_slack;
    part.view = {in_memory - begin, array.dtype, array.shape};
    return part;
}

// Cuts along one axis: 0, some multiples of `step`, and the end.
std::vector<std::int64_t> random_cuts(std::int64_t rows, std::int64_t step, std::mt19937_64& random) {
    std::vector<std::int64_t> cuts{0, rows};
    const std::int64_t steps = (rows + step - 1) / step;
    for (std::uint64_t i = 1 + random() % 5; i > 0; --i) {
        cuts.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(steps)) * step);
    }
    std::ranges::sort(cuts);
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    return cuts;
}

// The band in one, two or three tiles, cut along the fastest axis, which may be the band's own.
std::vector<Box> tiles_of_band(Box band, std::mt19937_64& random) {
    std::vector<Box> tiles;
    const auto fastest = static_cast<std::size_t>(band.rank - 1);
    for (std::uint64_t i = random() % 3; i > 0 && band.extent(band.rank - 1) > 1; --i) {
        Box tile = band;
        tile.end[fastest] =
            tile.begin[fastest] + 1 +
            static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(band.extent(band.rank - 1) - 1));
        band.begin[fastest] = tile.end[fastest];
        tiles.push_back(tile);
    }
    tiles.push_back(band);
    return tiles;
}

// The inputs' parts that a band reads, and nothing else of them.
struct BandParts {
    std::vector<Part> parts;
    std::vector<ConstArrayView> views;
};

BandParts parts_of_band(const WholeCase& c, AxisRange rows, std::mt19937_64& random) {
    BandParts result;
    for (std::size_t input = 0; input < c.arrays.size(); ++input) {
        const AxisRange reads =
            c.kernel->band_reads({&c.plan, c.shapes, input, band_axis_of(c.shapes[input]), c.axis, rows});
        REQUIRE(reads.begin >= 0);
        REQUIRE(reads.begin < reads.end);
        REQUIRE(reads.end <= c.shapes[input][band_axis_of(c.shapes[input])]);
        result.parts.push_back(part_of(c, input, reads, random));
        result.views.push_back(result.parts.back().view);
    }
    return result;
}

Box band_of(const WholeCase& c, AxisRange rows) {
    Box band = whole(c.banded().shape);
    band.begin[static_cast<std::size_t>(c.axis)] = rows.begin;
    band.end[static_cast<std::size_t>(c.axis)] = rows.end;
    return band;
}

void fill_band(const WholeCase& c, AxisRange rows, const ArrayView& output, std::mt19937_64& random,
               const Fill& fill) {
    const BandParts band = parts_of_band(c, rows, random);
    run_phases(
        {c.plan, band.views, c.shapes, c.kernel->band_reads}, band_of(c, rows), output, fill,
        [&random](const Box& box) { return tiles_of_band(box, random); }, random);
}

// Of a kernel that gathers: the band's rows of the workspace, which is the first.
void gather_band(const WholeCase& c, AxisRange rows, const ArrayView& workspace, std::mt19937_64& random,
                 const Fill& fill) {
    const BandParts band = parts_of_band(c, rows, random);
    for (const Box& tile : tiles_of_band(band_of(c, rows), random)) {
        run_tile_with_noise({c.plan, band.views, c.shapes, c.kernel->band_reads}, 0, {}, workspace, tile,
                            fill);
    }
}

// Every kernel that can work in bands, every case.
template <class Check>
void for_every_streaming_case(const Check& check) {
    for (const Kernel& kernel : all_kernels()) {
        if (kernel.band_reads == nullptr) {
            continue;
        }
        for (const AgreementCase& agreement_case : shared_agreement_cases(kernel.describe().name)) {
            WholeCase c = whole_case(kernel, agreement_case);
            INFO(c.name);
            check(c, agreement_case.content);
        }
    }
}

enum class Goes : std::uint8_t { along_the_output, along_what_gathers };

// The same with inputs and the result of the whole.
template <class Check>
void for_every_streaming_result(Goes goes, const Check& check) {
    std::mt19937_64 random(20261121);
    LevelChoice levels;
    for_every_streaming_case([&](WholeCase& c, Content content) {
        if (c.plan.gathers.has_value() != (goes == Goes::along_what_gathers)) {
            return;
        }
        for (const ArrayDescription& array : c.arrays) {
            c.inputs.push_back(random_content(array, content, random));
        }
        for (const std::string& level : levels.two(bytes_of(c.arrays, c.plan))) {
            REQUIRE(select_simd_level(level.c_str()));
            INFO("at ", level);
            const Fill& fill = level == "scalar" ? c.kernel->fill_scalar : c.kernel->fill;
            check(c, result_of_whole(c, fill, random), fill, random);
        }
        select_simd_level(nullptr);
    });
}

void check_all_bands(const WholeCase& c, const Bytes& expected, const Fill& fill, std::mt19937_64& random) {
    PatternedOutput output(c.plan.output);
    const auto cuts = random_cuts(c.plan.output.shape[c.axis], c.plan.band_step, random);
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
        fill_band(c, {cuts[i], cuts[i + 1]}, output.view(), random, fill);
    }
    CHECK((output.content() == expected));
    CHECK(output.margins_are_untouched());
}

void check_one_band(const WholeCase& c, const Bytes& expected, const Fill& fill, std::mt19937_64& random) {
    const std::int64_t rows = c.plan.output.shape[c.axis];
    const auto cuts = random_cuts(rows, c.plan.band_step, random);
    const std::size_t which = random() % (cuts.size() - 1);
    PatternedOutput output(c.plan.output);
    fill_band(c, {cuts[which], cuts[which + 1]}, output.view(), random, fill);

    const auto row_bytes = static_cast<std::ptrdiff_t>(expected.size()) / rows;
    Bytes wanted(expected.size(), PatternedOutput::pattern);
    std::copy(expected.begin() + cuts[which] * row_bytes, expected.begin() + cuts[which + 1] * row_bytes,
              wanted.begin() + cuts[which] * row_bytes);
    INFO("rows ", cuts[which], " to ", cuts[which + 1]);
    CHECK((output.content() == wanted));
    CHECK(output.margins_are_untouched());
}

}  // namespace

// One test case for both: the whole, which takes most of the time, is computed once.
TEST_CASE("bands with nothing of the inputs but their own part in memory give the bytes of the whole, and "
          "each writes its part of the output and nothing else") {
    for_every_streaming_result(Goes::along_the_output, [](const WholeCase& c, const Bytes& expected,
                                                          const Fill& fill, std::mt19937_64& random) {
        check_all_bands(c, expected, fill, random);
        check_one_band(c, expected, fill, random);
    });
}

TEST_CASE("what gathers in bands gathers the same as at once") {
    for_every_streaming_result(Goes::along_what_gathers, [](const WholeCase& c, const Bytes& expected,
                                                            const Fill& fill, std::mt19937_64& random) {
        REQUIRE(*c.plan.gathers == 0);
        PatternedOutput gathered(c.banded());
        const auto cuts = random_cuts(c.banded().shape[c.axis], c.plan.band_step, random);
        for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
            gather_band(c, {cuts[i], cuts[i + 1]}, gathered.view(), random, fill);
        }
        PatternedOutput output(c.plan.output);
        const ArrayView workspace = gathered.view();
        const ConstArrayView source{workspace.data, workspace.dtype, workspace.shape};
        run_tile_with_noise({c.plan, {}, c.shapes, c.kernel->band_reads}, 1, {&source, 1}, output.view(),
                            whole(c.plan.output.shape), fill);
        CHECK((output.content() == expected));
        CHECK(output.margins_are_untouched());
    });
}

TEST_CASE("what a band reads never shrinks nor moves back from one band to the next") {
    std::mt19937_64 random(20261121);
    for_every_streaming_case([&](const WholeCase& c, Content) {
        const auto cuts = random_cuts(c.banded().shape[c.axis], c.plan.band_step, random);
        const std::size_t workspaces = c.plan.gathers.value_or(c.plan.workspaces.size());
        for (std::size_t source = 0; source < c.shapes.size() + workspaces; ++source) {
            std::optional<AxisRange> before;
            const Shape& shape = source < c.shapes.size()
                                     ? c.shapes[source]
                                     : c.plan.workspaces[source - c.shapes.size()].array.shape;
            for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
                const AxisRange reads = c.kernel->band_reads({&c.plan, c.shapes, source, band_axis_of(shape),
                                                              c.axis, AxisRange{cuts[i], cuts[i + 1]}});
                CHECK((!before || (before->begin <= reads.begin && before->end <= reads.end)));
                before = reads;
            }
        }
    });
}
