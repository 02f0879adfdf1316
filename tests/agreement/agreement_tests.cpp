#include "daemon/kernels/kernel_registry.hpp"
#include "tests/agreement/agreement_cases.hpp"
#include "tests/agreement/guarded_array.hpp"
#include "tests/agreement/kernel_run.hpp"
#include "tests/agreement/level_choice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

namespace {

using namespace slab;
using namespace slab::kernels;
using namespace slab::agreement;

// A case with its plan, its inputs between forbidden pages, and the definition's answer.
struct Prepared {
    const Kernel* kernel;
    std::string name;
    KernelPlan plan;
    std::vector<GuardedArray> inputs;
    std::vector<ConstArrayView> views;
    std::vector<Shape> shapes;
    double largest_input = 0.0;
    Bytes expected;

    KernelRun run() const { return {plan, views, shapes, kernel->band_reads}; }

    Bytes result(const Fill& fill, const Cut& cut, std::mt19937_64& random) const {
        PatternedOutput output(plan.output);
        run_phases(run(), whole(plan.output.shape), output.view(), fill, cut, random);
        CHECK(output.margins_are_untouched());
        return output.content();
    }
};

Prepared prepare(const Kernel& kernel, const AgreementCase& agreement_case, std::mt19937_64& random) {
    Prepared prepared{&kernel, agreement_case.name, {}, {}, {}, {}, 0.0, {}};
    auto plan = kernel.plan(agreement_case.request);
    REQUIRE_MESSAGE(plan.has_value(), agreement_case.name, ": ", plan ? "" : to_text(plan.error()));
    prepared.plan = *plan;
    REQUIRE(plan->workspaces.size() <= most_workspaces);
    for (const ArrayDescription& input : agreement_case.request.inputs) {
        const std::size_t shift = random() % 2 == 0 ? 0 : random() % 16;
        const Placement placement = random() % 4 == 0 ? Placement::at_the_begin : Placement::at_the_end;
        const Bytes content = random_content(input, agreement_case.content, random);
        prepared.largest_input = std::max(prepared.largest_input, largest_magnitude(input, content));
        prepared.inputs.emplace_back(input, content, placement, shift);
        prepared.shapes.push_back(input.shape);
    }
    for (const GuardedArray& input : prepared.inputs) {
        prepared.views.push_back(input.view());
    }
    prepared.expected = prepared.result(kernel.fill_scalar, one_tile, random);
    return prepared;
}

// Cuts each axis at a few random places. All boxes, in any order.
std::vector<Box> random_tiling(const Box& box, std::mt19937_64& random) {
    std::vector<Box> tiles{box};
    for (std::size_t a = 0; a < static_cast<std::size_t>(box.rank); ++a) {
        std::vector<std::int64_t> cuts{box.begin[a], box.end[a]};
        for (std::uint64_t i = random() % 4; i > 0; --i) {
            cuts.push_back(
                box.begin[a] +
                static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(box.end[a] - box.begin[a])));
        }
        std::ranges::sort(cuts);
        cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
        std::vector<Box> finer;
        for (const Box& tile : tiles) {
            for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
                Box part = tile;
                part.begin[a] = cuts[i];
                part.end[a] = cuts[i + 1];
                finer.push_back(part);
            }
        }
        tiles = std::move(finer);
    }
    std::ranges::shuffle(tiles, random);
    return tiles;
}

bool contains(const Box& tile, const Shape& shape, std::int64_t element) {
    for (auto a = static_cast<std::size_t>(shape.rank); a-- > 0;) {
        const std::int64_t index = element % shape.extents[a];
        element /= shape.extents[a];
        if (index < tile.begin[a] || index >= tile.end[a]) {
            return false;
        }
    }
    return true;
}

void check_random_tiling(const Prepared& prepared, const Fill& fill, const Bytes& expected,
                         std::mt19937_64& random) {
    const Cut at_random = [&random](const Box& box) { return random_tiling(box, random); };
    CHECK((prepared.result(fill, at_random, random) == expected));
}

// One tile alone: all of it, and no byte beside it. `expected`: what all tiles together give.
void check_one_tile(const Prepared& prepared, const Bytes& expected, std::mt19937_64& random) {
    const ArrayDescription& array = prepared.plan.output;
    const auto bytes = static_cast<std::int64_t>(size_of(array.dtype));
    Box tile = random_tiling(whole(array.shape), random).front();
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(tile.rank); ++axis) {
        if (prepared.plan.tiles.is_whole[axis]) {
            tile.begin[axis] = 0;
            tile.end[axis] = array.shape.extents[axis];
        }
    }
    PatternedOutput output(array);
    std::size_t phase = 0;  // workspaces are filled whole
    const Cut only_it = [&](const Box& box) {
        return phase++ == prepared.plan.workspaces.size() ? std::vector<Box>{tile} : std::vector<Box>{box};
    };
    run_phases(prepared.run(), whole(array.shape), output.view(), prepared.kernel->fill, only_it, random);

    Bytes wanted(expected.size(), PatternedOutput::pattern);
    for (std::int64_t element = 0; element < element_count(array.shape); ++element) {
        if (contains(tile, array.shape, element)) {
            const auto at = static_cast<std::ptrdiff_t>(element * bytes);
            std::copy_n(expected.begin() + at, bytes, wanted.begin() + at);
        }
    }
    INFO("tile ", to_text(tile));
    CHECK((output.content() == wanted));
    CHECK(output.margins_are_untouched());
}

}  // namespace

TEST_CASE("every kernel of the registry has agreement cases") {
    for (const Kernel& kernel : all_kernels()) {
        CHECK_MESSAGE(!agreement_cases(kernel.describe().name).empty(), kernel.describe().name);
    }
}

// One test case for all that is asked of a kernel's case: the definition, which takes most of the time, runs once.
TEST_CASE("every SIMD level gives the definition's values, the same bytes in any tiling, and nothing beside "
          "a tile") {
    std::mt19937_64 random(20261121);
    LevelChoice levels;
    for (const Kernel& kernel : all_kernels()) {
        for (const AgreementCase& agreement_case : shared_agreement_cases(kernel.describe().name)) {
            const Prepared prepared = prepare(kernel, agreement_case, random);
            INFO(prepared.name);
            for (const std::string& level :
                 levels.next(bytes_of(agreement_case.request.inputs, prepared.plan))) {
                INFO("at ", level);
                if (level == "scalar") {
                    check_random_tiling(prepared, kernel.fill_scalar, prepared.expected, random);
                    continue;
                }
                REQUIRE(select_simd_level(level.c_str()));
                const Bytes result = prepared.result(kernel.fill, one_tile, random);
                CHECK(first_difference(result, prepared.expected, prepared.plan, prepared.largest_input) ==
                      -1);
                check_random_tiling(prepared, kernel.fill, result, random);
                check_one_tile(prepared, result, random);
            }
            select_simd_level(nullptr);
        }
    }
}

TEST_CASE("the level scalar runs the definition, and an unknown level changes nothing") {
    REQUIRE(select_simd_level("scalar"));
    CHECK(simd_level() == "scalar");
    CHECK_FALSE(select_simd_level("MMX"));
    CHECK(simd_level() == "scalar");
    REQUIRE(select_simd_level(nullptr));
    CHECK(simd_level() == simd_levels().front());
}
