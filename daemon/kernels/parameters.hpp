#pragma once

#include "common/array/number_table.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace slab::kernels {

// What a parameter's value may look like. Per-axis values are given once for all axes or once for each.
enum class ParameterType : std::uint8_t {
    integer,
    real,
    choice,
    integer_per_axis,
    real_per_axis,
    table,  // rows of real numbers: a matrix, a transform for each frame
    flag,   // on or off; off is the default of all flags
    axes,   // a list of axes; a negative index counts from the end; absent: all of them. See chosen_axes
    text,   // what the kernel itself parses: an expression. At most longest_text bytes, not empty
    image,  // an input beside the kernel's own, by its number: "input 2"; or one of the choices, or a whole number
};

inline constexpr std::size_t longest_text = 4096;

// One parameter as users see it on the command line, in TOML and in Python. The command line's options, the help,
// the Python keywords and admission's checks all come from this description.
struct ParameterDescription {
    std::string name;  // lower_snake; never a Python reserved word
    ParameterType type;
    std::string help;
    std::string range;                 // for people: "> 0"; the kernel's plan checks it
    std::vector<std::string> choices;  // for the types choice and image only
    std::string fallback;              // the default as a user would type it; empty: none
};

// A plain list of numbers is one row, whatever kind of list it was.
using Table = NumberTable;

// As the user gave them, or of the reversed shape; which axes they are, only an array's rank says.
struct AxisList {
    std::vector<std::int64_t> indices;
    bool operator==(const AxisList&) const = default;
};

using ParameterValue = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>,
                                    std::vector<double>, Table, bool, AxisList>;

// The values of one job, already of their declared type, defaults filled in. A parameter without a default that the
// user left out is absent; a flag never is.
class ParameterValues {
  public:
    void set(std::string name, ParameterValue value);

    // Of a job that has ended: tables above so many numbers keep their size alone.
    void forget_tables_above(std::int64_t numbers);

    bool has(std::string_view name) const { return find(name) != nullptr; }

    // Null when absent or of another type.
    template <typename T>
    const T* get(std::string_view name) const {
        const ParameterValue* value = find(name);
        return value == nullptr ? nullptr : std::get_if<T>(value);
    }

    // Per-axis values in the opposite order: how a Fortran-ordered array is shown to kernels (see ArrayView).
    // A single value for all axes stays as it is. Axes are named from the other end, the last one first, so that values
    // that go with them still do.
    void reverse_axes();

  private:
    const ParameterValue* find(std::string_view name) const;

    std::vector<std::pair<std::string, ParameterValue>> values_;
};

// Of an image's text "input 2": 1, as inputs are counted here. Nothing: it names no input.
std::optional<std::size_t> input_named(std::string_view text);

// That of an image which is given and names an input.
std::optional<std::size_t> input_of(const ParameterValues& values, std::string_view name);

}  // namespace slab::kernels
