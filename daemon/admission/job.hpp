#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"
#include "common/states/job_state.hpp"
#include "daemon/admission/parameter_reader.hpp"
#include "daemon/scheduling/job_plan.hpp"
#include "daemon/volume/volume_space.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace slab::daemon {

// Who asks: the peer's credentials, from the kernel.
struct Peer {
    uid_t uid = 0;
    std::string user;  // for people
};

struct InputFile {
    ArrayDescription array;
    ByteOrder byte_order = ByteOrder::little;
    std::int64_t offset = 0;
};

struct OutputFile {
    std::int64_t offset = 0;
    std::string header;  // written at offset 0 when the payload is on disk
};

// A job as a client asked for it, decoded and not yet checked against anything.
struct JobRequest {
    std::string kernel;
    std::string name;
    std::vector<GivenParameter> parameters;
    std::vector<InputFile> inputs;
    std::optional<OutputFile> output;
    // One for each input, then the output's when there is one. Nothing but passing them on and closing them is done
    // with them in the supervisor: a call on a file of a hung mount would hang everybody.
    std::vector<UniqueDescriptor> files;
    bool keep = false;
    bool linked = false;  // the job is cancelled when its client's connection closes
    bool lent = false;    // so is the result dropped: it is kept for this client alone, to attach to it
    int priority = 0;
    std::string max_memory;
    std::string tile_bytes;
};

using Clock = std::chrono::steady_clock;

// Everything about one job. The ledger alone changes `state`, `outcome` and `error`; the rest belongs to the
// conductor of its steps.
struct Job {
    JobId id = 0;
    Peer owner;
    JobRequest request;
    JobPlan plan;

    JobState state = JobState::received;
    JobOutcome outcome = JobOutcome::none;
    Error error;
    std::string reason;  // why a queued job waits

    std::vector<ByteRange> input_runs;        // extents; empty when not held
    std::vector<std::int64_t> input_offsets;  // of the arrays in the volume
    std::optional<ByteRange> output_run;
    std::int64_t output_offset = 0;
    bool kept = false;  // ended, and the output stays in the volume
    std::int64_t peak_volume_bytes = 0;

    // What its mover was told last and has not answered.
    enum class MoverStep : std::uint8_t { idle, checking, loading, flushing, cancelling };
    MoverStep mover_step = MoverStep::idle;
    bool load_sent = false;
    bool loaded = false;
    // Set when the job is to end and something still works for it: leases that are out, a mover's requests.
    struct Ending {
        JobOutcome outcome;
        Error error;
    };
    std::optional<Ending> ending;

    std::size_t phase = 0;
    std::size_t band = 0;
    std::int64_t tiles_done = 0;
    std::int64_t tiles_repeated = 0;
    int workers_lost = 0;
    int movers_lost = 0;
    std::int64_t bytes_moved = 0;  // of the step that the mover is at
    std::string load_method, flush_method;

    std::chrono::system_clock::time_point submitted_at;
    Clock::time_point submitted, admitted, load_began, ran, flush_began, ended;  // since-epoch zero: not yet
    double load_s = -1, compute_s = -1, flush_s = -1;                            // negative: not known

    const BandPlan& current_band() const { return plan.phases[phase].bands[band]; }
};

}  // namespace slab::daemon
