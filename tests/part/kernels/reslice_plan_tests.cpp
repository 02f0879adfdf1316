#include "daemon/kernels/reslice/reslice.hpp"
#include "daemon/kernels/sampling/sampling_plan.hpp"
#include "daemon/kernels/sampling/sampling_program.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace slab;
using namespace slab::kernels;

const Shape series{7, 4, 5, 6};  // frames first

Table table_of(std::int64_t rows, std::int64_t columns, double value = 0.0) {
    return {rows, columns, std::vector<double>(static_cast<std::size_t>(rows * columns), value)};
}

Table matrices(std::int64_t frames) {
    Table table = table_of(frames, 16);
    for (std::int64_t frame = 0; frame < frames; ++frame) {
        for (std::int64_t i = 0; i < 4; ++i) {
            table.values[static_cast<std::size_t>(16 * frame + 5 * i)] = 1.0;
        }
    }
    return table;
}

ParameterValues with(Table transforms, const char* convention = nullptr) {
    ParameterValues values;
    values.set("transforms", std::move(transforms));
    values.set("batch", std::string("first"));
    if (convention != nullptr) {
        values.set("convention", std::string(convention));
    }
    return values;
}

Expected<KernelPlan> plan_of(const ParameterValues& values, Shape shape = series,
                             DType dtype = DType::float32) {
    return plan_reslice({{{dtype, shape, MemoryOrder::c}}, values});
}

std::string error_of(const ParameterValues& values, Shape shape = series) {
    const auto plan = plan_of(values, shape);
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

TEST_CASE("a table with too few or too many transforms says how many of each") {
    const std::string too_few = error_of(with(table_of(6, 6), "spm"));
    CHECK(mentions(too_few, "6 transforms"));
    CHECK(mentions(too_few, "7 frames"));
    CHECK(mentions(error_of(with(matrices(8))), "8 transforms"));
}

TEST_CASE("two conventions at once, or none for six numbers, are refused") {
    CHECK(mentions(error_of(with(matrices(7), "fsl")), "two conventions"));
    CHECK(mentions(error_of(with(table_of(7, 6))), "convention"));
    CHECK(mentions(error_of(with(table_of(7, 6), "fsl")), "centre"));
}

TEST_CASE("a singular frame is named with its determinant") {
    Table table = matrices(7);
    table.values[16 * 4] = 0.0;
    const std::string text = error_of(with(table));
    CHECK(mentions(text, "frame 4"));
    CHECK(mentions(text, "determinant is 0"));
}

TEST_CASE("a number that is none is named with its place") {
    Table table = table_of(7, 6);
    table.values[5 * 6 + 2] = std::numeric_limits<double>::quiet_NaN();
    CHECK(mentions(error_of(with(table, "spm")), "row 5, column 2"));
}

TEST_CASE("a table whose rows mean nothing says which would") {
    const std::string text = error_of(with(table_of(7, 9)));
    CHECK(mentions(text, "9 columns"));
    CHECK(mentions(text, "12"));
}

TEST_CASE("a frame that is not moved looks at whole numbers, whatever the affine") {
    ParameterValues values = with(table_of(7, 6), "spm");
    values.set("affine",
               Table{4, 4, {-2.9, 0.31, 0.2, 22, 0.35, 3.1, -0.4, -31, 0.15, 0.5, 2.4, -12, 0, 0, 0, 1}});
    const auto plan = plan_of(values);
    REQUIRE(plan.has_value());
    const PullBack pull_back = pull_back_of(plan->table, 3);
    for (std::size_t row = 0; row < 3; ++row) {
        CHECK(pull_back.offset[row] == 0.0);
        for (std::size_t column = 0; column < 3; ++column) {
            CHECK(pull_back.matrix[row][column] == (row == column ? 1.0 : 0.0));
        }
    }
}

TEST_CASE("frames that come first need themselves alone, other series all of their input") {
    ParameterValues values = with(matrices(7));
    values.set("mask_outside", true);
    const auto plan = plan_of(values, series, DType::complex64);
    REQUIRE(plan.has_value());
    const std::vector<Shape> inputs{series};
    const auto reads = [&](std::size_t source, int source_axis) {
        return sampling_band_reads({&*plan, inputs, source, source_axis, 0, {2, 4}});
    };
    REQUIRE(plan->workspaces.size() == 5);  // three filters, planes, the mask
    CHECK(reads(0, 0) == AxisRange{2, 4});  // the input
    CHECK(reads(1, 0) == AxisRange{2, 4});  // coefficients
    CHECK(reads(4, 0) == AxisRange{4, 8});  // two planes a frame
    CHECK(reads(5, 0) == AxisRange{0, 4});  // the mask: all lines

    values.set("batch", std::string("last"));
    values.set("transforms", matrices(6));
    const auto last = plan_of(values);
    REQUIRE(last.has_value());
    CHECK(sampling_band_reads({&*last, inputs, 0, 0, 0, {2, 4}}) == AxisRange{0, 7});
}
