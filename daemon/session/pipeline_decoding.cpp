#include "daemon/session/pipeline_decoding.hpp"

#include "common/errors/nearest_name.hpp"
#include "daemon/session/parameter_decoding.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace slab::daemon {
namespace {

Error bad(std::string what, std::string because,
          std::string remedy = "See: slab run --help, and the README's part on pipelines.") {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

std::vector<std::string> names_of(const std::vector<GivenStep>& steps) {
    std::vector<std::string> names;
    for (const GivenStep& step : steps) {
        names.push_back(step.name);
    }
    return names;
}

Expected<StepInput> decode_input(const Json& json, const GivenStep& step,
                                 const std::vector<std::string>& names, std::size_t input_count) {
    const std::int64_t number = json.is_object() ? integer_or(json, "input", -1) : -1;
    if (number >= 0 && number < static_cast<std::int64_t>(input_count)) {
        return StepInput{StepInput::From::input, static_cast<std::size_t>(number)};
    }
    const std::string name = json.is_object() ? text_or(json, "step") : "";
    const auto found = std::ranges::find(names, name);
    if (found != names.end()) {
        return StepInput{StepInput::From::step, static_cast<std::size_t>(found - names.begin())};
    }
    if (name.empty()) {
        return std::unexpected(bad(fmt::format("step '{}' has an input that cannot be read", step.name),
                                   "it names neither one of the job's inputs nor a step"));
    }
    const std::string nearest = nearest_name(name, names);
    return std::unexpected(bad(
        fmt::format("step '{}' takes the output of '{}', which is no step", step.name, name.substr(0, 80)),
        fmt::format("the steps are {}", fmt::join(names, ", ")),
        nearest.empty() ? "Look at the spelling." : fmt::format("Did you mean '{}'?", nearest)));
}

// The steps that step `number` leads back to, itself at both ends; empty: it leads nowhere round.
std::vector<std::string> cycle_from(const std::vector<GivenStep>& steps, std::size_t number) {
    std::vector<std::size_t> path{number};
    std::vector<std::size_t> next_input{0};
    std::vector<bool> seen(steps.size(), false);
    while (!path.empty()) {
        const GivenStep& step = steps[path.back()];
        if (next_input.back() == step.inputs.size()) {
            path.pop_back();
            next_input.pop_back();
            continue;
        }
        const StepInput& input = step.inputs[next_input.back()++];
        if (input.from == StepInput::From::input) {
            continue;
        }
        if (input.number == number) {
            std::vector<std::string> names;
            for (const std::size_t one : path) {
                names.push_back(steps[one].name);
            }
            names.push_back(steps[number].name);
            return names;
        }
        if (!seen[input.number]) {
            seen[input.number] = true;
            path.push_back(input.number);
            next_input.push_back(0);
        }
    }
    return {};
}

// None before what it needs; those that could come next in the order in which they were given.
Expected<std::vector<GivenStep>> in_order(std::vector<GivenStep> steps) {
    std::vector<std::size_t> place(steps.size(), steps.size());
    std::vector<GivenStep> sorted;
    while (sorted.size() < steps.size()) {
        const auto can_be_next = [&](std::size_t number) {
            return place[number] == steps.size() &&
                   std::ranges::all_of(steps[number].inputs, [&](const StepInput& input) {
                       return input.from == StepInput::From::input || place[input.number] < steps.size();
                   });
        };
        std::size_t next = 0;
        while (next < steps.size() && !can_be_next(next)) {
            ++next;
        }
        if (next == steps.size()) {
            for (std::size_t number = 0; number < steps.size(); ++number) {
                if (const auto cycle = cycle_from(steps, number); !cycle.empty()) {
                    return std::unexpected(
                        bad("the pipeline has a cycle",
                            fmt::format("{}: each takes the output of the next", fmt::join(cycle, " <- ")),
                            "A step takes files and the outputs of steps that do not need it."));
                }
            }
        }
        place[next] = sorted.size();
        sorted.push_back(steps[next]);
        for (StepInput& input : sorted.back().inputs) {
            input.number = input.from == StepInput::From::step ? place[input.number] : input.number;
        }
    }
    return sorted;
}

std::optional<Error> check_use(const std::vector<GivenStep>& steps, std::size_t input_count) {
    const auto is_used = [&](StepInput::From from, std::size_t number) {
        return std::ranges::any_of(steps, [&](const GivenStep& step) {
            return std::ranges::any_of(step.inputs, [&](const StepInput& input) {
                return input.from == from && input.number == number;
            });
        });
    };
    std::vector<std::string> ends;
    for (std::size_t number = 0; number < steps.size(); ++number) {
        if (!is_used(StepInput::From::step, number)) {
            ends.push_back(steps[number].name);
        }
    }
    if (ends.size() > 1) {
        return bad(fmt::format("the pipeline has {} results", ends.size()),
                   fmt::format("no step takes the output of {}", fmt::join(ends, ", ")),
                   "Leave out the steps that nobody needs, or run them as jobs of their own.");
    }
    for (std::size_t number = 0; number < input_count; ++number) {
        if (!is_used(StepInput::From::input, number)) {
            return bad(fmt::format("no step takes input {}", number + 1),
                       fmt::format("{} are given", input_count), "Leave it out, or name it in a step.");
        }
    }
    return std::nullopt;
}

}  // namespace

Expected<std::vector<GivenStep>> decode_steps(const Json& json, std::size_t input_count) {
    if (!json.is_array() || json.empty() || json.size() > most_steps) {
        return std::unexpected(
            bad("the steps cannot be read", fmt::format("they are a list of 1 to {} objects", most_steps)));
    }
    std::vector<GivenStep> steps;
    for (const Json& one : json) {
        const std::string fallback = fmt::format("step {}", steps.size() + 1);
        if (!one.is_object()) {
            return std::unexpected(
                bad(fmt::format("{} is no object", fallback), "it has a kernel and inputs"));
        }
        GivenStep step{text_or(one, "name").substr(0, 80), text_or(one, "kernel"), {}, {}};
        step.name = step.name.empty() ? fallback : step.name;
        auto parameters = decode_parameters(one);
        if (!parameters) {
            return std::unexpected(parameters.error());
        }
        step.parameters = std::move(*parameters);
        steps.push_back(std::move(step));
    }
    const std::vector<std::string> names = names_of(steps);
    for (std::size_t number = 0; number < steps.size(); ++number) {
        GivenStep& step = steps[number];
        if (std::ranges::count(names, step.name) > 1) {
            return std::unexpected(bad(fmt::format("two steps are called '{}'", step.name),
                                       "the name says whose output another step takes",
                                       "Give each a name of its own."));
        }
        const Json inputs = json[number].value("inputs", Json::array());
        if (!inputs.is_array() || inputs.size() > most_mover_inputs) {
            return std::unexpected(bad(fmt::format("step '{}' has no list of inputs", step.name),
                                       fmt::format("it takes at most {}", most_mover_inputs)));
        }
        for (const Json& input : inputs) {
            const auto decoded = decode_input(input, step, names, input_count);
            if (!decoded) {
                return std::unexpected(decoded.error());
            }
            step.inputs.push_back(*decoded);
        }
    }
    auto sorted = in_order(std::move(steps));
    if (sorted) {
        if (auto problem = check_use(*sorted, input_count)) {
            return std::unexpected(std::move(*problem));
        }
    }
    return sorted;
}

}  // namespace slab::daemon
