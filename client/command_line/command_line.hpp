#pragma once

#include <span>
#include <string>

namespace slab {

// The program `slab` without its name: runs one command, prints its error, gives the exit code.
int run_command_line(std::span<const std::string> arguments);

}  // namespace slab
