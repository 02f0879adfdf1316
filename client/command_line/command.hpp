#pragma once

#include "client/command_line/split_arguments.hpp"
#include "common/errors/error.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace slab {

// One word after `slab`. Made, declared, then executed once; execute gives the exit code, or the error whose
// kind has one.
class Command {
  public:
    virtual ~Command() = default;
    virtual std::string_view name() const = 0;
    virtual std::string_view summary() const = 0;
    virtual void declare(CLI::App& app) = 0;
    virtual Expected<int> execute() = 0;

    // Where options go that the client does not know, as the parameters of a kernel; null: they are errors.
    virtual std::vector<ParameterWord>* parameter_words() { return nullptr; }
};

std::unique_ptr<Command> make_run_command();
std::unique_ptr<Command> make_submit_command();
std::unique_ptr<Command> make_ps_command();
std::unique_ptr<Command> make_show_command();
std::unique_ptr<Command> make_wait_command();
std::unique_ptr<Command> make_cancel_command();
std::unique_ptr<Command> make_resume_command();
std::unique_ptr<Command> make_fetch_command();
std::unique_ptr<Command> make_drop_command();
std::unique_ptr<Command> make_kernels_command();
std::unique_ptr<Command> make_status_command();
std::unique_ptr<Command> make_trim_command();
std::unique_ptr<Command> make_doctor_command();

// In the order of the help.
std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace slab
