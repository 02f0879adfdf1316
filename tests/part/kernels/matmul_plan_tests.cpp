#include "daemon/kernels/matmul/matmul.hpp"
#include "daemon/kernels/matmul/matmul_program.hpp"

#include <doctest/doctest.h>

namespace {

using namespace slab;
using namespace slab::kernels;

PlanRequest request_of(Shape a, Shape b, DType dtype = DType::float32) {
    return {{{dtype, a, MemoryOrder::c}, {dtype, b, MemoryOrder::c}}, {}};
}

}  // namespace

TEST_CASE("a product has the rows of a and the columns of b, and the stacks of both") {
    CHECK(matmul_kernel().plan(request_of({3, 4}, {4, 5}))->output.shape == Shape{3, 5});
    CHECK(matmul_kernel().plan(request_of({2, 1, 3, 4}, {6, 4, 5}))->output.shape == Shape{2, 6, 3, 5});
    CHECK(matmul_kernel().plan(request_of({4}, {4, 5}))->output.shape == Shape{5});
    CHECK(matmul_kernel().plan(request_of({6, 3, 4}, {4}))->output.shape == Shape{6, 3});
}

TEST_CASE("a block fits into scratch, bands are whole blocks, and tiles are no less") {
    for (const DType dtype : {DType::float32, DType::float64, DType::complex64, DType::complex128}) {
        for (const Shape& a : {Shape{4096, 4096}, Shape{1, 4096}, Shape{500000, 16}, Shape{100, 7}}) {
            const auto plan = matmul_kernel().plan(request_of(a, {a[1], 3000}, dtype));
            REQUIRE(plan.has_value());
            const auto program = plan->program.as<MatmulProgram>();
            CHECK(program.block_rows * program.block_columns * static_cast<std::int64_t>(size_of(dtype)) <=
                  static_cast<std::int64_t>(scratch_bytes));
            CHECK(plan->tiles.least[0] == program.block_rows);
            CHECK(plan->tiles.least[1] == program.block_columns);
            CHECK(plan->band_step == (a[0] > 1 ? program.block_rows : program.block_columns));
        }
    }
}

TEST_CASE("of Fortran-ordered matrices the second, transposed, comes first") {
    PlanRequest request = request_of({4, 3}, {5, 4});  // the user's (3, 4) and (4, 5)
    request.axes = AxisOrder::reversed;
    const auto plan = matmul_kernel().plan(request);
    REQUIRE(plan.has_value());
    CHECK(plan->output.shape == Shape{5, 3});
    CHECK(plan->program.as<MatmulProgram>().input[0] == 1);
}

TEST_CASE("inner sizes that differ are refused with both shapes as the user gave them") {
    PlanRequest request = request_of({4, 3}, {5, 6});
    CHECK(to_text(matmul_kernel().plan(request).error()).find("a is (4, 3), b is (5, 6)") !=
          std::string::npos);
    request.axes = AxisOrder::reversed;
    CHECK(to_text(matmul_kernel().plan(request).error()).find("a is (3, 4), b is (6, 5)") !=
          std::string::npos);
}
