#pragma once

#include <string>
#include <vector>

namespace slab {

// One thing of this machine that slabd depends on. fail: it will not work; warn: it will be slower or
// smaller.
struct MachineCheck {
    enum class Level : std::uint8_t { ok, warn, fail };
    std::string name;
    Level level = Level::ok;
    std::string found;
    std::string remedy;  // a sentence; empty when ok
};

// Everything that can be seen without a daemon.
std::vector<MachineCheck> check_machine();

}  // namespace slab
