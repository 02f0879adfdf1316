#include "client/library/request_body.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace slab;

TEST_CASE("parameters of every type travel as the protocol says") {
    JobRequest request{.kernel = "example",
                       .parameters = {{"whole", std::int64_t{3}},
                                      {"beyond", (std::int64_t{1} << 53) + 1},
                                      {"real", 0.5},
                                      {"infinite", -HUGE_VAL},
                                      {"text", "1,2"},
                                      {"list", std::vector<double>{1, 2.5}},
                                      {"flag", true},
                                      {"table", NumberTable{2, 2, {1, 0, 0, std::nan("")}}}}};
    CHECK(request_body(request)["parameters"] ==
          Json::parse(R"({"beyond":"9007199254740993","flag":true,"infinite":"-inf","list":[1.0,2.5],
                          "real":0.5,"table":[[1.0,0.0],[0.0,"nan"]],"text":"1,2","whole":3})"));
}

TEST_CASE("a large table is packed") {
    JobRequest request{.kernel = "example",
                       .parameters = {{"table", NumberTable{100, 1, std::vector<double>(100, 1.0)}}}};
    const Json table = request_body(request)["parameters"]["table"];
    CHECK(table["rows"] == 100);
    CHECK(table["columns"] == 1);
    CHECK(table["float64"].get<std::string>().starts_with("AAAAAAAA8D8AAAAAAADwPw"));  // 1.0, little-endian
}
