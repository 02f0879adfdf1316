#include "daemon/kernels/expression/compile.hpp"
#include "daemon/kernels/expression/syntax.hpp"
#include "daemon/kernels/map/map.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace slab;
using namespace slab::kernels;
using namespace slab::kernels::expression;

constexpr std::array<DType, 2> floats{DType::float64, DType::float64};

std::string problem_of(std::string_view text) {
    const auto program = compile(text, floats);
    return program ? std::string() : to_text(program.error());
}

std::string repeated(std::string_view part, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += part;
    }
    return text;
}

}  // namespace

TEST_CASE("an error shows its place with a caret") {
    CHECK(problem_of("sqrt(a) + d") == "error: expression: unknown name 'd'\n"
                                       "because: sqrt(a) + d\n"
                                       "                   ^\n"
                                       "try: the inputs are a, b; functions are listed by: slab kernels map");
}

TEST_CASE("what is no expression is refused, with a word about what is") {
    const std::array<std::array<std::string_view, 2>, 20> cases{{
        {"", "ends too early"},
        {"a +", "ends too early"},
        {"(a", "ends too early"},
        {"a b", "not expected"},
        {"a)", "not expected"},
        {"a < b < a", "cannot be chained"},
        {"a and b", "does not work on arrays"},
        {"not a", "does not work on arrays"},
        {"a if b else a", "no 'if'"},
        {"a = b", "means nothing"},
        {"a[0]", "means nothing"},
        {"sqrt(a, b)", "takes 1 argument, not 2"},
        {"where(a, b)", "takes 3 arguments, not 2"},
        {"foo(a)", "no function 'foo'"},
        {"f(a, b, a, b)", "more than 3 arguments"},
        {"12abc", "no number"},
        {"99999999999999999999", "no number"},
        {"a & b", "does not take float64"},
        {"-(a < b)", "does not take bool"},
        {"int32(a) ** -2", "no integers"},
    }};
    for (const auto& [text, told] : cases) {
        CAPTURE(text);
        CHECK(problem_of(text).find(told) != std::string::npos);
    }
}

TEST_CASE("precedences are Python's: the same text with all its parentheses is the same program") {
    const std::array<std::array<std::string_view, 2>, 8> cases{{
        {"a + b * a", "a + (b * a)"},
        {"-a**2", "-(a**2)"},
        {"2**-a", "2**(-a)"},
        {"a**b**a", "a**(b**a)"},
        {"a - b - a", "(a - b) - a"},
        {"a < b + 1", "a < (b + 1)"},
        {"(a<b) | (b<a) & (a==b)", "(a<b) | ((b<a) & (a==b))"},
        {"a / b // a % b", "((a / b) // a) % b"},
    }};
    for (const auto& [text, spelled_out] : cases) {
        CAPTURE(text);
        const auto program = compile(text, floats);
        const auto same = compile(spelled_out, floats);
        REQUIRE(program.has_value());
        REQUIRE(same.has_value());
        REQUIRE(program->instruction_count == same->instruction_count);
        for (std::size_t i = 0; i < static_cast<std::size_t>(program->instruction_count); ++i) {
            CHECK(program->instructions[i].operation == same->instructions[i].operation);
            CHECK(program->instructions[i].operands == same->instructions[i].operands);
        }
    }
}

TEST_CASE("deep and long expressions are refused in bounded time, those within the bounds are not") {
    CHECK(problem_of(repeated("(", 60) + "a" + repeated(")", 60)).empty());
    CHECK(problem_of(repeated("(", 4000)).find("nested more than 64 deep") != std::string::npos);
    CHECK(problem_of(repeated("-", 4000) + "a").find("nested more than 64 deep") != std::string::npos);
    CHECK(problem_of("a" + repeated("**a", 1300)).find("nested more than 64 deep") != std::string::npos);
    CHECK(problem_of("a" + repeated("+a", 127)).empty());
    CHECK(problem_of("a" + repeated("+a", 2000)).find("more than 256 parts") != std::string::npos);
    CHECK(problem_of(repeated("sqrt(", 800)).find("nested more than 64 deep") != std::string::npos);
}

TEST_CASE("the largest program's block fits in the scratch") {
    std::string text = "complex128(a)";
    for (int i = 1; i <= 60; ++i) {
        text += " + a * " + std::to_string(i) + ".5j";
    }
    const auto program = compile(text, floats);
    REQUIRE(program.has_value());
    CHECK(program->block_elements >= 64);
}

TEST_CASE("registers are used again, and what is written twice is computed once") {
    const auto sum = compile("((a + b) * (a - b) + a * b) * ((a + b) - a * b)", floats);
    REQUIRE(sum.has_value());
    CHECK(sum->instruction_count == 7);
    CHECK(sum->register_count <= 4);
    const auto constants = compile("a * (2 * pi / 180) + sqrt(2) ** 2", floats);
    REQUIRE(constants.has_value());
    CHECK(constants->constant_count == 2);
    CHECK(constants->instruction_count == 2);
}

TEST_CASE("random bytes and random tokens are refused or compiled, never more") {
    std::mt19937_64 random(20261121);
    constexpr std::array<std::string_view, 34> tokens{
        "a",  "b",     "c",      "(",     ")",     "(",   ")",  "+",  "-", "*",   "/", "//",
        "%",  "**",    "<",      "==",    "&",     "|",   "~",  ",",  "1", "0",   "2", "2.5",
        "1j", "sqrt(", "where(", "clip(", "int8(", "nan", "-1", "<<", " ", "True"};
    int compiled = 0;
    for (int turn = 0; turn < 30000; ++turn) {
        std::string text;
        const std::uint64_t length = random() % 24;
        for (std::uint64_t i = 0; i < length; ++i) {
            if (turn % 2 == 0) {
                text += static_cast<char>(random());
            } else {
                text += tokens[random() % tokens.size()];
            }
        }
        std::array<DType, 2> types{static_cast<DType>(random() % dtype_count),
                                   static_cast<DType>(random() % dtype_count)};
        const auto program = compile(text, types);
        if (program) {
            ++compiled;
            CHECK(program->instruction_count <= most_nodes);
        } else {
            CHECK(program.error().kind == ErrorKind::usage);
            CHECK(program.error().because.find('^') != std::string::npos);
        }
    }
    CHECK(compiled > 100);
}

TEST_CASE("shapes that do not broadcast are both shown, as the user has them") {
    PlanRequest request{{{DType::float32, {4, 3}, MemoryOrder::c}, {DType::float32, {5, 3}, MemoryOrder::c}},
                        {}};
    request.parameters.set("expr", std::string("a + b"));
    const auto plan = plan_map(request);
    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().because == "a has the shape (4, 3), b has (5, 3)");
    request.axes = AxisOrder::reversed;
    CHECK(plan_map(request).error().because == "a has the shape (3, 4), b has (3, 5)");
}
