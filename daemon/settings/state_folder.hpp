#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"
#include "daemon/settings/settings.hpp"

namespace slab::daemon {

// Where the instance keeps its journal: journal.folder, else a folder of the instance's name in $STATE_DIRECTORY (set by
// systemd), in /var/lib/slabd (root), in $XDG_STATE_HOME/slabd or ~/.local/state/slabd. Made when it is not there, for
// its owner alone. An error of another kind than the journal's own: the daemon can run without.
Expected<UniqueDescriptor> open_state_folder(const Settings& settings);

}  // namespace slab::daemon
