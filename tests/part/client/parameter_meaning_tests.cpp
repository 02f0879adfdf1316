#include "client/command_line/parameter_meaning.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

using namespace slab;
using slab::test::ScratchFolder;

namespace {

using Form = ParameterWord::Form;

KernelInfo kernel() {
    KernelInfo info;
    info.name = "example";
    info.parameters = {{"factor", "real", "", "", {}, ""},
                       {"matrix", "table", "", "", {}, ""},
                       {"antialias", "flag", "", "", {}, "off"}};
    return info;
}

UnderstoodParameters understood(const std::vector<ParameterWord>& words, const Parameters& given = {},
                                const std::string& folder = "") {
    const auto result = understand_parameters(kernel(), words, given, folder);
    REQUIRE(result.has_value());
    return *result;
}

Error error_for(const std::vector<ParameterWord>& words) {
    const auto result = understand_parameters(kernel(), words, {}, "");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().kind == ErrorKind::usage);
    return result.error();
}

}  // namespace

TEST_CASE("a flag does not eat the input behind it") {
    const auto result = understood({{"antialias", Form::next_word, "in.npy", 1}});
    CHECK(result.parameters.at("antialias") == ParameterValue(true));
    REQUIRE(result.inputs.size() == 1);
    CHECK(result.inputs.front().text == "in.npy");
    CHECK(result.inputs.front().place == 0);
}

TEST_CASE("a flag takes on and off, and behind = everything") {
    CHECK(understood({{"antialias"}}).parameters.at("antialias") == ParameterValue(true));
    for (const char* truth : {"on", "off", "true", "false"}) {
        const auto result = understood({{"antialias", Form::next_word, truth, 1}});
        CHECK(result.parameters.at("antialias") == ParameterValue(std::string(truth)));
        CHECK(result.inputs.empty());
    }
    CHECK(understood({{"antialias", Form::joined, "maybe"}}).parameters.at("antialias") ==
          ParameterValue(std::string("maybe")));
}

TEST_CASE("freed words take their places among the inputs") {
    KernelInfo two = kernel();
    two.parameters.push_back({"exact", "flag", "", "", {}, "off"});
    // slab run example a.npy --antialias b.npy c.npy --exact d.npy
    const auto result = understand_parameters(
        two, {{"antialias", Form::next_word, "b.npy", 2}, {"exact", Form::next_word, "d.npy", 3}}, {}, "");
    REQUIRE(result.has_value());
    REQUIRE(result->inputs.size() == 2);
    CHECK(result->inputs[0].place == 1);
    CHECK(result->inputs[1].place == 3);
}

TEST_CASE("a parameter that is no flag needs a value, and the error guesses what was meant") {
    CHECK(error_for({{"factor"}}).remedy.starts_with("Give one: --factor VALUE."));
    CHECK(error_for({{.name = "overwrit", .option_meant = "overwrite"}}).remedy ==
          "Did you mean --overwrite?");
    CHECK(error_for({{"antialas"}}).remedy == "Did you mean --antialias?");
}

TEST_CASE("a table is a file if there is one, else the numbers") {
    const ScratchFolder folder;
    const std::string path = folder.write("1,2", "7 8\n");
    const NumberTable typed{1, 2, {1, 2}};
    const NumberTable from_file{1, 2, {7, 8}};
    CHECK(understood({{"matrix", Form::next_word, "1,2"}}).parameters.at("matrix") == ParameterValue(typed));
    CHECK(understood({{"matrix", Form::next_word, path}}).parameters.at("matrix") ==
          ParameterValue(from_file));
}

TEST_CASE("a file that a job file names is looked for beside it, one that is typed is not") {
    const ScratchFolder folder;
    folder.write("1,2", "7 8\n");
    const Parameters given{{"matrix", std::string("1,2")}};
    const NumberTable typed{1, 2, {1, 2}};
    const NumberTable from_file{1, 2, {7, 8}};
    CHECK(understood({}, given, folder / "").parameters.at("matrix") == ParameterValue(from_file));
    CHECK(understood({{"matrix", Form::joined, "1,2"}}, given, folder / "").parameters.at("matrix") ==
          ParameterValue(typed));
}

TEST_CASE("a table that is neither file nor numbers is refused with both reasons") {
    const Error error = error_for({{"matrix", Form::next_word, "rp.txt"}});
    CHECK(error.what == "--matrix cannot be 'rp.txt'");
    CHECK(error.because ==
          "as a file: No such file or directory; as numbers: 'rp.txt' in row 1 is not a number");
    CHECK_FALSE(error.remedy.empty());
}

TEST_CASE("a kernel that was taken for a flag's value is found out") {
    const Error error = hinting_at_flags({ErrorKind::usage, "there is no kernel 'in.npy'", "", ""},
                                         {{"antialias", Form::next_word, "zoom", 0}});
    CHECK(error.because == "'zoom' was taken for the value of --antialias");
    CHECK(error.remedy == "Name the kernel first, or write --antialias=on if --antialias is a flag.");
}
