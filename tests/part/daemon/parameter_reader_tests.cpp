#include "daemon/admission/parameter_reader.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace slab;
using namespace slab::daemon;
using slab::kernels::longest_text;
using slab::kernels::ParameterType;

namespace {

kernels::KernelDescription description() {
    kernels::KernelDescription kernel;
    kernel.name = "example";
    kernel.parameters = {{"factor", ParameterType::real_per_axis, "", "> 0", {}, ""},
                         {"order", ParameterType::integer, "", "0 to 5", {}, "0"},
                         {"shape", ParameterType::integer_per_axis, "", "", {}, ""},
                         {"mode", ParameterType::choice, "", "", {"reflect", "nearest"}, "nearest"},
                         {"matrix", ParameterType::table, "", "", {}, ""},
                         {"antialias", ParameterType::flag, "", "", {}, ""},
                         {"axes", ParameterType::axes, "", "", {}, ""},
                         {"expr", ParameterType::text, "", "", {}, ""}};
    return kernel;
}

}  // namespace

TEST_CASE("the command line's text and typed values mean the same") {
    const auto text = read_parameters(description(), {{"factor", {std::string("2,2.5,1")}}});
    const auto typed = read_parameters(description(), {{"factor", {std::int64_t{2}, 2.5, std::int64_t{1}}}});
    REQUIRE(text.has_value());
    REQUIRE(typed.has_value());
    CHECK(*text->get<std::vector<double>>("factor") == std::vector{2.0, 2.5, 1.0});
    CHECK(*text->get<std::vector<double>>("factor") == *typed->get<std::vector<double>>("factor"));
}

TEST_CASE("defaults are filled in, what has none stays absent") {
    const auto values = read_parameters(description(), {});
    CHECK(*values->get<std::int64_t>("order") == 0);
    CHECK(*values->get<std::string>("mode") == "nearest");
    CHECK_FALSE(values->has("factor"));
}

TEST_CASE("a whole number may be written as a real one, a fraction may not") {
    CHECK(read_parameters(description(), {{"order", {3.0}}}).has_value());
    CHECK_FALSE(read_parameters(description(), {{"order", {3.5}}}).has_value());
}

TEST_CASE("unknown names and choices are answered with the nearest") {
    const auto name = read_parameters(description(), {{"facter", {2.0}}});
    REQUIRE_FALSE(name.has_value());
    CHECK(name.error().remedy == "Did you mean 'factor'?");
    const auto choice = read_parameters(description(), {{"mode", {std::string("nearst")}}});
    REQUIRE_FALSE(choice.has_value());
    CHECK(choice.error().remedy == "Did you mean 'nearest'?");
}

TEST_CASE("values that are none are refused") {
    for (const char* text : {"", "x", "2,", ",2", "2,2,2,2,2,2", "1e400", "2 2"}) {
        CAPTURE(text);
        CHECK_FALSE(read_parameters(description(), {{"factor", {std::string(text)}}}).has_value());
    }
    CHECK_FALSE(read_parameters(description(), {{"shape", {std::string("1.5")}}}).has_value());
    CHECK_FALSE(
        read_parameters(description(), {{"order", {std::string("9223372036854775808000")}}}).has_value());
    CHECK_FALSE(read_parameters(description(), {{"order", {}}}).has_value());
}

TEST_CASE("a table is rows of numbers, and a plain list is one row") {
    const NumberTable rows{2, 2, {1, 0, 0, 1}};
    const auto read = [](const GivenParameter& given) {
        const auto values = read_parameters(description(), {given});
        REQUIRE(values.has_value());
        return *values->get<kernels::Table>("matrix");
    };
    CHECK(read({"matrix", {}, rows}) == rows);
    CHECK(read({"matrix", {std::string("1,0;0,1")}}) == rows);
    CHECK(read({"matrix", {1.5, std::int64_t{2}, std::string("inf")}}) ==
          NumberTable{1, 3, {1.5, 2, HUGE_VAL}});
    CHECK(read({"matrix", {std::int64_t{2}}}) == NumberTable{1, 1, {2}});
}

TEST_CASE("of a job that has ended large tables keep their size and no memory") {
    auto values = read_parameters(description(), {{"matrix", {}, NumberTable{2, 2, {1, 0, 0, 1}}}});
    REQUIRE(values.has_value());
    values->forget_tables_above(4);
    CHECK(values->get<kernels::Table>("matrix")->values.size() == 4);
    values->forget_tables_above(3);
    CHECK(values->get<kernels::Table>("matrix")->rows == 2);
    CHECK(values->get<kernels::Table>("matrix")->values.capacity() == 0);
}

TEST_CASE("what is no table is refused with the place, and a table is no number") {
    const auto ragged = read_parameters(description(), {{"matrix", {std::string("1,0;0")}}});
    REQUIRE_FALSE(ragged.has_value());
    CHECK(ragged.error().because == "row 2 has 1 number where the others have 2");
    CHECK_FALSE(read_parameters(description(), {{"matrix", {}}}).has_value());
    CHECK_FALSE(read_parameters(description(), {{"matrix", {1.0, std::string("x")}}}).has_value());
    const auto factor = read_parameters(description(), {{"factor", {}, NumberTable{1, 2, {1, 2}}}});
    REQUIRE_FALSE(factor.has_value());
    CHECK(factor.error().what == "factor cannot be a table of 1 row and 2 columns");
    for (const char* name : {"order", "shape", "mode", "antialias"}) {
        CAPTURE(name);
        CHECK_FALSE(read_parameters(description(), {{name, {}, NumberTable{1, 1, {1}}}}).has_value());
    }
}

TEST_CASE("a flag is on, off, or off by default") {
    CHECK(*read_parameters(description(), {})->get<bool>("antialias") == false);
    for (const char* text : {"on", "true"}) {
        CHECK(*read_parameters(description(), {{"antialias", {std::string(text)}}})->get<bool>("antialias"));
    }
    for (const char* text : {"off", "false"}) {
        CHECK_FALSE(
            *read_parameters(description(), {{"antialias", {std::string(text)}}})->get<bool>("antialias"));
    }
    for (const GivenScalar& wrong : {GivenScalar("maybe"), GivenScalar(""), GivenScalar(std::int64_t{1})}) {
        const auto values = read_parameters(description(), {{"antialias", {wrong}}});
        REQUIRE_FALSE(values.has_value());
        CHECK(values.error().because == "it takes on or off, true or false");
    }
}

TEST_CASE("axes are one index or a list of them, as text or as numbers") {
    const auto read = [](std::vector<GivenScalar> given) {
        const auto values = read_parameters(description(), {{"axes", std::move(given)}});
        REQUIRE(values.has_value());
        return values->get<kernels::AxisList>("axes")->indices;
    };
    CHECK(read({std::string("0,-1")}) == std::vector<std::int64_t>{0, -1});
    CHECK(read({std::int64_t{2}, std::int64_t{0}}) == std::vector<std::int64_t>{2, 0});
    CHECK(read({std::int64_t{1}}) == std::vector<std::int64_t>{1});
    CHECK_FALSE(read_parameters(description(), {})->has("axes"));
    for (const char* wrong : {"", "x", "0.5", "0,1,2,3,4,5", "0:2"}) {
        CAPTURE(wrong);
        CHECK_FALSE(read_parameters(description(), {{"axes", {std::string(wrong)}}}).has_value());
    }
    CHECK_FALSE(read_parameters(description(), {{"axes", {}}}).has_value());
}

TEST_CASE("a text is taken as it is, commas and all, and has an end") {
    const auto read = [](GivenScalar given) {
        return read_parameters(description(), {{"expr", {std::move(given)}}});
    };
    CHECK(*read(std::string("clip(a, 0, 1)"))->get<std::string>("expr") == "clip(a, 0, 1)");
    CHECK(*read(std::int64_t{1})->get<std::string>("expr") == "1");
    CHECK(read(std::string(longest_text, 'a')).has_value());
    CHECK_FALSE(read(std::string(longest_text + 1, 'a')).has_value());
    CHECK_FALSE(read(std::string()).has_value());
    CHECK_FALSE(read_parameters(description(), {{"expr", {std::string("a"), std::string("b")}}}).has_value());
    CHECK_FALSE(read_parameters(description(), {{"expr", {}, NumberTable{1, 1, {1}}}}).has_value());
}

TEST_CASE("per-axis values turn round with the axes, a single one does not") {
    auto values =
        read_parameters(description(), {{"factor", {std::string("1,2,3")}}, {"shape", {std::string("7")}}});
    values->reverse_axes();
    CHECK(*values->get<std::vector<double>>("factor") == std::vector{3.0, 2.0, 1.0});
    CHECK(*values->get<std::vector<std::int64_t>>("shape") == std::vector<std::int64_t>{7});
}
