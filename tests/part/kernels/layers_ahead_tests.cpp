#include "daemon/kernels/windows/layers_ahead.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

using namespace slab::kernels;

namespace {

// Of layers that are 1000 bytes apart three rows each, 300 bytes apart and 130 long: three lines a row.
constexpr std::int64_t layer_pitch = 1000;
constexpr std::int64_t lines_of_layer = 9;
std::array<std::byte, 20 * layer_pitch> memory{};

struct Block {
    std::array<std::int64_t, lines_of_layer> offsets{};
    LinesAhead lines{{memory.data(), 300, 130, 3}, layer_pitch, offsets.data()};
};

// (layer, line) of each that is asked for, in order.
std::vector<std::pair<std::int64_t, std::int64_t>> taken(const Asking& asking, std::int64_t steps) {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (std::int64_t step = 0; step < steps; ++step) {
        const LinesAhead::Run run = asking.lines->take(asking.with_step);
        for (std::int64_t line = 0; line < run.count; ++line) {
            const std::int64_t at = run.layer - memory.data() + run.offsets[line];
            const std::int64_t in_layer = at % layer_pitch;
            all.emplace_back(at / layer_pitch, in_layer / 300 * 3 + in_layer % 300 / 64);
        }
    }
    return all;
}

}  // namespace

TEST_CASE("each line of the next layer is asked for once, in order, before that layer is read") {
    Block block;
    LayersAhead ahead(block.lines, 20, 4, 0, 8);
    for (std::int64_t layer = 0; layer < 20; ++layer) {
        const auto lines = taken(ahead.while_layer(layer), 4);
        REQUIRE(lines.size() == (layer < 19 ? lines_of_layer : 0));
        for (std::int64_t line = 0; line < static_cast<std::int64_t>(lines.size()); ++line) {
            CHECK(lines[static_cast<std::size_t>(line)] == std::pair(layer + 1, line));
        }
    }
    CHECK(ahead.between_layers().lines == nullptr);
}

TEST_CASE("where lines are asked for between layers too, all are asked for in time and none far ahead") {
    Block block;
    LayersAhead ahead(block.lines, 20, 4, 5, 4);
    std::set<std::pair<std::int64_t, std::int64_t>> asked;
    std::int64_t between = 0;
    for (std::int64_t layer = 0; layer < 20; ++layer) {
        for (std::int64_t line = 0; layer > 0 && line < lines_of_layer; ++line) {
            REQUIRE(asked.contains({layer, line}));
        }
        auto lines = taken(ahead.while_layer(layer), 4);
        if (layer % 4 == 3) {
            const auto more = taken(ahead.between_layers(), 5);
            between += static_cast<std::int64_t>(more.size());
            lines.insert(lines.end(), more.begin(), more.end());
        }
        for (const auto& line : lines) {
            CHECK(line.first <= std::min<std::int64_t>(layer + 3, 19));
            CHECK(asked.insert(line).second);
        }
    }
    CHECK(between > 0);
}

TEST_CASE("a walk that begins again, as the mode wrap's, is followed") {
    Block block;
    LayersAhead ahead(block.lines, 20, 4, 0, 8);
    taken(ahead.while_layer(17), 4);
    taken(ahead.while_layer(18), 4);
    CHECK(taken(ahead.while_layer(19), 4).empty());
    CHECK(taken(ahead.while_layer(0), 4).front() == std::pair<std::int64_t, std::int64_t>(1, 0));
}

TEST_CASE("of more lines than a step has parts the rest is asked for with the step's begin") {
    Block block;
    block.lines.expect(0, 1);
    const Asking asking{&block.lines, 7};
    CHECK(asking.begin_step(4).count == 4);
    CHECK(block.lines.due() == lines_of_layer - 7);
    CHECK(asking.begin_step(4).count == 0);  // 2 were left, and asked for
    CHECK(block.lines.due() == 0);
}
