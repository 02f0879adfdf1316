#include "client/command_line/split_arguments.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace slab;

namespace {

using Words = std::vector<std::string>;

const std::vector<KnownOption> known{{"output", KnownOption::Takes::value},
                                     {"o", KnownOption::Takes::value},
                                     {"max-memory", KnownOption::Takes::value},
                                     {"overwrite", KnownOption::Takes::nothing},
                                     {"keep", KnownOption::Takes::nothing}};

SplitArguments split(const Words& words) {
    const auto result = split_arguments(words, known);
    REQUIRE(result);
    return *result;
}

std::string text_of(const SplitArguments& arguments, const std::string& name) {
    const auto found = std::ranges::find(arguments.parameters, name, &ParameterWord::name);
    return found == arguments.parameters.end() ? "(absent)" : found->text;
}

}  // namespace

TEST_CASE("long options that the client does not know are parameters with their values") {
    const auto result =
        split({"zoom", "in.npy", "--factor", "2,2,1", "-o", "out.npy", "--grid-mode=voxel", "--keep"});
    CHECK(result.known == Words{"zoom", "in.npy", "-o", "out.npy", "--keep"});
    CHECK(text_of(result, "factor") == "2,2,1");
    CHECK(text_of(result, "grid_mode") == "voxel");
}

TEST_CASE("a parameter's value may be a negative number") {
    CHECK(text_of(split({"--factor", "-1"}), "factor") == "-1");
    CHECK(text_of(split({"--shift", "-.5,-2"}), "shift") == "-.5,-2");
    CHECK(text_of(split({"--cval", "-inf"}), "cval") == "-inf");
    CHECK(text_of(split({"--cval=-o"}), "cval") == "-o");
}

TEST_CASE("the client's own options keep their values, however spelled") {
    CHECK(split({"--max-memory", "6GiB"}).known == Words{"--max-memory=6GiB"});
    CHECK(split({"--max_memory=6GiB"}).known == Words{"--max-memory=6GiB"});
    CHECK(split({"--output", "--factor"}).known == Words{"--output=--factor"});
    CHECK(split({"-o", "--factor"}).known == Words{"-o", "--factor"});
}

TEST_CASE("everything behind -- is left alone") {
    CHECK(split({"zoom", "--", "--factor", "2"}).known == Words{"zoom", "--", "--factor", "2"});
}

TEST_CASE("a parameter without a value is bare, and may have been meant for an option") {
    const auto result = split({"zoom", "--overwrit", "-o", "out.npy", "--factor"});
    REQUIRE(result.parameters.size() == 2);
    CHECK(result.parameters[0].form == ParameterWord::Form::bare);
    CHECK(result.parameters[0].option_meant == "overwrite");
    CHECK(result.parameters[1].form == ParameterWord::Form::bare);
    CHECK(result.parameters[1].option_meant.empty());
}

TEST_CASE("a parameter remembers how it was typed and where") {
    const auto result = split({"zoom", "-o", "out.npy", "--antialias", "in.npy", "b.npy", "--order=1", "-"});
    REQUIRE(result.parameters.size() == 2);
    CHECK(result.parameters[0].form == ParameterWord::Form::next_word);
    CHECK(result.parameters[0].positionals_before == 1);
    CHECK(result.parameters[1].form == ParameterWord::Form::joined);
    CHECK(result.parameters[1].positionals_before == 2);
}

TEST_CASE("a parameter that is given twice is an error") {
    CHECK_FALSE(split_arguments(Words{"--grid-mode", "1", "--grid_mode", "2"}, known));
}
