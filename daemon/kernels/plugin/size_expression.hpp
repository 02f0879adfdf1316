#pragma once

#include "common/array/shape.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slab::kernels {

// What a name in a size stands for: one number, or one for each axis. `begin` and `end` grow with the tile, all else is
// the same for every tile of a job.
enum class SizeName : std::uint8_t { input_extent, parameter, parameter_per_axis, tile_bound };

struct SizeSymbol {
    std::string name;
    SizeName kind = SizeName::parameter;
    std::size_t input = 0;  // of an input_extent
};

// The numbers behind a symbol.
struct SymbolValues {
    std::array<double, max_rank> values{};
    int count = 0;           // 0: a parameter that was not given
    bool is_single = false;  // one number, whatever the axis
    bool moves = false;      // with the tile
};

struct SizeScope {
    std::span<const SymbolValues> symbols;  // in the order in which parse() was given them
    int axis = 0;                           // that is looked at
};

// A value, and whether it may only grow, or only shrink, as the tile moves on; of what does not depend on it both.
struct SizeValue {
    double value = 0;
    bool never_falls = true;
    bool never_rises = true;
};

// A size of slab_kernel.h: "(image + factor - 1) // factor". Exact below 2^53.
class SizeExpression {
  public:
    // The unexpected text says what is wrong: "'radus' is not known here".
    static std::expected<SizeExpression, std::string> parse(std::string_view text,
                                                            std::span<const SizeSymbol> symbols);

    // Nothing: an axis that is not there, a parameter that was not given, a division by zero.
    std::optional<SizeValue> evaluate(const SizeScope& scope) const;

    // The first input that is named without an axis: the expression is about each axis of it.
    std::optional<std::size_t> spread_input() const { return spread_input_; }

    // Whether it mentions `begin` or `end`.
    bool follows_tile() const { return follows_tile_; }

  private:
    friend class SizeParser;

    enum class Operation : std::uint8_t {
        number,
        axis,
        symbol,     // on the axis that is looked at
        subscript,  // on the axis that was computed
        negate,
        add,
        subtract,
        multiply,
        divide,
        divide_down,
        least,
        most,
        floor,
        ceil,
        round,
    };
    // In the order of evaluation, operands first.
    struct Step {
        Operation operation = Operation::number;
        double number = 0;
        std::size_t symbol = 0;
    };

    std::vector<Step> steps_;
    std::optional<std::size_t> spread_input_;
    bool follows_tile_ = false;
};

}  // namespace slab::kernels
