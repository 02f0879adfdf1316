#pragma once

#include "common/errors/error.hpp"
#include "daemon/settings/settings.hpp"

#include <optional>
#include <string>
#include <vector>

namespace slab::daemon {

// What main() read from the command line.
struct Invocation {
    std::string config_path;             // empty: defaults
    std::optional<int> embedded_socket;  // serve this one connection, then end
    std::string socket_path;             // overrides the configuration when not empty
    std::string instance;                // likewise
    std::vector<std::string> plugins;    // beside those of the configuration
};

// Runs the daemon until it is told to stop. The only owner of the event loop. An error is why it could not start.
std::optional<Error> run_supervisor(const Invocation& invocation, Settings settings);

// The configuration file, with what the command line overrides.
Expected<Settings> settings_for(const Invocation& invocation);

}  // namespace slab::daemon
