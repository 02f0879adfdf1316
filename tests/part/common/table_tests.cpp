#include "common/array/table_text.hpp"
#include "common/protocol/base64.hpp"
#include "common/protocol/table_json.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace slab;

namespace {

NumberTable table_in(std::string_view text, TableText form = TableText::file) {
    const auto table = table_from_text(text, form);
    REQUIRE(table.has_value());
    return *table;
}

std::string problem_in(std::string_view text, TableText form = TableText::file) {
    const auto table = table_from_text(text, form);
    REQUIRE_FALSE(table.has_value());
    return table.error();
}

Json counted(std::int64_t rows, std::int64_t columns, std::size_t bytes) {
    return {{"rows", rows}, {"columns", columns}, {"float64", base64_of(std::string(bytes, 'x'))}};
}

}  // namespace

TEST_CASE("files of SPM, FSL, AFNI and numpy are read") {
    const NumberTable two{2, 3, {1, 2.5, -3e-7, 4, 5, 6}};
    CHECK(table_in("   1.0000000e+00   2.5000000e+00  -3.0000000e-07\n   4 5 6\n") == two);
    CHECK(table_in("1  2.5  -3e-07  \n4  5  6  \n") == two);
    CHECK(table_in("# 3dvolreg matrices\n# roll pitch yaw\n\n 1 +2.5 -3e-7\n 4 5 6 # last\n\n") == two);
    CHECK(table_in("1,2.5,-3e-7\r\n4 , 5,\t6") == two);
}

TEST_CASE("numbers that are not finite, or too small, are numbers") {
    const NumberTable table = table_in("nan inf -inf 1e-400");
    CHECK(std::isnan(table.values[0]));
    CHECK(table.values[1] == HUGE_VAL);
    CHECK(table.values[2] == -HUGE_VAL);
    CHECK(table.values[3] == 0);
}

TEST_CASE("typed rows end with semicolons, and a plain list is one row") {
    CHECK(table_in("1,0;0,1", TableText::typed) == NumberTable{2, 2, {1, 0, 0, 1}});
    CHECK(table_in("1 0 ; 0 1", TableText::typed) == NumberTable{2, 2, {1, 0, 0, 1}});
    CHECK(table_in("1,2,3", TableText::typed) == NumberTable{1, 3, {1, 2, 3}});
    CHECK(table_in("-7", TableText::typed) == NumberTable{1, 1, {-7}});
}

TEST_CASE("what is wrong with a table is told with its place") {
    CHECK(problem_in("1 2 3\n# note\n\n4 5\n6 7 8\n") == "line 4 has 2 numbers where the others have 3");
    CHECK(problem_in("1 2\n3 4\n5 abc\n") == "'abc' in line 3 is not a number");
    CHECK(problem_in("1,,2") == "a number is missing in line 1");
    CHECK(problem_in("1,2,\n") == "a number is missing in line 1");
    CHECK(problem_in("") == "there are no numbers");
    CHECK(problem_in("# nothing\n\n") == "there are no numbers");
    CHECK(problem_in("1e400") == "'1e400' in line 1 is not a number");
    CHECK(problem_in("\x89PNG\r\n\x1a") == "'?PNG' in line 1 is not a number");
    CHECK(problem_in("1,0;0", TableText::typed) == "row 2 has 1 number where the others have 2");
    CHECK(problem_in("1,0;", TableText::typed) == "a number is missing in row 2");
    CHECK(problem_in("", TableText::typed) == "a number is missing in row 1");
    CHECK(problem_in("rp.txt", TableText::typed) == "'rp.txt' in row 1 is not a number");
}

TEST_CASE("a table with more numbers than are possible is refused") {
    std::string text;
    for (std::int64_t i = 0; i <= most_table_numbers; ++i) {
        text += "1\n";
    }
    CHECK(problem_in(text) == "it has more than 1000000 numbers");
    text.resize(text.size() - 2);
    CHECK(table_in(text).rows == most_table_numbers);
}

TEST_CASE("every table comes through JSON bit for bit, large ones packed") {
    NumberTable table{100, 3, {}};
    for (int i = 0; i < 300; ++i) {
        table.values.push_back(1.0 / (i + 1));
    }
    table.values[7] = HUGE_VAL;
    CHECK(table_to_json(table).is_object());
    CHECK(table_from_json(json_from_text(table_to_json(table).dump()), "t") == table);
    table = {2, 2, {0.1, -HUGE_VAL, 1e-310, 3}};
    CHECK(table_to_json(table).is_array());
    CHECK(table_from_json(json_from_text(table_to_json(table).dump()), "t") == table);
    table = {1, 1, {std::nan("")}};
    CHECK(std::isnan(table_from_json(table_to_json(table), "t")->values.front()));
}

TEST_CASE("JSON that is no table is refused with its row") {
    CHECK(table_from_json(Json::parse("[[1,2],[3]]"), "m").error().because ==
          "row 2 has 1 number where the others have 2");
    CHECK(table_from_json(Json::parse("[[1,2],3]"), "m").error().because == "row 2 is not a list of numbers");
    for (const char* text : {"[[1],[true]]", "[[1],[null]]", "[[1],[[2]]]", R"([["x"]])", "[[]]", "{}",
                             R"({"rows":1,"columns":1})", R"({"rows":1,"columns":1,"float64":7})",
                             R"({"rows":1,"columns":1,"float64":"?"})"}) {
        CAPTURE(text);
        CHECK_FALSE(table_from_json(Json::parse(text), "m").has_value());
    }
}

TEST_CASE("a packed table whose size does not fit its bytes is refused") {
    CHECK(table_from_json(counted(2, 3, 48), "m").has_value());
    CHECK_FALSE(table_from_json(counted(2, 3, 47), "m").has_value());
    CHECK_FALSE(table_from_json(counted(2, 3, 56), "m").has_value());
    CHECK_FALSE(table_from_json(counted(0, 3, 0), "m").has_value());
    CHECK_FALSE(table_from_json(counted(-2, -3, 48), "m").has_value());
    CHECK_FALSE(table_from_json(counted(INT64_MAX, INT64_MAX, 8), "m").has_value());
    CHECK_FALSE(table_from_json(counted(std::int64_t{1} << 61, 8, 0), "m").has_value());
    CHECK_FALSE(table_from_json(counted(most_table_numbers + 1, 1, 8), "m").has_value());
}

TEST_CASE("of a large table people are told the size") {
    const NumberTable large{5000, 16, std::vector<double>(80'000)};
    CHECK(table_summary(large) == Json{{"rows", 5000}, {"columns", 16}});
    CHECK(table_summary({2, 2, {1, 0, 0, 1}}) == Json::parse("[[1.0,0.0],[0.0,1.0]]"));
}

TEST_CASE("a table whose size and numbers contradict is left for the daemon to refuse") {
    for (const NumberTable& wrong : {NumberTable{2, 2, {}}, NumberTable{-1, -4, {1, 2, 3, 4}},
                                     NumberTable{1, 0, {1}}, NumberTable{3, 2, {1, 2, 3, 4}}}) {
        CHECK_FALSE(table_from_json(table_to_json(wrong), "m").has_value());
    }
}
