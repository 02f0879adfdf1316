#pragma once

#include "daemon/kernels/plugin/plugin_kernel.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace slab::kernels {

// A parameter's value in the plan's table, where workers read it. Texts and tables lie behind all values.
struct StoredValue {
    std::int32_t is_given = 0;
    std::int64_t integer = 0;
    double real = 0;
    std::array<std::int64_t, max_rank> integers{};
    std::array<double, max_rank> reals{};
    std::int64_t text_at = -1;   // bytes from the table's begin; negative: none
    std::int64_t table_at = -1;  // likewise, a multiple of 8
    std::int64_t rows = 0, columns = 0;
};

// Values of all parameters, in their order. The request's axes are those that the kernel's rules are about. Refused:
// values per axis that are too few or too many, axes that there are not.
Expected<std::vector<std::byte>> store_values(const PluginKernel& kernel, const PlanRequest& request);

StoredValue stored_value(std::span<const std::byte> table, std::size_t parameter);

// The numbers behind all symbols of a kernel's sizes.
class SymbolTable {
  public:
    // inputs: with the axes that the rules are about.
    SymbolTable(const PluginKernel& kernel, std::span<const Shape> inputs, std::span<const std::byte> table);

    // What `begin` and `end` stand for from now on.
    void set_tile(const Box& tile);

    std::span<const SymbolValues> symbols() const { return {values_.data(), count_}; }

  private:
    std::array<SymbolValues, SLAB_MOST_INPUTS + SLAB_MOST_PARAMETERS + 2> values_;
    std::size_t count_;
};

}  // namespace slab::kernels
