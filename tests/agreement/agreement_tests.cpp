#include "daemon/kernels/kernel_registry.hpp"
#include "tests/agreement/agreement_cases.hpp"
#include "tests/agreement/guarded_array.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

namespace {

using namespace slab;
using namespace slab::kernels;
using namespace slab::agreement;

using Bytes = std::vector<std::byte>;

// A case with its plan, its inputs between forbidden pages, and the definition's answer.
struct Prepared {
    const Kernel* kernel;
    std::string name;
    KernelPlan plan;
    std::vector<GuardedArray> inputs;
    Bytes expected;
};

void run(const Prepared& prepared, const ArrayView& output, const Box& tile,
         void (*fill)(const TileCall&) noexcept) {
    std::vector<ConstArrayView> views;
    for (const GuardedArray& input : prepared.inputs) {
        views.push_back(input.view());
    }
    // Never the same scratch: a kernel that reads what an earlier tile left there gives itself away.
    alignas(64) static std::byte scratch[scratch_bytes + 64];
    static std::mt19937 noise(1);
    const auto byte = static_cast<int>(noise() & 0xFF);
    std::memset(scratch, byte, sizeof(scratch));
    fill({&prepared.plan.program, views, output, tile, std::span(scratch, scratch_bytes)});
    const bool overrun = std::any_of(scratch + scratch_bytes, scratch + sizeof(scratch),
                                     [&](std::byte b) { return b != static_cast<std::byte>(byte); });
    CHECK_FALSE_MESSAGE(overrun, "writes beyond its scratch");
}

Prepared prepare(const Kernel& kernel, const AgreementCase& agreement_case, std::mt19937_64& random) {
    Prepared prepared{&kernel, agreement_case.name, {}, {}, {}};
    auto plan = kernel.plan(agreement_case.request);
    REQUIRE_MESSAGE(plan.has_value(), agreement_case.name, ": ", plan ? "" : to_text(plan.error()));
    prepared.plan = *plan;
    for (const ArrayDescription& input : agreement_case.request.inputs) {
        const std::size_t shift = random() % 2 == 0 ? 0 : random() % 16;
        const Placement placement = random() % 4 == 0 ? Placement::at_the_begin : Placement::at_the_end;
        prepared.inputs.emplace_back(input, random_content(input, random), placement, shift);
    }
    PatternedOutput output(prepared.plan.output);
    run(prepared, output.view(), whole(prepared.plan.output.shape), kernel.fill_scalar);
    prepared.expected = output.content();
    return prepared;
}

// Cuts each axis at a few random places. All boxes, in any order.
std::vector<Box> random_tiling(const Shape& shape, std::mt19937_64& random) {
    std::vector<Box> tiles{whole(shape)};
    for (std::size_t a = 0; a < static_cast<std::size_t>(shape.rank); ++a) {
        std::vector<std::int64_t> cuts{0, shape.extents[a]};
        for (std::uint64_t i = random() % 4; i > 0; --i) {
            cuts.push_back(
                static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(shape.extents[a])));
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

// The first element that differs, for the message; -1 when none does.
std::int64_t first_difference(const Bytes& a, const Bytes& b, DType dtype) {
    if (a == b) {
        return -1;
    }
    const auto place = std::ranges::mismatch(a, b).in1 - a.begin();
    return place / static_cast<std::int64_t>(size_of(dtype));
}

// Runs `check` for every kernel of the registry, every case, and every SIMD level.
template <class Check>
void for_every_case(const Check& check) {
    std::mt19937_64 random(20261121);
    for (const Kernel& kernel : all_kernels()) {
        for (const AgreementCase& agreement_case : agreement_cases(kernel.describe().name)) {
            const Prepared prepared = prepare(kernel, agreement_case, random);
            for (const std::string& level : simd_levels()) {
                if (level != "scalar") {
                    REQUIRE(select_simd_level(level.c_str()));
                    INFO(prepared.name, " at ", level);
                    check(prepared, random);
                }
            }
            select_simd_level(nullptr);
        }
    }
}

}  // namespace

TEST_CASE("every kernel of the registry has agreement cases") {
    for (const Kernel& kernel : all_kernels()) {
        CHECK_MESSAGE(!agreement_cases(kernel.describe().name).empty(), kernel.describe().name);
    }
}

TEST_CASE("every SIMD level of this machine gives the scalar definition's bytes and reads only its inputs") {
    for_every_case([](const Prepared& prepared, std::mt19937_64&) {
        PatternedOutput output(prepared.plan.output);
        run(prepared, output.view(), whole(prepared.plan.output.shape), prepared.kernel->fill);
        CHECK(first_difference(output.content(), prepared.expected, prepared.plan.output.dtype) == -1);
        CHECK(output.margins_are_untouched());
    });
}

TEST_CASE("any tiling, in any order, with tiles that run twice, gives the bytes of one tile") {
    for_every_case([](const Prepared& prepared, std::mt19937_64& random) {
        PatternedOutput output(prepared.plan.output);
        for (const Box& tile : random_tiling(prepared.plan.output.shape, random)) {
            run(prepared, output.view(), tile, prepared.kernel->fill);
            if (random() % 4 == 0) {
                run(prepared, output.view(), tile, prepared.kernel->fill);
            }
        }
        CHECK(first_difference(output.content(), prepared.expected, prepared.plan.output.dtype) == -1);
        CHECK(output.margins_are_untouched());
    });
}

TEST_CASE("a tile writes all of itself and nothing else") {
    for_every_case([](const Prepared& prepared, std::mt19937_64& random) {
        const ArrayDescription& array = prepared.plan.output;
        const auto bytes = static_cast<std::int64_t>(size_of(array.dtype));
        const Box tile = random_tiling(array.shape, random).front();
        PatternedOutput output(array);
        run(prepared, output.view(), tile, prepared.kernel->fill);

        Bytes wanted(prepared.expected.size(), PatternedOutput::pattern);
        for (std::int64_t element = 0; element < element_count(array.shape); ++element) {
            if (contains(tile, array.shape, element)) {
                const auto at = static_cast<std::ptrdiff_t>(element * bytes);
                std::copy_n(prepared.expected.begin() + at, bytes, wanted.begin() + at);
            }
        }
        INFO("tile ", to_text(tile));
        CHECK(first_difference(output.content(), wanted, array.dtype) == -1);
        CHECK(output.margins_are_untouched());
    });
}

TEST_CASE("the scalar definition writes all of a tile and nothing else, whatever the tiling") {
    std::mt19937_64 random(7);
    for (const Kernel& kernel : all_kernels()) {
        for (const AgreementCase& agreement_case : agreement_cases(kernel.describe().name)) {
            const Prepared prepared = prepare(kernel, agreement_case, random);
            PatternedOutput output(prepared.plan.output);
            for (const Box& tile : random_tiling(prepared.plan.output.shape, random)) {
                run(prepared, output.view(), tile, kernel.fill_scalar);
            }
            INFO(prepared.name);
            CHECK(first_difference(output.content(), prepared.expected, prepared.plan.output.dtype) == -1);
            CHECK(output.margins_are_untouched());
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
