#pragma once

#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"
#include "daemon/kernels/kernel.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace slab::daemon {

// Where a step takes an input from: the job's input of that number, or the output of an earlier step.
struct StepInput {
    enum class From : std::uint8_t { input, step };
    From from = From::input;
    std::size_t number = 0;
};

struct StepRequest {
    std::string name;  // for people
    const kernels::Kernel* kernel = nullptr;
    kernels::ParameterValues parameters;
    std::vector<StepInput> inputs;
};

// One kernel of a job, planned. Most jobs are one step; a pipeline has several, and each step's phases follow those of
// the step before it.
struct StepPlan {
    std::string name;
    const kernels::Kernel* kernel = nullptr;
    kernels::ParameterValues parameters;  // in the order of axes that the user sees, defaults filled in
    kernels::KernelPlan plan;
    ArrayDescription output;          // as the user sees it
    std::vector<Shape> input_shapes;  // as the kernel sees them: C order
    std::vector<std::size_t> inputs;  // sources of the job (JobPlan)
    std::size_t first_phase = 0;      // of the job's
    // Where the output lies in the grid of one of the job's inputs, axes as the user sees them. Absent: in none.
    struct JobGrid {
        std::size_t input = 0;
        GridMap map;
    };
    std::optional<JobGrid> grid = {};
    bool only_moves = false;  // from there: what lies between moves, too

    std::size_t output_phase() const { return first_phase + plan.workspaces.size(); }
    bool has_phase(std::size_t phase) const { return phase >= first_phase && phase <= output_phase(); }
    // Of the array that the phase fills, as the kernel sees it.
    const ArrayDescription& target(std::size_t phase) const;
    const kernels::TilePreference& tiles(std::size_t phase) const;
};

// For people: "gaussian > zoom".
std::string pipeline_name(std::span<const std::string> kernels);

// Asks each kernel in turn, the earlier steps' outputs being inputs of the later ones. Steps are in an order in which
// none is before what it needs. worlds: of the job's inputs, where files tell it; may be empty.
Expected<std::vector<StepPlan>> plan_steps(std::vector<StepRequest> requests,
                                           std::span<const ArrayDescription> job_inputs,
                                           std::span<const std::optional<WorldMatrix>> worlds = {});

}  // namespace slab::daemon
