#pragma once

#include "client/command_line/job_arguments.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace slab {

// The command line of run and submit.
class JobOptions {
  public:
    void declare(CLI::App& app);

    // The job that is meant: from job.toml when the kernel is one, overridden by what stands on the command
    // line. Errors of kind usage.
    Expected<JobArguments> resolve() const;

    const std::string& kernel() const { return kernel_; }
    std::vector<ParameterWord>& parameter_words() { return parameter_words_; }

  private:
    void override_inputs(JobArguments& job) const;

    std::string kernel_;
    std::vector<std::string> inputs_;
    std::optional<std::string> output_;
    RawOptions raw_;
    std::optional<std::string> output_format_;
    bool overwrite_ = false;
    bool keep_ = false;
    bool wait_for_space_ = false;
    std::optional<std::int64_t> priority_;
    std::optional<std::string> max_memory_;
    std::optional<std::string> tile_bytes_;
    std::optional<std::string> name_;
    std::vector<ParameterWord> parameter_words_;
};

}  // namespace slab
