#pragma once

#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slab {

// What the daemon says about a job. Times are seconds and absent where not known yet.
struct JobStatus {
    // Where the job is.
    enum class State : std::uint8_t {
        received,
        queued,
        waiting_for_space,  // on the output's file system
        loading,
        running,
        flushing,
        interrupted,  // its daemon ended; Connection::resume makes it go on
        ended,
    };
    // Why it ended; none while it has not.
    enum class Outcome : std::uint8_t { none, done, failed, cancelled, refused, interrupted };

    std::int64_t id = 0;
    std::string kernel;
    std::string name;
    std::string user;
    std::int64_t uid = -1;
    State state = State::received;
    Outcome outcome = Outcome::none;
    std::optional<Error> error;
    std::string reason;  // why a job waits
    std::optional<ArrayDescription> output;
    bool kept = false;
    bool durable = false;  // survives a restart of the daemon
    std::int64_t priority = 0;
    std::int64_t tiles = 0;
    std::int64_t tiles_done = 0;
    std::int64_t tiles_repeated = 0;
    std::int64_t workers = 0;
    std::int64_t workers_lost = 0;
    std::int64_t bands = 0;
    std::int64_t bands_done = 0;
    std::int64_t bytes_in = 0;
    std::int64_t bytes_out = 0;
    std::int64_t holds_bytes = 0;            // what was planned
    std::optional<std::int64_t> held_bytes;  // what it holds of the volume now
    std::int64_t peak_volume_bytes = 0;
    double submitted_at = 0;           // since 1970
    std::optional<double> age_s;       // since it ended or was interrupted
    std::optional<double> expires_at;  // since 1970: when what it holds is given up
    std::optional<double> queued_s;
    std::optional<double> load_s;
    std::optional<double> compute_s;
    std::optional<double> flush_s;
    std::optional<double> wall_s;
    std::string load_method;
    std::string flush_method;
    std::string simd;
    // JSON: of kernels that answer with a few numbers one, or a list; of jobs that tell tables an object of them; empty: none
    std::string result;
    std::string note;  // the JSON object of JobRequest; empty: none
    std::string json;  // the object as it came, with all that this struct leaves out
};

inline bool has_ended(const JobStatus& job) {
    return job.state == JobStatus::State::ended;
}

std::string_view name_of(JobStatus::State state);
std::string_view name_of(JobStatus::Outcome outcome);

// The error with which a job ended; a general one when the daemon gave none. Only for a job that ended
// otherwise than done.
Error error_of(const JobStatus& job);

}  // namespace slab
