#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/machine_checks.hpp"
#include "common/protocol/message.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace slab {
namespace {

using Level = MachineCheck::Level;

std::string_view name_of_level(Level level) {
    return level == Level::ok ? "ok" : level == Level::warn ? "warn" : "fail";
}

// Of the daemon's state directory the daemon alone knows whether it can write there.
MachineCheck check_journal(Connection& daemon) {
    const Expected<std::string> status = daemon.status();
    if (!status) {
        return {"journal", Level::warn, status.error().what + ": " + status.error().because,
                status.error().remedy};
    }
    const Json report = Json::parse(*status, nullptr, false);
    if (report.is_object() && report.value(Json::json_pointer("/journal/kept"), false)) {
        return {"journal", Level::ok, "kept: jobs survive a restart of the daemon", ""};
    }
    return {"journal", Level::warn, "none is kept: a restart of the daemon ends its jobs",
            "Unless journal.enabled is false, the daemon's log says which folder it cannot write to; set "
            "journal.folder to another."};
}

// No daemon is no fault: run works without. One that is there and refuses is.
std::vector<MachineCheck> check_daemon(const CommonOptions& options) {
    Expected<Connection::Attempt> attempt = Connection::try_open({options.socket, "slab doctor"});
    if (!attempt) {
        return {{"daemon", Level::fail, attempt.error().what + ": " + attempt.error().because,
                 attempt.error().remedy}};
    }
    if (!attempt->connection) {
        return {{"daemon", options.socket.empty() ? Level::warn : Level::fail,
                 "none is running: " + attempt->absence,
                 "slab run works all the same, in a private instance each time; systemctl start slabd "
                 "makes jobs start at once."}};
    }
    const DaemonInfo& daemon = attempt->connection->daemon();
    std::vector<MachineCheck> checks{{"daemon", Level::ok,
                                      fmt::format("slabd {} at {}, process {}, {}", daemon.version,
                                                  daemon.socket, daemon.pid, daemon.simd),
                                      ""},
                                     check_journal(*attempt->connection)};
    for (const PluginInfo& plugin : daemon.plugins) {
        checks.push_back(
            plugin.refusal
                ? MachineCheck{"plugin", Level::warn, plugin.refusal->what + ": " + plugin.refusal->because,
                               plugin.refusal->remedy + " Then restart the daemon."}
                : MachineCheck{"plugin", Level::ok,
                               fmt::format("{}: {}", plugin.path, fmt::join(plugin.kernels, ", ")), ""});
    }
    return checks;
}

class DoctorCommand final : public Command {
  public:
    std::string_view name() const override { return "doctor"; }
    std::string_view summary() const override { return "Check what slabd needs of this machine"; }

    void declare(CLI::App& app) override { common_.declare(app); }

    Expected<int> execute() override {
        std::vector<MachineCheck> checks = check_machine();
        std::ranges::move(check_daemon(common_), std::back_inserter(checks));
        if (common_.json) {
            print(checks);
        } else {
            for (const MachineCheck& check : checks) {
                fmt::print("{:<5} {:<14} {}\n", name_of_level(check.level), check.name, check.found);
                if (!check.remedy.empty()) {
                    fmt::print("{:<20} {}\n", "", check.remedy);
                }
            }
        }
        return std::ranges::any_of(checks,
                                   [](const MachineCheck& check) { return check.level == Level::fail; })
                   ? 1
                   : 0;
    }

  private:
    static void print(const std::vector<MachineCheck>& checks) {
        Json list = Json::array();
        for (const MachineCheck& check : checks) {
            list.push_back({{"name", check.name},
                            {"level", name_of_level(check.level)},
                            {"found", check.found},
                            {"remedy", check.remedy}});
        }
        print_json(Json{{"checks", list}}.dump(-1, ' ', false, Json::error_handler_t::replace));
    }

    CommonOptions common_;
};

}  // namespace

std::unique_ptr<Command> make_doctor_command() {
    return std::make_unique<DoctorCommand>();
}

}  // namespace slab
