#pragma once

#include "common/protocol/message.hpp"
#include "daemon/volume/volume_space.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace slab::daemon {

// The records of a journal, one JSON object each, and what they say of a job:
//   {"record": "submitted", "job": 7, ...}                     everything that is needed to run it again
//   {"record": "interrupted", "job": 7}                        its daemon went away while it ran
//   {"record": "resumed", "job": 7}                            it waits or runs again: not interrupted, not ended
//   {"record": "ended", "job": 7, "status": JOB}               JOB of the protocol
//   {"record": "dropped", "job": 7}                            its result is gone
//   {"record": "ids", "next": 8}                               ids below have been given out
struct JournaledJob {
    JobId id = 0;
    Json submitted;             // the whole record; of one that has ended, without the request's parameters
    std::optional<Json> ended;  // the status
    bool dropped = false;
    bool interrupted = false;
};

struct ReplayedJournal {
    std::map<JobId, JournaledJob> jobs;
    JobId next_id = 1;  // above every id that was ever given out
    std::size_t skipped =
        0;  // records of a newer version's kinds, of jobs never submitted, or not JSON objects
};
ReplayedJournal replay(std::span<const std::string> records);

// One more record; skipped ones are counted.
void apply_record(ReplayedJournal& journal, std::string_view record);

// The records to keep: the ids, every job that has neither ended nor been dropped, and the newest `history` others.
std::vector<std::string> compacted(const std::map<JobId, JournaledJob>& jobs, JobId next_id,
                                   std::size_t history);

}  // namespace slab::daemon
