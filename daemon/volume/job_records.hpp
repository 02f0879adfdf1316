#pragma once

#include "common/volume/layout.hpp"
#include "daemon/volume/volume_space.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace slab::daemon {

// The table of jobs in the volume's header: what a successor of this supervisor finds of them. There may be more jobs
// than records; the others do not outlive the supervisor's death.
class JobRecords {
  public:
    JobRecords(std::span<JobRecord> records, std::span<std::uint64_t> bits)
        : records_(records), bits_(bits) {}

    // Those that a predecessor left, one for each job. What it had not finished to write or to give back is free again.
    std::vector<JobRecord*> take_over();

    // Null when the table is full. The record is all zero but for the job, its date and a bit area if one is free;
    // nobody sees it before publish().
    JobRecord* claim(JobId job, double submitted_at, RecordUse use);
    static void publish(JobRecord& record, JobId job);
    void release(JobRecord& record);

    // For an ended job, with the JOB to show. kept: its result stays. ended: until the journal knows of the end.
    static void end(JobRecord& record, RecordUse use, std::string_view status);

    static constexpr std::size_t longest_status = sizeof(JobRecord::status);

    // A bit for each tile of a phase of the slot's band; empty when the band has too many tiles or the job no area.
    std::span<std::uint64_t> tile_bits(const JobRecord& record, int slot, int slots,
                                       std::int64_t tiles) const;
    // All that the slot has, whatever its band.
    std::span<std::uint64_t> all_bits(const JobRecord& record, int slot, int slots) const;

  private:
    std::span<JobRecord> records_;
    std::span<std::uint64_t> bits_;
};

}  // namespace slab::daemon
