#include "daemon/kernels/affine/affine.hpp"
#include "daemon/kernels/sampling/sampling_program.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace slab;
using namespace slab::kernels;

const Shape picture{20, 30};

ParameterValues with(Table matrix) {
    ParameterValues values;
    values.set("matrix", std::move(matrix));
    return values;
}

Expected<KernelPlan> plan_of(const ParameterValues& values, AxisOrder axes = AxisOrder::as_given,
                             DType dtype = DType::float32) {
    return plan_affine({{{dtype, picture, MemoryOrder::c}}, values, axes});
}

std::string error_of(const ParameterValues& values, DType dtype = DType::float32) {
    const auto plan = plan_of(values, AxisOrder::as_given, dtype);
    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().kind == ErrorKind::usage);
    CHECK_FALSE(plan.error().because.empty());
    CHECK_FALSE(plan.error().remedy.empty());
    return to_text(plan.error());
}

bool mentions(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every form of the matrix becomes the same pull-back") {
    ParameterValues separate = with({2, 2, {2, 0, 0, 3}});
    separate.set("offset", std::vector<double>{4, 5});
    ParameterValues diagonal = with({2, 1, {2, 3}});
    diagonal.set("offset", std::vector<double>{4, 5});
    for (const ParameterValues& values :
         {separate, diagonal, with({2, 3, {2, 0, 4, 0, 3, 5}}), with({3, 3, {2, 0, 4, 0, 3, 5, 0, 0, 1}})}) {
        const auto plan = plan_of(values);
        REQUIRE(plan.has_value());
        const PullBack pull_back = pull_back_of(plan->table, 0);
        CHECK(pull_back.matrix[1][1] == 2);
        CHECK(pull_back.matrix[2][2] == 3);
        CHECK(pull_back.matrix[1][2] == 0);
        CHECK(pull_back.offset[1] == 4);
        CHECK(pull_back.offset[2] == 5);
    }
}

TEST_CASE("shown the array turned round, the matrix is turned as well") {
    ParameterValues values = with({2, 2, {1, 2, 3, 4}});
    values.set("offset", std::vector<double>{6, 5});  // the caller has turned it already
    const auto plan = plan_of(values, AxisOrder::reversed);
    REQUIRE(plan.has_value());
    const PullBack pull_back = pull_back_of(plan->table, 0);
    CHECK(pull_back.matrix[1][1] == 4);
    CHECK(pull_back.matrix[1][2] == 3);
    CHECK(pull_back.matrix[2][1] == 2);
    CHECK(pull_back.matrix[2][2] == 1);
    CHECK(pull_back.offset[1] == 6);
    CHECK(pull_back.offset[2] == 5);
}

TEST_CASE("what cannot be is refused with its reason") {
    const Table unit{2, 2, {1, 0, 0, 1}};
    CHECK(mentions(error_of(ParameterValues()), "matrix"));
    CHECK(mentions(error_of(with({3, 2, {1, 0, 0, 1, 0, 0}})), "3 x 2"));
    CHECK(mentions(error_of(with({4, 1, {1, 2, 3, 4}})), "4 numbers"));
    CHECK(mentions(error_of(with({3, 3, {1, 0, 0, 0, 1, 0, 0.5, 0, 1}})), "last row"));
    CHECK(mentions(error_of(with({2, 2, {1, 0, std::numeric_limits<double>::infinity(), 1}})),
                   "row 1, column 0"));
    ParameterValues values = with({2, 3, {1, 0, 0, 0, 1, 0}});
    values.set("offset", std::vector<double>{1, 2});
    CHECK(mentions(error_of(values), "twice"));
    values = with(unit);
    values.set("order", std::int64_t{6});
    CHECK(mentions(error_of(values), "order 6"));
    values = with(unit);
    values.set("cval", std::numeric_limits<double>::quiet_NaN());
    CHECK(mentions(error_of(values, DType::int16), "cval"));
    CHECK(plan_of(values).has_value());
    values = with(unit);
    values.set("shape", std::vector<std::int64_t>{3, 0});
    CHECK(mentions(error_of(values), "empty"));
}
