#include "tests/agreement/expression_cases.hpp"

namespace slab::agreement {
namespace {

using kernels::AxisList;
using kernels::ParameterValues;
using kernels::PlanRequest;

ArrayDescription array(DType dtype, const Shape& shape) {
    return {dtype, shape, MemoryOrder::c};
}

DType dtype_of(int number) {
    return static_cast<DType>(number % dtype_count);
}

void add_map(std::vector<AgreementCase>& cases, const std::string& expression,
             std::vector<ArrayDescription> inputs, Content content = Content::any_bits) {
    ParameterValues parameters;
    parameters.set("expr", expression);
    std::string name = "map " + expression;
    for (const ArrayDescription& input : inputs) {
        name += " " + to_text(input.shape) + " " + std::string(name_of(input.dtype));
    }
    cases.push_back({name, {std::move(inputs), parameters}, content});
}

// Exact ones, over any bits.
constexpr const char* expressions_of_two[] = {"a + b",
                                              "a * b",
                                              "a < b",
                                              "a >= b",
                                              "a == b",
                                              "a != b",
                                              "minimum(a, b)",
                                              "max(a, b)",
                                              "where(a, b, 1)",
                                              "a * 2 + b * 3",
                                              "a**2 + b",
                                              "clip(a, 1, b)",
                                              "abs(a) * b",
                                              "isnan(a) | (b > 2)",
                                              "conj(a) - int32(b)",
                                              "real(a) / 3",
                                              "isfinite(a * b)"};

constexpr const char* expressions_of_reals[] = {"a // b",           "a % b",       "a / b",
                                                "floor(a / 3) - b", "rint(b)",     "sqrt(abs(a))",
                                                "float32(a) * b",   "uint8(a) + b"};

// Values of SIMD code that lie beside the library's; all results as large as the inputs or smaller.
constexpr const char* approximations[] = {
    "sin(a)",           "cos(a)",      "tanh(a)",       "arctan(a)",     "arcsin(a / 1000)",
    "arccos(a / 1000)", "log(abs(a))", "log1p(a * a)",  "exp(-abs(a))",  "expm1(a / 200)",
    "sinh(a / 200)",    "log2(a * a)", "log10(abs(a))", "cosh(a / 999)", "tan(a / 2000)",
    "arctan2(a, 3)",    "hypot(a, 1)", "abs(a) ** 0.3"};

void add_dtypes(std::vector<AgreementCase>& cases) {
    int turn = 0;
    for (const char* expression : expressions_of_two) {
        for (int first = 0; first < dtype_count; ++first, ++turn) {
            add_map(cases, expression,
                    {array(dtype_of(first), {7, 45}), array(dtype_of(first + turn % 5), {7, 45})});
        }
    }
    for (const char* expression : expressions_of_reals) {
        for (int first = 0; first < 11; ++first, ++turn) {
            add_map(cases, expression,
                    {array(dtype_of(first), {315}), array(dtype_of((first + turn) % 11), {315})});
        }
    }
    for (const char* expression : approximations) {
        add_map(cases, expression, {array(DType::float32, {3, 333})}, Content::ordinary);
        add_map(cases, expression, {array(DType::float64, {3, 333})}, Content::ordinary);
    }
}

}  // namespace

std::vector<AgreementCase> map_cases() {
    std::vector<AgreementCase> cases;
    add_dtypes(cases);
    // Broadcast in every direction; one element; five axes; an input that is not used.
    add_map(cases, "a + b * 2", {array(DType::float32, {40, 1}), array(DType::float64, {33})});
    add_map(cases, "a - b", {array(DType::int16, {33}), array(DType::float32, {40, 33})});
    add_map(cases, "a - b + c",
            {array(DType::float32, {5, 1, 7}), array(DType::float32, {6, 1}), array(DType::uint8, {1})});
    add_map(cases, "a * b", {array(DType::float64, {2, 3, 1, 3, 5}), array(DType::float64, {4, 1, 5})});
    add_map(cases, "a", {array(DType::complex128, {9, 5}), array(DType::uint8, {3, 1, 1})});
    add_map(cases, "7", {array(DType::uint8, {9, 5})});
    add_map(cases, "a * 1.5 + pi", {array(DType::float32, {1})});
    // Streamed: whole and ragged rows, short ones, rows that repeat.
    add_map(cases, "sqrt(a) + b**2",
            {array(DType::float64, {131, 1031}), array(DType::float64, {131, 1031})});
    add_map(cases, "a * b", {array(DType::uint8, {1300, 1031}), array(DType::uint8, {1031})});
    add_map(cases, "a + b", {array(DType::float32, {100000, 3}), array(DType::float32, {3})});
    add_map(cases, "a + b", {array(DType::float32, {100000, 1}), array(DType::float32, {100000, 3})});
    add_map(cases, "where(a > 0, a, -a)", {array(DType::float32, {300001})});
    return cases;
}

namespace {

void add_fold(std::vector<AgreementCase>& cases, const char* reduce, DType dtype, const Shape& shape,
              std::vector<std::int64_t> axis, Content content = Content::any_bits,
              const char* expression = "a", bool reversed = false) {
    PlanRequest request{{array(dtype, shape)}, {}};
    request.parameters.set("reduce", std::string(reduce));
    request.parameters.set("expr", std::string(expression));
    request.parameters.set("ddof", std::int64_t{1});
    std::string name = std::string("fold ") + reduce + " " + expression + " " + to_text(shape) + " " +
                       std::string(name_of(dtype)) + (reversed ? " reversed" : "");
    for (const std::int64_t one : axis) {
        name += " axis " + std::to_string(one);
    }
    if (!axis.empty()) {
        request.parameters.set("axis", AxisList{std::move(axis)});
    }
    request.axes = reversed ? kernels::AxisOrder::reversed : kernels::AxisOrder::as_given;
    cases.push_back({name, std::move(request), content});
}

AgreementCase histogram_case(DType dtype, const Shape& shape, std::int64_t bins, bool has_range) {
    PlanRequest request{{array(dtype, shape)}, {}};
    request.parameters.set("reduce", std::string("histogram"));
    request.parameters.set("bins", bins);
    if (has_range) {
        request.parameters.set("range", kernels::Table{1, 2, {-50.0, 200.0}});
    }
    return {"fold histogram " + to_text(shape) + " " + std::string(name_of(dtype)) +
                (has_range ? " ranged" : ""),
            std::move(request)};
}

}  // namespace

std::vector<AgreementCase> fold_cases() {
    std::vector<AgreementCase> cases;
    const std::vector<std::int64_t> axes[] = {{}, {0}, {1}, {2}, {0, 2}, {1, 2}, {0, 1}};
    int turn = 0;
    for (const char* reduce : {"sum", "mean", "min", "max", "prod", "std", "var", "count", "any", "all"}) {
        for (const std::vector<std::int64_t>& axis : axes) {
            add_fold(cases, reduce, dtype_of(turn), {5, 37, 70}, axis);
            add_fold(cases, reduce, dtype_of(++turn + 3), {70, 3, 41}, axis);
            add_fold(cases, reduce, dtype_of(turn + 9), {131, 4, 3}, axis);
        }
        add_fold(cases, reduce, DType::float32, {2, 3, 4, 5, 6}, {1, 3});
        add_fold(cases, reduce, DType::float64, {6, 5, 4, 3, 7}, {0, 2, 4});
        add_fold(cases, reduce, DType::float64, {1, 300, 1}, {0, 2});
        add_fold(cases, reduce, DType::float64, {1}, {});
        add_fold(cases, reduce, DType::float64, {300, 1000}, {}, Content::ordinary);
        add_fold(cases, reduce, DType::float32, {300, 1000}, {0}, Content::ordinary);
    }
    for (const char* reduce : {"argmin", "argmax"}) {
        for (int dtype = 0; dtype < dtype_count; ++dtype) {
            add_fold(cases, reduce, dtype_of(dtype), {5, 37, 70}, {});
            add_fold(cases, reduce, dtype_of(dtype), {5, 37, 70}, {}, Content::any_bits, "a", true);
            add_fold(cases, reduce, dtype_of(dtype), {9, 4, 33}, {dtype % 3});
            add_fold(cases, reduce, dtype_of(dtype), {99, 4, 3}, {dtype % 3}, Content::any_bits, "a", true);
        }
    }
    add_fold(cases, "sum", DType::float64, {400000}, {}, Content::ordinary, "sqrt(abs(a)) + a*a");
    // Last operations that a sum takes in, and what looks like them.
    for (const char* tail :
         {"a*a", "a + a*0.5", "a*0.5 + a", "(a*a) + (a*a)", "a*a + sqrt(abs(a))", "a - a*a", "a*3 + 2"}) {
        add_fold(cases, "sum", DType::float64, {9001}, {}, Content::any_bits, tail);
        add_fold(cases, "mean", DType::float64, {3, 70, 41}, {1, 2}, Content::ordinary, tail);
        add_fold(cases, "std", DType::float64, {1000}, {}, Content::ordinary, tail);
        add_fold(cases, "sum", DType::float32, {5000}, {}, Content::ordinary, tail);
    }
    add_fold(cases, "max", DType::float64, {2, 200000}, {1}, Content::ordinary, "a*a");
    for (const DType dtype : {DType::float32, DType::float64, DType::int16, DType::uint8, DType::int64}) {
        cases.push_back(histogram_case(dtype, {70, 81}, 17, true));
        cases.push_back(histogram_case(dtype, {70, 81}, 1000, false));
        cases.push_back(histogram_case(dtype, {300000}, 3, true));
    }
    return cases;
}

}  // namespace slab::agreement
