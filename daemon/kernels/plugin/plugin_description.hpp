#pragma once

#include "common/plugin/slab_kernel.h"

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace slab::kernels {

// A plug-in's kernel as its library tells it, in this process's own memory: slab_kernel.h explains the fields.
struct ToldParameter {
    std::string name;
    std::int64_t type = 0;
    std::string help, range, choices, default_value;
};

struct ToldInput {
    std::string name, dtypes, shape;
    std::int64_t least_dimensions = 0, most_dimensions = 0;
    bool repeats = false;
};

struct ToldArray {
    std::string name, dtype, shape, tile;
    std::vector<std::string> reads,
        reads_workspaces;  // one for each input, for each workspace; empty: left out
    bool has_fill = false;
};

struct ToldKernel {
    std::string name, summary, details, example;
    std::vector<ToldInput> inputs;
    std::vector<ToldParameter> parameters;
    std::vector<ToldArray> workspaces;
    ToldArray output;
    std::uint64_t flags = 0;
};

// Copies a library's table. The pointers in it are believed: a wild one ends the process, so this is done in one that
// nobody misses. The unexpected text says what cannot be: another version (with both numbers), an unreadable text.
std::expected<std::vector<ToldKernel>, std::string> read_plugin_table(const slab_plugin& table);

// The function that fills a kernel's workspace of that number, or behind them its output.
slab_fill fill_of(const slab_plugin& table, std::size_t kernel, std::size_t phase);

}  // namespace slab::kernels
