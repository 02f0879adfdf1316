#pragma once

#include "common/volume/layout.hpp"
#include "daemon/worker/worker_messages.hpp"

#include <cstddef>
#include <expected>

namespace slab::daemon {

// Puts zeroed memory behind whole extents of the volume's mapping; never by a plain touch, which would be a SIGBUS
// when memory is short. Answers what pages were obtained (small when any extent is), or an errno value.
std::expected<Backing, int> populate_extents(std::byte* begin, std::size_t bytes, PageWish wish);

// Enters pages that exist into this process's page tables, so that a fresh worker does not fault its way through them.
void map_extents(std::byte* begin, std::size_t bytes);

// Gives the memory behind extents back to the system; they read as zeros afterwards.
int give_up_extents(std::byte* begin, std::size_t bytes);

}  // namespace slab::daemon
