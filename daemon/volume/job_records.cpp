#include "daemon/volume/job_records.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace slab::daemon {
namespace {

constexpr std::size_t words_of_area = static_cast<std::size_t>(bit_area_bytes) / sizeof(std::uint64_t);

// In this order and no other: a successor reads what a SIGKILL left.
template <typename T>
void store(T& place, T value) {
    std::atomic_ref<T>(place).store(value, std::memory_order_release);
}

}  // namespace

std::vector<JobRecord*> JobRecords::take_over() {
    std::vector<JobRecord*> left;
    for (JobRecord& record : records_) {
        const bool is_of_use = record.use == RecordUse::running || record.use == RecordUse::kept ||
                               record.use == RecordUse::ended;
        const bool is_known =
            std::ranges::any_of(left, [&record](const JobRecord* other) { return other->job == record.job; });
        if (record.job == 0 || !is_of_use || is_known) {
            release(record);
        } else {
            left.push_back(&record);
        }
    }
    return left;
}

JobRecord* JobRecords::claim(JobId, double submitted_at, RecordUse use) {
    const auto free = std::ranges::find_if(records_, [](const JobRecord& record) {
        return record.job == 0 && record.use == RecordUse::nothing;
    });
    if (free == records_.end()) {
        return nullptr;
    }
    std::memset(static_cast<void*>(&*free), 0, sizeof(JobRecord));
    free->use = use;
    free->submitted_at = submitted_at;
    free->bit_area = -1;
    for (std::int32_t area = 0; area < bit_area_count && use == RecordUse::running; ++area) {
        const bool is_taken = std::ranges::any_of(records_, [&](const JobRecord& other) {
            return &other != &*free && other.use == RecordUse::running && other.bit_area == area;
        });
        if (!is_taken) {
            free->bit_area = area;
            std::ranges::fill(bits_.subspan(static_cast<std::size_t>(area) * words_of_area, words_of_area),
                              0);
            break;
        }
    }
    return &*free;
}

void JobRecords::publish(JobRecord& record, JobId job) {
    store(record.job, static_cast<std::uint64_t>(job));
}

void JobRecords::release(JobRecord& record) {
    store(record.job, std::uint64_t{0});
    record.use = RecordUse::nothing;
}

void JobRecords::end(JobRecord& record, RecordUse use, std::string_view status) {
    const std::uint64_t job = record.job;
    store(record.job, std::uint64_t{0});
    record.use = use;
    record.bit_area = -1;
    record.output = use == RecordUse::kept ? record.output : RecordedRun{};
    record.ring = {};
    record.inputs = {};
    const std::size_t bytes = status.size() <= record.status.size() ? status.size() : 0;
    std::memcpy(record.status.data(), status.data(), bytes);
    record.status_bytes = static_cast<std::uint32_t>(bytes);
    store(record.job, job);
}

std::span<std::uint64_t> JobRecords::all_bits(const JobRecord& record, int slot, int slots) const {
    if (record.bit_area < 0 || record.bit_area >= bit_area_count) {
        return {};
    }
    const std::size_t words = words_of_area / static_cast<std::size_t>(slots);
    return bits_.subspan(static_cast<std::size_t>(record.bit_area) * words_of_area +
                             static_cast<std::size_t>(slot) * words,
                         words);
}

std::span<std::uint64_t> JobRecords::tile_bits(const JobRecord& record, int slot, int slots,
                                               std::int64_t tiles) const {
    const std::span<std::uint64_t> bits = all_bits(record, slot, slots);
    const auto wanted = static_cast<std::size_t>((tiles + 63) / 64);
    return wanted > bits.size() ? std::span<std::uint64_t>() : bits.first(wanted);
}

}  // namespace slab::daemon
