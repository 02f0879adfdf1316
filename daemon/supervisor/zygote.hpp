#pragma once

#include "common/files/unique_descriptor.hpp"
#include "daemon/volume/reader_locks.hpp"
#include "daemon/volume/volume_segment.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <sys/types.h>

namespace slab::daemon {

enum class ChildKind : std::uint8_t { worker, mover, journal };

// Supervisor to zygote, with the child's end of a socketpair beside it.
struct ForkOrder {
    static constexpr std::size_t most_warm = 32;

    std::uint64_t ticket = 0;
    ChildKind kind = ChildKind::worker;
    int slot = 0;
    int cpu = 0;
    int nice = 0;
    std::uint32_t warm_count = 0;
    std::array<ByteRange, most_warm> warm{};
};

// Zygote to supervisor. The child is the supervisor's own (CLONE_PARENT): the supervisor reaps it, and it dies with
// the supervisor, whatever becomes of the zygote.
struct ForkReply {
    std::uint64_t ticket = 0;
    pid_t pid = -1;
    int error_number = 0;
};

struct Zygote {
    UniqueDescriptor socket;  // the supervisor's end
    pid_t pid = -1;
};

// Forks the process that forks all others. It is single-threaded and holds no client's socket or file, so that
// nothing is inherited that would keep a peer's end-of-file from arriving. `children_lock` is held, shared, by all
// children: the next supervisor waits for it before it adopts the volume. `plugin_images` are for workers.
Zygote start_zygote(const VolumeSegment& volume, int children_lock, std::span<const int> plugin_images);

}  // namespace slab::daemon
