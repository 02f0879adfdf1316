#include "daemon/volume/volume_space.hpp"

#include <algorithm>

namespace slab::daemon {

VolumeSpace::VolumeSpace(std::span<ExtentRecord> table, std::int64_t data_offset, LockedParts locked)
    : table_(table), data_offset_(data_offset), locked_(std::move(locked)), extents_(table.size()) {
    for (std::size_t i = 0; i < extents_.size(); ++i) {
        const Backing backing = table_[i].backing;
        const bool known = backing == Backing::small_pages || backing == Backing::huge_pages;
        set(i, {Holder::nobody, 0, known ? backing : Backing::none});
    }
    release(everything());
}

void VolumeSpace::set(std::size_t index, Extent extent) {
    extents_[index] = extent;
    table_[index].job = extent.job;
    table_[index].backing = extent.backing;
}

std::optional<ByteRange> VolumeSpace::reserve(JobId job, std::int64_t bytes) {
    const auto wanted =
        static_cast<std::size_t>(std::max<std::int64_t>(1, (bytes + extent_bytes - 1) / extent_bytes));
    // Best fit: of the runs that are long enough the one with the fewest cold extents, then the shortest. A small job
    // so takes warm memory and leaves long runs whole.
    struct Candidate {
        std::size_t first = 0, length = 0, cold = 0;
    };
    std::optional<Candidate> best;
    std::size_t index = 0;
    while (index < extents_.size()) {
        if (extents_[index].holder != Holder::nobody) {
            ++index;
            continue;
        }
        Candidate run{index, 0, 0};
        for (; index < extents_.size() && extents_[index].holder == Holder::nobody; ++index) {
            run.cold += run.length < wanted && extents_[index].backing == Backing::none ? 1 : 0;
            ++run.length;
        }
        if (run.length >= wanted &&
            (!best || run.cold < best->cold || (run.cold == best->cold && run.length < best->length))) {
            best = run;
        }
    }
    if (!best) {
        return std::nullopt;
    }
    for (std::size_t i = best->first; i < best->first + wanted; ++i) {
        set(i, {Holder::job, job, extents_[i].backing});
    }
    return range_of(best->first, best->first + wanted);
}

void VolumeSpace::release(ByteRange run) {
    for (std::size_t i = index_of(run.begin); i < index_of(run.end); ++i) {
        set(i, {Holder::nobody, 0, extents_[i].backing});
    }
    for (const ByteRange& part : locked_(run)) {
        for (std::size_t i = index_of(part.begin); i < index_of(part.end + extent_bytes - 1); ++i) {
            set(i, {Holder::reader, 0, extents_[i].backing});
        }
    }
}

bool VolumeSpace::adopt(JobId job, ByteRange run) {
    const ByteRange all = everything();
    const bool is_run = run.begin >= all.begin && run.begin < run.end && run.end <= all.end &&
                        (run.begin - data_offset_) % extent_bytes == 0 &&
                        (run.end - run.begin) % extent_bytes == 0;
    if (!is_run) {
        return false;
    }
    for (std::size_t i = index_of(run.begin); i < index_of(run.end); ++i) {
        if (extents_[i].holder == Holder::job) {
            return false;
        }
    }
    for (std::size_t i = index_of(run.begin); i < index_of(run.end); ++i) {
        set(i, {Holder::job, job, extents_[i].backing});
    }
    return true;
}

void VolumeSpace::hold(ByteRange run) {
    for (std::size_t i = index_of(run.begin); i < index_of(run.end); ++i) {
        set(i, {Holder::job, 0, extents_[i].backing});
    }
}

bool VolumeSpace::collect_lingering() {
    bool freed = false;
    const auto lingering = runs(0, extents_.size(), largest_possible(),
                                [](const Extent& extent) { return extent.holder == Holder::reader; });
    for (const ByteRange& run : lingering) {
        release(run);
        for (std::size_t i = index_of(run.begin); i < index_of(run.end); ++i) {
            freed |= extents_[i].holder == Holder::nobody;
        }
    }
    return freed;
}

std::int64_t VolumeSpace::largest_free() const {
    std::int64_t largest = 0;
    for (const ByteRange& run : runs(0, extents_.size(), largest_possible(),
                                     [](const Extent& extent) { return extent.holder == Holder::nobody; })) {
        largest = std::max(largest, run.end - run.begin);
    }
    return largest;
}

template <typename Claim>
std::vector<ByteRange> VolumeSpace::runs(std::size_t first, std::size_t last, std::int64_t most,
                                         Claim claim) const {
    const auto longest = static_cast<std::size_t>(std::max<std::int64_t>(1, most / extent_bytes));
    std::vector<ByteRange> found;
    for (std::size_t i = first; i < last;) {
        if (!claim(extents_[i])) {
            ++i;
            continue;
        }
        const std::size_t begin = i;
        while (i < last && i - begin < longest && claim(extents_[i])) {
            ++i;
        }
        found.push_back(range_of(begin, i));
    }
    return found;
}

std::vector<ByteRange> VolumeSpace::unpopulated(ByteRange run, std::int64_t most) const {
    return runs(index_of(run.begin), index_of(run.end), most,
                [](const Extent& extent) { return extent.backing == Backing::none; });
}

void VolumeSpace::set_backing(ByteRange run, Backing backing) {
    for (std::size_t i = index_of(run.begin); i < index_of(run.end); ++i) {
        set(i, {extents_[i].holder, extents_[i].job, backing});
    }
}

std::vector<ByteRange> VolumeSpace::idle_memory(std::int64_t most) const {
    return runs(0, extents_.size(), most, [](const Extent& extent) {
        return extent.holder == Holder::nobody && extent.backing != Backing::none;
    });
}

SpaceUse VolumeSpace::use() const {
    SpaceUse use;
    use.bytes = largest_possible();
    for (const Extent& extent : extents_) {
        use.populated += extent.backing != Backing::none ? extent_bytes : 0;
        use.huge += extent.backing == Backing::huge_pages ? extent_bytes : 0;
        use.held += extent.holder == Holder::job ? extent_bytes : 0;
        use.lingering += extent.holder == Holder::reader ? extent_bytes : 0;
        use.free += extent.holder == Holder::nobody ? extent_bytes : 0;
    }
    return use;
}

}  // namespace slab::daemon
