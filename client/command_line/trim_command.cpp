#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "common/units/byte_size.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slab {
namespace {

class TrimCommand final : public Command {
  public:
    std::string_view name() const override { return "trim"; }
    std::string_view summary() const override { return "Give the volume's idle memory back to the system"; }

    void declare(CLI::App& app) override { common_.declare(app); }

    Expected<int> execute() override {
        Expected<Connection> daemon = connect_to_daemon(common_);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        const Expected<std::int64_t> bytes = daemon->trim();
        if (!bytes) {
            return std::unexpected(bytes.error());
        }
        if (common_.json) {
            print_json(fmt::format("{{\"bytes\":{}}}", *bytes));
        } else {
            fmt::print("{} given back\n", byte_size_text(*bytes));
        }
        return 0;
    }

  private:
    CommonOptions common_;
};

}  // namespace

std::unique_ptr<Command> make_trim_command() {
    return std::make_unique<TrimCommand>();
}

}  // namespace slab
