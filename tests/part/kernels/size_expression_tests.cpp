#include "daemon/kernels/plugin/size_expression.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace slab::kernels;

namespace {

// image is 40 x 50, the tile [3, 7) x [10, 20), radius 2, steps 1 and 0, sigma was not given.
const std::array symbols{
    SizeSymbol{"image", SizeName::input_extent, 0},    SizeSymbol{"radius", SizeName::parameter},
    SizeSymbol{"steps", SizeName::parameter_per_axis}, SizeSymbol{"sigma", SizeName::parameter},
    SizeSymbol{"begin", SizeName::tile_bound},         SizeSymbol{"end", SizeName::tile_bound}};
const std::array values{SymbolValues{{40, 50}, 2, false, false}, SymbolValues{{2}, 1, true, false},
                        SymbolValues{{1, 0}, 2, false, false},   SymbolValues{{0}, 0, true, false},
                        SymbolValues{{3, 10}, 2, false, true},   SymbolValues{{7, 20}, 2, false, true}};

std::optional<SizeValue> value_of(const char* text, int axis = 0) {
    const auto expression = SizeExpression::parse(text, symbols);
    REQUIRE_MESSAGE(expression.has_value(), text, ": ", expression ? "" : expression.error());
    return expression->evaluate({values, axis});
}

std::string complaint_about(const char* text) {
    const auto expression = SizeExpression::parse(text, symbols);
    return expression ? "" : expression.error();
}

}  // namespace

TEST_CASE("sizes compute as Python does") {
    CHECK(value_of("(image + 7 - 1) // 7")->value == 6);
    CHECK(value_of("-7 // 2")->value == -4);
    CHECK(value_of("7 / 2")->value == 3.5);
    CHECK(value_of("2 + 3 * 4 - 1")->value == 13);
    CHECK(value_of("max(1, min(image, 8)) * radius")->value == 16);
    CHECK(value_of("ceil(2.1) + floor(2.9) + round(2.5)")->value == 7);
    CHECK(value_of("-(-radius)")->value == 2);
}

TEST_CASE("a name is of the axis that is looked at, or of the one in brackets") {
    CHECK(value_of("image", 0)->value == 40);
    CHECK(value_of("image", 1)->value == 50);
    CHECK(value_of("image[-1]", 0)->value == 50);
    CHECK(value_of("image[axis + 1]", 0)->value == 50);
    CHECK(value_of("begin - radius * steps", 0)->value == 1);
    CHECK(value_of("begin - radius * steps", 1)->value == 10);
}

TEST_CASE("what cannot be computed has no value") {
    CHECK_FALSE(value_of("image[2]"));
    CHECK_FALSE(value_of("image", 2));
    CHECK_FALSE(value_of("image / (radius - 2)"));
    CHECK_FALSE(value_of("sigma"));
    CHECK_FALSE(value_of("image[0.5]"));
    CHECK_FALSE(value_of("image[begin]"));  // another axis for each tile
}

TEST_CASE("it is known whether a size can fall while the tile moves on") {
    for (const char* text : {"begin", "end + radius", "begin * 3", "begin // 2", "min(begin, image)", "image",
                             "-(-begin)", "ceil(begin / 2)", "(begin + end) / 2"}) {
        INFO(text);
        CHECK(value_of(text)->never_falls);
    }
    for (const char* text : {"-begin", "image - end", "begin * -1", "end - begin", "begin * begin",
                             "8 / begin", "begin // -2"}) {
        INFO(text);
        CHECK_FALSE(value_of(text)->never_falls);
    }
}

TEST_CASE("what is no size is told with the place") {
    CHECK(complaint_about("radus + 1") == "'radus' is not known there");
    CHECK(complaint_about("(image + 1") == "')' is missing");
    CHECK(complaint_about("image +") == "a number or a name is missing at the end");
    CHECK(complaint_about("image ? 2") == "'? 2' is not expected there");
    CHECK(complaint_about("radius[0]") == "'radius' is one number and has no axes");
    CHECK(complaint_about("min(image)") == "',' is missing before ')'");
    CHECK(complaint_about("") == "a number or a name is missing at the end");
    CHECK(complaint_about("((((((((((((((((((((1))))))))))))))))))))") == "it is nested too deeply");
}
