#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/object_text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slab {
namespace {

class StatusCommand final : public Command {
  public:
    std::string_view name() const override { return "status"; }
    std::string_view summary() const override { return "The daemon: workers, volume, queue"; }

    void declare(CLI::App& app) override { common_.declare(app); }

    Expected<int> execute() override {
        Expected<Connection> daemon = connect_to_daemon(common_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        const Expected<std::string> status = daemon->status();
        if (!status) {
            return std::unexpected(status.error());
        }
        if (common_.json) {
            print_json(*status);
        } else {
            fmt::print("{}", object_text(*status));
        }
        return 0;
    }

  private:
    CommonOptions common_;
};

}  // namespace

std::unique_ptr<Command> make_status_command() {
    return std::make_unique<StatusCommand>();
}

}  // namespace slab
