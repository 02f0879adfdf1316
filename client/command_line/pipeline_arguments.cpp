#include "client/command_line/pipeline_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <unistd.h>

namespace slab {
namespace {

// "input" is the first, "input 2" the second. Nothing: the word is no such thing.
std::optional<std::size_t> input_number(std::string_view word) {
    constexpr std::string_view name = "input";
    if (word == name) {
        return 1;
    }
    if (!word.starts_with("input ")) {
        return std::nullopt;
    }
    std::size_t number = 0;
    const char* const end = word.data() + word.size();
    const auto read = std::from_chars(word.data() + name.size() + 1, end, number);
    return read.ec == std::errc() && read.ptr == end && number > 0 ? std::optional(number) : std::nullopt;
}

class StepReader {
  public:
    explicit StepReader(JobArguments& arguments) : arguments_(arguments), given_(arguments.inputs.size()) {
        for (const StepArguments& step : arguments.steps) {
            std::string name = step.name.empty() ? step.kernel : step.name;
            for (int same = 2; step.name.empty() && std::ranges::find(names_, name) != names_.end(); ++same) {
                name = fmt::format("{} {}", step.kernel, same);
            }
            names_.push_back(std::move(name));
        }
    }

    Expected<std::vector<PipelineStep>> read() {
        std::vector<PipelineStep> steps;
        for (std::size_t number = 0; number < names_.size(); ++number) {
            const StepArguments& given = arguments_.steps[number];
            PipelineStep step{names_[number], given.kernel, given.parameters, {}};
            if (!given.inputs && number > 0) {
                step.inputs.emplace_back(names_[number - 1]);
            } else if (!given.inputs) {
                for (std::size_t input = 0; input < given_; ++input) {
                    step.inputs.emplace_back(input);
                }
            } else {
                for (const std::string& word : *given.inputs) {
                    auto input = meaning_of(word, step.name);
                    if (!input) {
                        return std::unexpected(input.error());
                    }
                    step.inputs.push_back(std::move(*input));
                }
            }
            steps.push_back(std::move(step));
        }
        return steps;
    }

  private:
    Expected<PipelineStep::Input> meaning_of(const std::string& word, const std::string& step) {
        if (std::ranges::find(names_, word) != names_.end()) {
            return word;
        }
        if (const auto number = input_number(word)) {
            if (*number > given_) {
                return std::unexpected(Error{
                    ErrorKind::usage, fmt::format("step '{}' takes '{}', which is not given", step, word),
                    fmt::format("the job has {} input{} of its own", given_, given_ == 1 ? "" : "s"),
                    "Name files behind the job file, or in its key inputs."});
            }
            return *number - 1;
        }
        std::string path = word.starts_with('/') ? word : arguments_.folder + word;
        const auto same = [&path](const JobArguments::Input& input) { return input.path == path; };
        const auto known = std::ranges::find_if(arguments_.inputs, same);
        if (known != arguments_.inputs.end()) {
            return static_cast<std::size_t>(known - arguments_.inputs.begin());
        }
        if (::access(path.c_str(), F_OK) != 0) {
            return std::unexpected(
                Error{ErrorKind::usage, fmt::format("step '{}' takes '{}', which is nothing", step, word),
                      fmt::format("it is no step ({}), not \"input\", and there is no file {}",
                                  fmt::join(names_, ", "), path),
                      "Look at the spelling."});
        }
        arguments_.inputs.push_back({std::move(path), arguments_.raw});
        return arguments_.inputs.size() - 1;
    }

    JobArguments& arguments_;
    std::size_t given_;
    std::vector<std::string> names_;
};

}  // namespace

Expected<std::vector<PipelineStep>> settle_steps(JobArguments& arguments) {
    return StepReader(arguments).read();
}

}  // namespace slab
