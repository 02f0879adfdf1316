#include "common/errors/error.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/process/process_title.hpp"
#include "daemon/supervisor/supervisor.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <unistd.h>

namespace {

// "<6>" and the like, sd-daemon(3): so that `journalctl -p warning` finds the warnings.
class JournalSeverity : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& line) override {
        constexpr std::string_view prefixes[] = {"<7>", "<7>", "<6>", "<4>", "<3>", "<2>", "<6>"};
        line.append(prefixes[static_cast<std::size_t>(message.level)]);
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JournalSeverity>();
    }
};

// Under systemd the journal has the time already.
void start_log(const std::string& level) {
    auto log = spdlog::stderr_color_mt("slabd");
    auto format = std::make_unique<spdlog::pattern_formatter>();
    format->add_flag<JournalSeverity>('*').set_pattern(
        std::getenv("JOURNAL_STREAM") != nullptr ? "%*%v" : "%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    log->set_formatter(std::move(format));
    log->flush_on(spdlog::level::trace);
    log->set_level(spdlog::level::trace);
    spdlog::set_default_logger(std::move(log));
    spdlog::set_level(spdlog::level::from_str(level));
}

int tell(const slab::Error& error) {
    fmt::print(stderr, "{}\n", slab::to_text(error));
    return slab::exit_code(error.kind);
}

}  // namespace

int main(int argc, char** argv) {
    slab::daemon::keep_room_for_title(argc, argv);
    slab::daemon::Invocation invocation;
    int embedded_socket = -1;

    CLI::App command("slabd: worker processes that fill one shared-memory volume with results.\n"
                     "Runs in the foreground; `slab` is the command that talks to it.",
                     "slabd");
    command.add_option("--config", invocation.config_path, "configuration file (TOML)")->type_name("FILE");
    command.add_option("--socket", invocation.socket_path, "where to listen")->type_name("PATH");
    command.add_option("--instance", invocation.instance, "name of the volume and the locks")
        ->type_name("NAME");
    command.add_option("--plugin", invocation.plugins, "a library with kernels, or a folder of them")
        ->type_name("PATH")
        ->allow_extra_args(false);
    command
        .add_option("--embedded", embedded_socket, "serve the connected socket with this number, then end")
        ->type_name("DESCRIPTOR");
    command.set_version_flag("--version", SLABD_VERSION);
    try {
        command.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return command.exit(problem) == 0 ? EXIT_SUCCESS : slab::exit_code(slab::ErrorKind::usage);
    }
    if (embedded_socket >= 0) {
        invocation.embedded_socket = embedded_socket;
    }

    auto settings = slab::daemon::settings_for(invocation);
    if (!settings) {
        return tell(settings.error());
    }
    const char* const simd = std::getenv("SLABD_SIMD");
    if (!slab::kernels::select_simd_level(simd)) {
        return tell({slab::ErrorKind::usage, fmt::format("SLABD_SIMD = '{}' is not known here", simd),
                     "it is scalar, or an instruction set that this machine has", "Leave it out."});
    }
    const char* const wanted_log = std::getenv("SLABD_LOG");
    start_log(wanted_log != nullptr        ? wanted_log
              : invocation.embedded_socket ? "warning"
                                           : settings->log.level);
    if (const auto problem = slab::daemon::run_supervisor(invocation, *settings)) {
        return tell(*problem);
    }
    return EXIT_SUCCESS;
}
