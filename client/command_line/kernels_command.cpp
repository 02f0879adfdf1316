#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/kernel_help.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace slab {
namespace {

// What can be computed is a property of the program, not of a running daemon: a private one can tell it as
// well.
class KernelsCommand final : public Command {
  public:
    std::string_view name() const override { return "kernels"; }
    std::string_view summary() const override { return "List the kernels, or tell one's parameters"; }

    void declare(CLI::App& app) override {
        app.add_option("NAME", kernel_, "A kernel");
        app.add_flag("--daemon", needs_daemon_, "Do not start a private daemon when none is running");
        common_.declare_plugins(app);
        common_.declare(app);
    }

    Expected<int> execute() override {
        Expected<Connection> daemon =
            connect_or_start(common_, needs_daemon_ ? Fallback::none : Fallback::embedded);
        if (!daemon) {
            return std::unexpected(daemon.error());
        }
        return kernel_.empty() ? list(*daemon) : describe(*daemon);
    }

  private:
    Expected<int> list(Connection& daemon) {
        const auto kernels = daemon.kernels();
        if (!kernels) {
            return std::unexpected(kernels.error());
        }
        if (!common_.json) {
            fmt::print("{}", kernel_list(*kernels));
            std::fflush(stdout);
            for (const PluginInfo& plugin : daemon.daemon().plugins) {
                if (plugin.refusal) {
                    fmt::print(stderr, "note: {}: {}\n", plugin.refusal->what, plugin.refusal->because);
                }
            }
            return 0;
        }
        std::vector<std::string> objects;
        for (const KernelInfo& kernel : *kernels) {
            objects.push_back(kernel.json);
        }
        print_json(fmt::format("{{\"kernels\":[{}]}}", fmt::join(objects, ",")));
        return 0;
    }

    Expected<int> describe(Connection& daemon) {
        const Expected<KernelInfo> kernel = daemon.kernel(kernel_);
        if (!kernel) {
            return std::unexpected(kernel.error());
        }
        if (common_.json) {
            print_json(kernel->json);
        } else {
            fmt::print("{}", kernel_help(*kernel));
        }
        return 0;
    }

    CommonOptions common_;
    std::string kernel_;
    bool needs_daemon_ = false;
};

}  // namespace

std::unique_ptr<Command> make_kernels_command() {
    return std::make_unique<KernelsCommand>();
}

}  // namespace slab
