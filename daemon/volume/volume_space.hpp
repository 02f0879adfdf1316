#pragma once

#include "common/volume/layout.hpp"
#include "daemon/volume/reader_locks.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace slab::daemon {

using JobId = std::uint64_t;

// Where the bytes of the volume are, for `slab status`.
struct SpaceUse {
    std::int64_t bytes = 0;      // all extents
    std::int64_t populated = 0;  // with memory behind them
    std::int64_t huge = 0;       // of these, with 2 MiB pages
    std::int64_t held = 0;       // by jobs and kept results
    std::int64_t lingering = 0;  // given up by the daemon, still mapped by a reader
    std::int64_t free = 0;
};

// Which extents are whose. The supervisor's private list decides; the table in the volume mirrors it for the next
// supervisor. An extent that was given back may still be mapped by a reader (its lock says so): it lingers until the
// lock is gone, and is not handed out before.
class VolumeSpace {
  public:
    // `locked` answers which parts of a range readers hold. On adoption of a volume every extent is free but for what
    // is locked: the jobs that held them died with their supervisor.
    using LockedParts = std::function<std::vector<ByteRange>(ByteRange)>;
    VolumeSpace(std::span<ExtentRecord> table, std::int64_t data_offset, LockedParts locked);

    // A run of extents for so many bytes, or nothing when no run is long enough now. Prefers memory that is warm.
    std::optional<ByteRange> reserve(JobId job, std::int64_t bytes);

    // Gives a run back: free, or lingering where readers hold it.
    void release(ByteRange run);

    // A run that a job of a dead supervisor held is held again. False, and nothing changed, when it is none: outside the
    // volume, or held by another job.
    bool adopt(JobId job, ByteRange run);

    // Takes a run that idle_memory named: nobody else gets it until release.
    void hold(ByteRange run);

    // Looks again at what lingers; true when something became free.
    bool collect_lingering();

    // The largest run that reserve could ever give, and could give now.
    std::int64_t largest_possible() const {
        return static_cast<std::int64_t>(extents_.size()) * extent_bytes;
    }
    std::int64_t largest_free() const;

    // Parts of a run without memory behind them, each at most `most` bytes.
    std::vector<ByteRange> unpopulated(ByteRange run, std::int64_t most) const;
    void set_backing(ByteRange run, Backing backing);

    // Free extents that have memory behind them, each run at most `most` bytes.
    std::vector<ByteRange> idle_memory(std::int64_t most) const;

    ByteRange everything() const { return range_of(0, extents_.size()); }
    SpaceUse use() const;

  private:
    enum class Holder : std::uint8_t { nobody, job, reader };
    struct Extent {
        Holder holder = Holder::nobody;
        JobId job = 0;
        Backing backing = Backing::none;
    };

    std::size_t index_of(std::int64_t offset) const {
        return static_cast<std::size_t>((offset - data_offset_) / extent_bytes);
    }
    ByteRange range_of(std::size_t first, std::size_t last) const {
        return {data_offset_ + static_cast<std::int64_t>(first) * extent_bytes,
                data_offset_ + static_cast<std::int64_t>(last) * extent_bytes};
    }
    void set(std::size_t index, Extent extent);
    template <typename Claim>
    std::vector<ByteRange> runs(std::size_t first, std::size_t last, std::int64_t most, Claim claim) const;

    std::span<ExtentRecord> table_;
    std::int64_t data_offset_;
    LockedParts locked_;
    std::vector<Extent> extents_;
};

}  // namespace slab::daemon
