#pragma once

#include "common/array/dtype.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/plugin/axis_rules.hpp"
#include "daemon/kernels/plugin/plugin_description.hpp"
#include "daemon/kernels/plugin/value_range.hpp"

#include <bitset>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace slab::kernels {

// Where a plug-in's kernel comes from: the library's path, and a hash of its bytes.
struct PluginOrigin {
    std::string path;
    std::string digest;
};

struct DTypeRule {
    enum class From : std::uint8_t { fixed, input, parameter };
    From from = From::fixed;
    DType dtype = DType::uint8;
    std::size_t number = 0;  // of the input or the parameter
};

struct AcceptedDTypes {
    std::bitset<dtype_count> dtypes;
    std::vector<std::size_t> as_inputs;  // the dtype of one of these, too
};

// A phase, as the plug-in's table tells it.
struct PluginPhase {
    std::string name;  // of a workspace
    DTypeRule dtype;
    ShapeRule shape;
    TileRule tile;
    std::vector<ReadRule> reads;  // of each described input, then of each workspace before
};

// A plug-in's kernel with its rules read and found sensible.
struct PluginKernel {
    KernelDescription description;
    std::vector<ValueRange> ranges;  // of each parameter
    std::vector<AcceptedDTypes> accepts;
    std::vector<std::pair<int, int>> dimensions;   // least and most, of each described input
    std::vector<std::optional<ShapeRule>> shapes;  // which each described input must have; none: any
    std::vector<PluginPhase> phases;               // the last one fills the output
    std::vector<SizeSymbol> symbols;               // inputs, parameters, begin, end: in the sizes
    std::uint64_t flags = 0;

    // Of the kernel's inputs, the last one may repeat: which description it has.
    std::size_t described(std::size_t input) const { return std::min(input, description.inputs.size() - 1); }
};

// The unexpected text says what makes no sense and where: "kernel 'blur', parameter 'radius': ...".
std::expected<PluginKernel, std::string> check_plugin_kernel(const ToldKernel& told,
                                                             const PluginOrigin& origin);

// The unexpected text names the parameter that is out of its range.
std::optional<Error> check_values(const PluginKernel& kernel, const ParameterValues& values);

// How a worker gets at the code.
struct PluginCode {
    std::function<std::optional<Error>()> load;
    // After load; of the phase's tiles.
    std::function<slab_fill(std::size_t phase)> fill;
};

Kernel plugin_kernel(const std::shared_ptr<const PluginKernel>& kernel, PluginCode code);

}  // namespace slab::kernels
