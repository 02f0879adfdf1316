#include "daemon/kernels/expression/compile.hpp"

#include "daemon/kernels/expression/program_writer.hpp"
#include "daemon/kernels/expression/promotion.hpp"
#include "daemon/kernels/expression/signature.hpp"
#include "daemon/kernels/expression/syntax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

namespace slab::kernels::expression {
namespace {

Constant constant_of_literal(const Literal& literal) {
    switch (literal.kind) {
    case Literal::Kind::boolean: return constant_of(DType::boolean, literal.integer != 0);
    case Literal::Kind::integer:
        return literal.integer > static_cast<std::uint64_t>(INT64_MAX)
                   ? constant_of(DType::uint64, literal.integer)
                   : constant_of(DType::int64, static_cast<std::int64_t>(literal.integer));
    case Literal::Kind::real: return constant_of(DType::float64, literal.real);
    case Literal::Kind::imaginary: break;
    }
    return constant_of(DType::complex128, std::complex<double>(0.0, literal.real));
}

// Types the tree, node by node, and has the program written.
class Compiler {
  public:
    Compiler(std::string_view text, std::span<const DType> inputs) : text_(text), writer_(inputs) {}

    Expected<BlockProgram> compile(const Tree& tree, std::span<const DType> casts) {
        std::vector<Typed> values;
        for (const Node& node : tree) {
            std::vector<Typed> operands;
            for (std::size_t i = 0; i < static_cast<std::size_t>(node.operand_count); ++i) {
                operands.push_back(values[static_cast<std::size_t>(node.operands[i])]);
            }
            values.push_back(value_of(node, operands));
            if (error_) {
                return std::unexpected(*error_);
            }
        }
        Typed last = values.back();
        for (const DType type : casts) {
            last = cast(last, type);
        }
        if (writer_.is_overfull()) {
            refuse("it needs too many steps",
                   "Write it in several jobs: the output of one is the input of the next.");
            return std::unexpected(*error_);
        }
        return writer_.finish(last);
    }

  private:
    Typed value_of(const Node& node, std::vector<Typed>& operands) {
        at_ = node.at;
        switch (node.kind) {
        case NodeKind::input: return writer_.input(node.input);
        case NodeKind::literal: {
            Typed value = writer_.constant(constant_of_literal(node.literal));
            value.is_python = true;
            return value;
        }
        case NodeKind::unary:
        case NodeKind::binary: return applied(*find_operator(node.word, node.operand_count), operands);
        case NodeKind::call: break;
        }
        return called(node, operands);
    }

    Typed called(const Node& node, std::vector<Typed>& operands) {
        const auto takes = [&](int count) {
            if (static_cast<int>(operands.size()) != count) {
                refuse(fmt::format("{} takes {} argument{}, not {}", node.word, count, count == 1 ? "" : "s",
                                   operands.size()),
                       "See the functions: slab kernels map");
            }
            return !error_;
        };
        if (const Signature* const function = find_function(node.word)) {
            return takes(function->operands) ? applied(*function, operands) : Typed{};
        }
        if (const auto type = parse_dtype(node.word); type && name_of(type->dtype) == node.word) {
            return takes(1) ? cast(operands[0], type->dtype) : Typed{};
        }
        const auto composed = find_composed(node.word);
        if (!composed) {
            refuse(fmt::format("there is no function '{}'", node.word.substr(0, 40)),
                   fmt::format("There are {}.", function_names()));
            return {};
        }
        switch (*composed) {
        case Composed::where: return takes(3) ? where(operands) : Typed{};
        case Composed::clip: return takes(3) ? clip(operands) : Typed{};
        case Composed::angle: break;
        }
        return takes(1) ? angle(operands[0]) : Typed{};
    }

    Typed applied(const Signature& signature, std::vector<Typed>& operands) {
        const bool is_operator = signature.name.front() < 'A' || signature.name.front() > 'z';
        const bool are_python = is_operator && std::ranges::all_of(operands, &Typed::is_python);
        if (are_python) {
            as_python(signature.operation, operands);
        }
        DType type = common(operands);
        type = (type == DType::boolean && !signature.takes_bool) || is_square_of_bool(signature, operands)
                   ? DType::int8
                   : type;
        if (signature.rule == Rule::floating) {
            type = common_floating(operands);
        } else if (signature.rule == Rule::division) {
            type = is_float(type) || is_complex(type) ? type : DType::float64;
        }
        if (!check(signature, type, operands)) {
            return {};
        }
        if (signature.operation == Operation::power && operands[1].is_scalar()) {
            if (const auto simple = simple_power(operands, type)) {
                return *simple;
            }
        }
        for (Typed& operand : operands) {
            operand = cast(operand, type);
        }
        const DType result = signature.result == ResultRule::boolean ? DType::boolean
                             : signature.result == ResultRule::real  ? real_of(type)
                                                                     : type;
        Typed value = writer_.emit(signature.operation, type, result, operands);
        value.is_python = are_python;
        return value;
    }

    // Python's own arithmetic: True is 1, 2**-1 is 0.5, and (-1)**0.5 is complex.
    void as_python(Operation operation, std::vector<Typed>& operands) {
        const bool is_logical =
            (operation >= Operation::bitwise_and && operation <= Operation::bitwise_xor) ||
            (operation >= Operation::less && operation <= Operation::not_equal);
        for (Typed& operand : operands) {
            if (operand.type == DType::boolean && !is_logical) {
                operand = cast(operand, DType::int64);
            }
        }
        if (operation == Operation::power && operands[0].type == DType::int64 && is_negative(operands[1])) {
            operands[0] = cast(operands[0], DType::float64);
        }
        if (operation == Operation::power && is_root_of_negative(operands)) {
            operands[0] = cast(operands[0], DType::complex128);
        }
    }

    bool is_root_of_negative(const std::vector<Typed>& operands) {
        if (std::ranges::any_of(operands, [](const Typed& operand) { return is_complex(operand.type); })) {
            return false;
        }
        const double base = writer_.element_of<double>(cast(operands[0], DType::float64));
        const double exponent = writer_.element_of<double>(cast(operands[1], DType::float64));
        return base < 0.0 && std::isfinite(base) && std::isfinite(exponent) &&
               std::trunc(exponent) != exponent;
    }

    bool check(const Signature& signature, DType type, const std::vector<Typed>& operands) {
        const bool is_inexact = is_float(type) || is_complex(type);
        const bool all_bool = std::ranges::all_of(
            operands, [](const Typed& operand) { return operand.type == DType::boolean; });
        if ((is_inexact && !signature.takes_inexact) || (is_complex(type) && !signature.takes_complex)) {
            std::string types;
            for (const Typed& operand : operands) {
                types += (types.empty() ? "" : " and ") + std::string(name_of(operand.type));
            }
            refuse(fmt::format("{} does not take {}", signature.name, types),
                   is_complex(type) ? "Take real(x), imag(x) or abs(x) of it."
                                    : "Convert to an integer type: int64(x).");
        } else if (all_bool &&
                   (signature.operation == Operation::subtract ||
                    signature.operation == Operation::negative || signature.operation == Operation::copy ||
                    signature.operation == Operation::sign)) {
            refuse(fmt::format("{} does not take bool", signature.name),
                   "As in numpy: write ^ for the difference, ~ for the opposite, or int8(x).");
        } else if (signature.operation == Operation::power && is_integer(type) && is_negative(operands[1])) {
            refuse("integers to a negative power are no integers",
                   "Make the base or the exponent real: a ** -1.0.");
        }
        return !error_;
    }

    // numpy's short ways for a number as the exponent; elsewhere power is the C library's.
    std::optional<Typed> simple_power(std::vector<Typed>& operands, DType type) {
        if (operands[0].is_scalar() || is_complex(operands[1].type)) {
            return std::nullopt;
        }
        const double exponent = writer_.element_of<double>(cast(operands[1], DType::float64));
        operands[0] = cast(operands[0], type);
        std::vector<Typed> base{operands[0]};
        const bool is_inexact = is_float(type) || is_complex(type);
        if (exponent == 2.0) {
            return writer_.emit(Operation::square, type, type, base);
        }
        if (exponent == 1.0) {
            return base[0];
        }
        if (exponent == 0.5 && is_inexact) {
            return writer_.emit(Operation::square_root, type, type, base);
        }
        if (exponent == -1.0 && is_inexact) {
            return writer_.emit(Operation::reciprocal, type, type, base);
        }
        return std::nullopt;
    }

    // numpy's square of a bool, which a**2 and a**2.0 are, is int8.
    bool is_square_of_bool(const Signature& signature, const std::vector<Typed>& operands) {
        return signature.operation == Operation::power && signature.name == "**" &&
               !operands[0].is_scalar() && operands[0].type == DType::boolean && operands[1].is_scalar() &&
               !is_complex(operands[1].type) &&
               writer_.element_of<double>(cast(operands[1], DType::float64)) == 2.0;
    }

    Typed where(std::vector<Typed>& operands) {
        std::vector<Typed> choices{operands[1], operands[2]};
        const DType type = common(choices);
        std::vector<Typed> chosen{cast(operands[0], DType::boolean), cast(choices[0], type),
                                  cast(choices[1], type)};
        return writer_.emit(Operation::choose, type, type, chosen);
    }

    Typed clip(std::vector<Typed>& operands) {
        DType type = common(operands);
        for (Typed& operand : operands) {
            operand = cast(operand, type);
        }
        std::vector<Typed> bounded{operands[0], operands[1]};
        std::vector<Typed> above{writer_.emit(Operation::maximum, type, type, bounded), operands[2]};
        return writer_.emit(Operation::minimum, type, type, above);
    }

    Typed angle(const Typed& operand) {
        std::vector<Typed> parts(2);
        DType type = operand.type;
        if (is_complex(type)) {
            std::vector<Typed> whole{operand};
            parts[0] = writer_.emit(Operation::imaginary_part, type, real_of(type), whole);
            parts[1] = writer_.emit(Operation::real_part, type, real_of(type), whole);
            type = real_of(type);
        } else {
            type = type == DType::boolean ? DType::float64 : floating(type);
            parts[0] = cast(writer_.constant(constant_of(DType::float64, 0.0)), type);
            parts[1] = cast(operand, type);
        }
        return writer_.emit(Operation::arctan2, type, type, parts);
    }

    DType common(const std::vector<Typed>& operands) const {
        const auto promoted = as_promoted(operands);
        return common_type(std::span(promoted).first(operands.size()));
    }
    DType common_floating(const std::vector<Typed>& operands) const {
        const auto promoted = as_promoted(operands);
        return common_floating_type(std::span(promoted).first(operands.size()));
    }

    std::array<PromotedOperand, most_operands> as_promoted(const std::vector<Typed>& operands) const {
        std::array<PromotedOperand, most_operands> promoted{};
        for (std::size_t i = 0; i < operands.size(); ++i) {
            promoted[i] = {operands[i].type,
                           operands[i].is_scalar() ? &writer_.constant_at(operands[i]) : nullptr};
        }
        return promoted;
    }

    Typed cast(const Typed& operand, DType type) { return writer_.cast(operand, type); }

    bool is_negative(const Typed& operand) {
        return operand.is_scalar() && is_integer(operand.type) &&
               writer_.element_of<double>(cast(operand, DType::float64)) < 0;
    }

    void refuse(const std::string& what, std::string remedy) {
        if (!error_) {
            error_ = error_at(text_, at_, what, std::move(remedy));
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    ProgramWriter writer_;
    std::optional<Error> error_;
};

}  // namespace

double approximation_of(const BlockProgram& program) {
    double tolerance = 0.0;
    for (int i = 0; i < program.instruction_count; ++i) {
        const Instruction& instruction = program.instructions[static_cast<std::size_t>(i)];
        if (is_approximated(instruction.operation)) {
            tolerance = std::max(tolerance, size_of(real_of(instruction.type)) == 4 ? 2e-6 : 1e-14);
        }
    }
    return tolerance;
}

Expected<BlockProgram> compile(std::string_view text, std::span<const DType> inputs,
                               std::span<const DType> casts) {
    const auto tree = parse(text, static_cast<int>(inputs.size()));
    if (!tree) {
        return std::unexpected(tree.error());
    }
    auto program = Compiler(text, inputs).compile(*tree, casts);
    if (program) {
        allocate_registers(*program);
    }
    return program;
}

}  // namespace slab::kernels::expression
