#include "client/command_line/common_options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace slab {
namespace {

ConnectOptions connect_options(const CommonOptions& options) {
    return {options.socket, "slab " SLABD_VERSION, std::nullopt, options.plugins};
}

// A running daemon loads nothing that a client brings: its workers may write everybody's data.
Error not_with_a_daemon() {
    return {ErrorKind::usage, "--plugin is for a private instance, and a running daemon was asked for",
            "a daemon loads the plug-ins of its own configuration, when it starts",
            "Leave --socket and --daemon away; or have the library listed in [kernels] plugins of the "
            "daemon's slabd.toml, and restart it."};
}

}  // namespace

void CommonOptions::declare(CLI::App& app) {
    app.add_flag("--json", json, "Print one JSON object on stdout and nothing else");
    app.add_option("--socket", socket,
                   "The daemon's socket (else SLABD_SOCKET, your own instance's, the system's)")
        ->type_name("PATH");
}

void CommonOptions::declare_plugins(CLI::App& app) {
    app.add_option(
           "--plugin", plugins,
           "A library with kernels of your own (slab_kernel.h), or a folder of them, for a private instance")
        ->type_name("FILE")
        ->allow_extra_args(false);
}

Expected<Connection> connect_to_daemon(const CommonOptions& options) {
    return Connection::open(connect_options(options));
}

Expected<Connection::Attempt> look_for_daemon(const CommonOptions& options) {
    return Connection::try_open(connect_options(options));
}

Expected<Connection> connect_or_start(const CommonOptions& options, Fallback fallback) {
    if (!options.plugins.empty()) {
        if (fallback == Fallback::none || !options.socket.empty()) {
            return std::unexpected(not_with_a_daemon());
        }
        return Connection::start_embedded(connect_options(options));
    }
    // A socket on the command line is a demand; one in the environment is a habit, which may be out of date.
    if (fallback == Fallback::none || !options.socket.empty()) {
        return connect_to_daemon(options);
    }
    Expected<Connection::Attempt> attempt = look_for_daemon(options);
    if (!attempt) {
        return std::unexpected(attempt.error());
    }
    if (attempt->connection) {
        return std::move(*attempt->connection);
    }
    if (attempt->socket_left_behind || std::getenv("SLABD_SOCKET") != nullptr) {
        fmt::print(stderr, "note: no daemon ({}); starting a private one for this command\n",
                   attempt->absence);
    }
    return Connection::start_embedded(connect_options(options));
}

void print_json(const std::string& object) {
    fmt::print("{}\n", object);
    std::fflush(stdout);
}

}  // namespace slab
