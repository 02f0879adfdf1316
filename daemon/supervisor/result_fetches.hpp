#pragma once

#include "daemon/session/service.hpp"
#include "daemon/supervisor/mover_pool.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace slab::daemon {

// Copies of kept results to files: each by a mover of its own, which serves under the job's number. As long as it does,
// nobody may give the result's extents to others.
class ResultFetches {
  public:
    // `ended` is told when a copy has ended, well or not, after its answer.
    ResultFetches(MoverPool& movers, std::function<void(JobId)> ended);

    bool is_fetching(JobId job) const { return fetches_.contains(job); }

    void begin(const Job& job, ClientId client, OutputFile output, UniqueDescriptor file, JobAnswer answer);

    // The client's copies are given up.
    void client_gone(ClientId client);

    // Of the mover of a job that is_fetching().
    void reported(JobId job, const MoverReport& report);
    void mover_died(JobId job);
    void mover_hangs(JobId job);

  private:
    struct Fetch {
        ClientId client;
        JobAnswer answer;  // none once the client has gone
        OutputFile output;
        std::vector<UniqueDescriptor> file;
        ByteRange result;  // of the volume
        std::chrono::steady_clock::time_point began = {};
        std::string method = {};
    };

    void end(JobId job, Expected<Json> answer);

    MoverPool& movers_;
    std::function<void(JobId)> ended_;
    std::map<JobId, Fetch> fetches_;
};

}  // namespace slab::daemon
