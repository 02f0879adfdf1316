#pragma once

#include "common/array/array_description.hpp"
#include "common/array/grid_map.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace slab {

// What a job would do and hold, were it submitted.
struct PlannedJob {
    std::string kernel;
    std::optional<ArrayDescription> output;
    std::int64_t bytes_in = 0;
    std::int64_t bytes_out = 0;
    std::int64_t holds_bytes = 0;  // of the volume
    std::int64_t least_bytes = 0;  // the least max_memory that would do; 0: not told
    std::int64_t work_bytes = 0;   // of holds_bytes: what the kernel itself needs, as spline coefficients
    bool streams = false;          // in bands through a ring in the volume
    std::int64_t bands = 0;
    Shape band_shape;
    std::int64_t phases = 1;  // each band goes through them, with a barrier between
    std::int64_t tiles = 0;
    Shape tile;
    bool is_answer =
        false;  // the output is a few numbers: JobStatus::result tells them, and no file is needed
    std::vector<std::string> tables;  // JobStatus::result tells them beside the output, by these names
    // Where the output lies in the grid of one of the inputs. Absent: in none.
    struct Grid {
        std::size_t input = 0;
        GridMap map;
    };
    std::optional<Grid> grid;
    bool only_moves = false;  // every element of the output is one of the first input's
    std::string json;         // the object as it came: the parameters with their defaults too
    std::vector<PlannedJob>
        steps;  // of a pipeline, in the order they run: of each kernel, output, tables, grid, json
};

}  // namespace slab
