#pragma once

#include "client/library/connection.hpp"
#include "common/errors/error.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace slab {

enum class OutputStyle : std::uint8_t { text, json };

// What every command takes.
struct CommonOptions {
    bool json = false;
    std::string socket;
    std::vector<std::string> plugins;  // of the private daemon that has to be started for them

    void declare(CLI::App& app);
    void declare_plugins(CLI::App& app);
    OutputStyle style() const { return json ? OutputStyle::json : OutputStyle::text; }
};

// The daemon, which has to be there.
Expected<Connection> connect_to_daemon(const CommonOptions& options);

// The same; that none is there is no error.
Expected<Connection::Attempt> look_for_daemon(const CommonOptions& options);

enum class Fallback : std::uint8_t { embedded, none };

// The daemon, else (unless --socket names one) a private one for this process; with --plugin always a private one.
Expected<Connection> connect_or_start(const CommonOptions& options, Fallback fallback);

// One JSON object on stdout.
void print_json(const std::string& object);

}  // namespace slab
