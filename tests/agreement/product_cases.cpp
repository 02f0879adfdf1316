#include "tests/agreement/product_cases.hpp"

#include <iterator>

namespace slab::agreement {
namespace {

using kernels::AxisList;
using kernels::AxisOrder;
using kernels::ParameterValues;

void add_matmul(std::vector<AgreementCase>& cases, DType dtype, const Shape& a, const Shape& b,
                AxisOrder axes = AxisOrder::as_given) {
    std::string name = "matmul " + to_text(a) + " by " + to_text(b) + " " + std::string(name_of(dtype)) +
                       (axes == AxisOrder::reversed ? " reversed" : "");
    cases.push_back({std::move(name),
                     {{{dtype, a, MemoryOrder::c}, {dtype, b, MemoryOrder::c}}, {}, axes},
                     Content::up_to_one});
}

void add_fft(std::vector<AgreementCase>& cases, std::string_view kernel, DType dtype, const Shape& shape,
             const std::vector<std::int64_t>& axes, const std::string& norm, std::int64_t n = 0) {
    ParameterValues parameters;
    parameters.set("axes", AxisList{axes});
    parameters.set("norm", norm);
    if (n > 0) {
        parameters.set("n", n);
    }
    std::string name(kernel);
    name += " " + to_text(shape) + " " + std::string(name_of(dtype)) + " " + norm + " axes";
    for (const std::int64_t axis : axes) {
        name += " " + std::to_string(axis);
    }
    cases.push_back({std::move(name), {{{dtype, shape, MemoryOrder::c}}, parameters}, Content::ordinary});
}

}  // namespace

std::vector<AgreementCase> matmul_cases() {
    std::vector<AgreementCase> cases;
    for (const DType dtype : {DType::float32, DType::float64, DType::complex64, DType::complex128}) {
        add_matmul(cases, dtype, {1, 1}, {1, 1});
        add_matmul(cases, dtype, {3, 5}, {5, 7});
        add_matmul(cases, dtype, {1, 40}, {40, 300});
        add_matmul(cases, dtype, {300, 1}, {1, 9});
        add_matmul(cases, dtype, {150, 21}, {21, 170});
        add_matmul(cases, dtype, {400, 3}, {3, 270});
        add_matmul(cases, dtype, {37}, {37, 200});
        add_matmul(cases, dtype, {200, 37}, {37});
        add_matmul(cases, dtype, {4, 10, 6}, {4, 6, 9});
        add_matmul(cases, dtype, {3, 1, 10, 6}, {4, 6, 9});
        add_matmul(cases, dtype, {10, 6}, {2, 3, 6, 150});
        add_matmul(cases, dtype, {5, 11, 6}, {6});
        add_matmul(cases, dtype, {21, 150}, {170, 21}, AxisOrder::reversed);
        add_matmul(cases, dtype, {21, 150}, {21}, AxisOrder::reversed);
    }
    return cases;
}

std::vector<AgreementCase> fft_cases(std::string_view kernel) {
    const DType real_types[] = {DType::float32, DType::float64, DType::int16, DType::boolean, DType::uint32};
    const DType all_types[] = {DType::complex64, DType::complex128, DType::float32, DType::float64,
                               DType::uint8};
    const auto& dtypes = kernel == "rfft" ? real_types : all_types;
    const char* const norms[] = {"backward", "ortho", "forward"};
    std::vector<AgreementCase> cases;
    std::size_t turn = 0;
    const auto add = [&](const Shape& shape, const std::vector<std::int64_t>& axes) {
        const std::int64_t half =
            shape[static_cast<int>(axes.back() < 0 ? shape.rank + axes.back() : axes.back())];
        // Even and odd outputs in turn; of one element there is no even one.
        const bool is_given = kernel == "irfft" && (half == 1 || turn % 2 == 0);
        add_fft(cases, kernel, dtypes[turn % 5], shape, axes, norms[turn % 3], is_given ? 2 * half - 1 : 0);
        ++turn;
    };
    // Every butterfly, their products, primes beyond them, real lines of half the length.
    for (const std::int64_t n :
         {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 17, 20, 30, 37, 60, 61, 67, 100, 134}) {
        add({n}, {0});
        add({5, n}, {1});
        add({n, 19}, {0});
    }
    add({256}, {0});
    add({243}, {0});
    for (int i = 0; i < 5; ++i) {
        add({9, 20}, {0, 1});
        add({20, 9}, {1, 0});
        add({3, 8, 35}, {1});
        add({4, 6, 10}, {0, 1, 2});
        add({4, 6, 10}, {-1, 0});
        add({1, 40, 3}, {1});
        add({2, 3, 4, 5, 6}, {0, 2, 4});
    }
    return cases;
}

}  // namespace slab::agreement
