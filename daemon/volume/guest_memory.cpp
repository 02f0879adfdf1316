#include "daemon/volume/guest_memory.hpp"

#include "common/volume/layout.hpp"
#include "daemon/volume/reader_locks.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

constexpr std::int64_t most_waste = 2;  // a warm segment may be so many times larger than what is asked

bool is_open_somewhere(const GuestSegment& segment) {
    return !locked_parts(segment.descriptor.get(), {0, segment.bytes}).empty();
}

Error no_memory(int code) {
    return {ErrorKind::failed, "there is no memory for the guests' output", errno_text(code),
            "Look at the daemon's limits (LimitNOFILE, MemoryMax)."};
}

Expected<std::shared_ptr<GuestSegment>> make_segment(uid_t owner, std::int64_t bytes) {
    auto segment = std::make_shared<GuestSegment>();
    segment->descriptor = UniqueDescriptor(::memfd_create("slabd-guests", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const int descriptor = segment->descriptor.get();
    if (!segment->descriptor || ::ftruncate(descriptor, bytes) != 0 || ::fchmod(descriptor, 0600) != 0 ||
        ::fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return std::unexpected(no_memory(errno));
    }
    // A daemon that may not give files away keeps it: guests have what they are sent and can open nothing themselves.
    [[maybe_unused]] const int ignored = ::fchown(descriptor, owner, static_cast<gid_t>(-1));
    segment->bytes = bytes;
    segment->owner = owner;
    return segment;
}

}  // namespace

Expected<std::shared_ptr<GuestSegment>> GuestMemory::reserve(uid_t owner, std::int64_t bytes) {
    const std::int64_t wanted = round_up(bytes, extent_bytes);
    std::shared_ptr<GuestSegment> best;
    for (const auto& segment : segments_) {
        const bool fits =
            segment->owner == owner && segment->bytes >= wanted && segment->bytes / most_waste <= wanted;
        if (!segment->is_held && fits && (!best || segment->bytes < best->bytes) &&
            !is_open_somewhere(*segment)) {
            best = segment;
        }
    }
    if (best) {
        best->is_held = true;
        return best;
    }
    for (auto segment = segments_.begin(); segment != segments_.end() && total() + wanted > most_bytes_;) {
        const bool is_idle = !(*segment)->is_held && !is_open_somewhere(**segment);
        segment = is_idle ? segments_.erase(segment) : std::next(segment);
    }
    if (total() + wanted > most_bytes_) {
        return nullptr;
    }
    auto made = make_segment(owner, wanted);
    if (made) {
        (*made)->is_held = true;
        segments_.push_back(*made);
    }
    return made;
}

void GuestMemory::release(const std::shared_ptr<GuestSegment>& segment) {
    segment->is_held = false;
    segment->released = std::chrono::steady_clock::now();
    segments_.splice(segments_.end(), segments_, std::ranges::find(segments_, segment));
}

std::int64_t GuestMemory::drop_idle(std::chrono::steady_clock::time_point idle_since) {
    std::int64_t dropped = 0;
    for (auto segment = segments_.begin(); segment != segments_.end();) {
        const bool is_old =
            !(*segment)->is_held && (*segment)->released <= idle_since && !is_open_somewhere(**segment);
        dropped += is_old ? (*segment)->bytes : 0;
        segment = is_old ? segments_.erase(segment) : std::next(segment);
    }
    return dropped;
}

Expected<UniqueDescriptor> GuestMemory::open_for_guests(const GuestSegment& segment) {
    return open_with_read_lock(segment.descriptor.get(), {0, segment.bytes}, ReaderAccess::read_write);
}

GuestMemory::Use GuestMemory::use() const {
    Use use{.bytes = most_bytes_};
    for (const auto& segment : segments_) {
        std::int64_t& count = segment->is_held              ? use.held
                              : is_open_somewhere(*segment) ? use.lingering
                                                            : use.idle;
        count += segment->bytes;
    }
    return use;
}

std::int64_t GuestMemory::lingering_of(uid_t owner) const {
    std::int64_t bytes = 0;
    for (const auto& segment : segments_) {
        const bool lingers = segment->owner == owner && !segment->is_held && is_open_somewhere(*segment);
        bytes += lingers ? segment->bytes : 0;
    }
    return bytes;
}

std::int64_t GuestMemory::total() const {
    std::int64_t bytes = 0;
    for (const auto& segment : segments_) {
        bytes += segment->bytes;
    }
    return bytes;
}

}  // namespace slab::daemon
