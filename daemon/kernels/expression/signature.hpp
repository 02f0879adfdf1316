#pragma once

#include "daemon/kernels/expression/operation.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace slab::kernels::expression {

// In which type an operation computes, and of which its result is.
enum class Rule : std::uint8_t {
    common,    // the operands' common type; bool as int8 where there is no such operation of bool
    floating,  // that made inexact: sqrt, arctan2
    division,  // inexact, and double for all integers
};
enum class ResultRule : std::uint8_t { same, boolean, real };

// What an operator or a function takes.
struct Signature {
    std::string_view name;
    Operation operation;
    int operands;
    Rule rule;
    ResultRule result;
    bool takes_bool;  // else as int8
    bool takes_inexact;
    bool takes_complex;
};

// Of the grammar's operators: "+" with one operand and with two are different ones.
const Signature* find_operator(std::string_view symbol, int operands);
const Signature* find_function(std::string_view name);

// Functions that typing spells by others: where, clip, angle, casts.
enum class Composed : std::uint8_t { where, clip, angle };
std::optional<Composed> find_composed(std::string_view name);

// "sqrt, exp, ..., float64": for the help and for errors.
std::string function_names();

}  // namespace slab::kernels::expression
