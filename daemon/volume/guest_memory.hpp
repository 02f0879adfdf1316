#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <sys/types.h>

namespace slab::daemon {

// The memory that the guests of one job write: an object of its own, so that they hold nothing of the volume and of
// nobody else's output. It has the job's user as its owner where the daemon may give files away (as root, or for its own
// user), no name, and can neither shrink nor grow: the mover maps it.
struct GuestSegment {
    UniqueDescriptor descriptor;
    std::int64_t bytes = 0;  // in whole extents
    uid_t owner = 0;
    bool is_warm = false;  // every byte has been written: it has its memory
    bool is_held = false;  // by a job
    std::chrono::steady_clock::time_point released{};
};

// Segments for guests' outputs, within a bound. One that a job gave back stays for the next job of the same user, warm,
// until it has been idle for a while or somebody needs the room. While a process holds it open (a guest that still
// writes, a result that is looked at) it lingers and is given to nobody: its read lock says so, as an attached result's.
class GuestMemory {
  public:
    explicit GuestMemory(std::int64_t most_bytes) : most_bytes_(most_bytes) {}

    // Null when there is no room now. Errors: the system gives none. Larger requests than most_bytes have been refused.
    Expected<std::shared_ptr<GuestSegment>> reserve(uid_t owner, std::int64_t bytes);
    void release(const std::shared_ptr<GuestSegment>& segment);

    // Gives back what nobody has needed since then; the bytes.
    std::int64_t drop_idle(std::chrono::steady_clock::time_point idle_since);

    // A descriptor for a client and its guests: all that inherit it or map it keep the segment from being used again.
    static Expected<UniqueDescriptor> open_for_guests(const GuestSegment& segment);

    struct Use {
        std::int64_t bytes = 0;      // the bound
        std::int64_t held = 0;       // by jobs
        std::int64_t lingering = 0;  // given back by their jobs, still open somewhere
        std::int64_t idle = 0;       // warm, for the next job
    };
    Use use() const;
    std::int64_t lingering_of(uid_t owner) const;
    bool has_segments() const { return !segments_.empty(); }

  private:
    std::int64_t total() const;

    std::int64_t most_bytes_;
    std::list<std::shared_ptr<GuestSegment>> segments_;  // the longest idle first
};

}  // namespace slab::daemon
