#include "daemon/kernels/expression/signature.hpp"

#include "common/array/dtype.hpp"

#include <algorithm>
#include <array>

namespace slab::kernels::expression {
namespace {

using enum Operation;
constexpr auto same = ResultRule::same;
constexpr auto boolean = ResultRule::boolean;
constexpr auto real = ResultRule::real;

constexpr Signature operators[] = {
    {"+", add, 2, Rule::common, same, true, true, true},
    {"-", subtract, 2, Rule::common, same, true, true, true},
    {"*", multiply, 2, Rule::common, same, true, true, true},
    {"/", divide, 2, Rule::division, same, false, true, true},
    {"//", floor_divide, 2, Rule::common, same, false, true, false},
    {"%", remainder, 2, Rule::common, same, false, true, false},
    {"**", power, 2, Rule::common, same, false, true, true},
    {"<", less, 2, Rule::common, boolean, true, true, true},
    {"<=", less_equal, 2, Rule::common, boolean, true, true, true},
    {">", greater, 2, Rule::common, boolean, true, true, true},
    {">=", greater_equal, 2, Rule::common, boolean, true, true, true},
    {"==", equal, 2, Rule::common, boolean, true, true, true},
    {"!=", not_equal, 2, Rule::common, boolean, true, true, true},
    {"&", bitwise_and, 2, Rule::common, same, true, false, false},
    {"|", bitwise_or, 2, Rule::common, same, true, false, false},
    {"^", bitwise_xor, 2, Rule::common, same, true, false, false},
    {"<<", shift_left, 2, Rule::common, same, false, false, false},
    {">>", shift_right, 2, Rule::common, same, false, false, false},
    {"-", negative, 1, Rule::common, same, true, true, true},
    {"+", copy, 1, Rule::common, same, true, true, true},
    {"~", invert, 1, Rule::common, same, true, false, false},
};

constexpr Signature functions[] = {
    {"sqrt", square_root, 1, Rule::floating, same, true, true, true},
    {"exp", Operation::exp, 1, Rule::floating, same, true, true, true},
    {"expm1", Operation::expm1, 1, Rule::floating, same, true, true, true},
    {"log", Operation::log, 1, Rule::floating, same, true, true, true},
    {"log2", Operation::log2, 1, Rule::floating, same, true, true, true},
    {"log10", Operation::log10, 1, Rule::floating, same, true, true, true},
    {"log1p", Operation::log1p, 1, Rule::floating, same, true, true, true},
    {"sin", Operation::sin, 1, Rule::floating, same, true, true, true},
    {"cos", Operation::cos, 1, Rule::floating, same, true, true, true},
    {"tan", Operation::tan, 1, Rule::floating, same, true, true, true},
    {"arcsin", arcsin, 1, Rule::floating, same, true, true, true},
    {"arccos", arccos, 1, Rule::floating, same, true, true, true},
    {"arctan", arctan, 1, Rule::floating, same, true, true, true},
    {"arctan2", arctan2, 2, Rule::floating, same, true, true, false},
    {"sinh", Operation::sinh, 1, Rule::floating, same, true, true, true},
    {"cosh", Operation::cosh, 1, Rule::floating, same, true, true, true},
    {"tanh", Operation::tanh, 1, Rule::floating, same, true, true, true},
    {"hypot", Operation::hypot, 2, Rule::floating, same, true, true, false},
    {"floor", Operation::floor, 1, Rule::floating, same, true, true, false},
    {"ceil", Operation::ceil, 1, Rule::floating, same, true, true, false},
    {"rint", Operation::rint, 1, Rule::floating, same, true, true, true},
    {"trunc", truncate, 1, Rule::floating, same, true, true, false},
    {"abs", absolute, 1, Rule::common, real, true, true, true},
    {"sign", sign, 1, Rule::common, same, true, true, true},
    {"minimum", minimum, 2, Rule::common, same, true, true, true},
    {"maximum", maximum, 2, Rule::common, same, true, true, true},
    {"min", minimum, 2, Rule::common, same, true, true, true},
    {"max", maximum, 2, Rule::common, same, true, true, true},
    {"power", power, 2, Rule::common, same, false, true, true},
    {"mod", remainder, 2, Rule::common, same, false, true, false},
    {"isnan", is_nan, 1, Rule::common, boolean, true, true, true},
    {"isinf", is_infinite, 1, Rule::common, boolean, true, true, true},
    {"isfinite", is_finite, 1, Rule::common, boolean, true, true, true},
    {"conj", conjugate, 1, Rule::common, same, false, true, true},
    {"real", real_part, 1, Rule::common, real, true, true, true},
    {"imag", imaginary_part, 1, Rule::common, real, true, true, true},
};

struct ComposedName {
    std::string_view name;
    Composed composed;
};
constexpr ComposedName composed[] = {
    {"where", Composed::where}, {"clip", Composed::clip}, {"angle", Composed::angle}};

}  // namespace

const Signature* find_operator(std::string_view symbol, int operands) {
    const auto* const found = std::ranges::find_if(operators, [&](const Signature& signature) {
        return signature.name == symbol && signature.operands == operands;
    });
    return found == std::end(operators) ? nullptr : found;
}

const Signature* find_function(std::string_view name) {
    const auto* const found = std::ranges::find(functions, name, &Signature::name);
    return found == std::end(functions) ? nullptr : found;
}

std::optional<Composed> find_composed(std::string_view name) {
    const auto* const found = std::ranges::find(composed, name, &ComposedName::name);
    return found == std::end(composed) ? std::nullopt : std::optional(found->composed);
}

std::string function_names() {
    std::string names;
    for (const Signature& signature : functions) {
        names += std::string(signature.name) + ", ";
    }
    for (const ComposedName& one : composed) {
        names += std::string(one.name) + ", ";
    }
    for (int i = 0; i < dtype_count; ++i) {
        names += std::string(name_of(static_cast<DType>(i))) + (i + 1 < dtype_count ? ", " : "");
    }
    return names;
}

}  // namespace slab::kernels::expression
