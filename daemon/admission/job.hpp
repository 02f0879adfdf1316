#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"
#include "common/protocol/message.hpp"
#include "common/states/job_state.hpp"
#include "common/volume/layout.hpp"
#include "daemon/admission/parameter_reader.hpp"
#include "daemon/admission/stopwatch.hpp"
#include "daemon/mover/mover_messages.hpp"
#include "daemon/scheduling/band_pipeline.hpp"
#include "daemon/scheduling/guest_step.hpp"
#include "daemon/scheduling/job_plan.hpp"
#include "daemon/volume/guest_memory.hpp"
#include "daemon/volume/volume_space.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
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
    Codec codec = Codec::none;
    std::optional<WorldMatrix> world = {};  // as its file tells it
};

struct OutputFile {
    std::int64_t offset = 0;
    std::string header;          // written at offset 0 when the payload is on disk
    bool is_sequential = false;  // a pipe: the header first, then the payload, in order
};

// A kernel of a job, as a client asked for it.
struct GivenStep {
    std::string name;
    std::string kernel;
    std::vector<GivenParameter> parameters;
    std::vector<StepInput> inputs;
};

// A job as a client asked for it, decoded and not yet checked against anything.
struct JobRequest {
    std::string kernel;  // for people: of a pipeline all its kernels
    std::string name;
    std::vector<GivenStep> steps;  // in an order in which none is before what it needs
    std::vector<InputFile> inputs;
    std::optional<GuestOutput> guests;  // instead of steps and inputs: the client's own processes compute
    std::optional<OutputFile> output;
    // One for each input, then the output's when there is one. Nothing but passing them on and closing them is done
    // with them in the supervisor: a call on a file of a hung mount would hang everybody.
    std::vector<UniqueDescriptor> files;
    bool keep = false;
    bool linked = false;          // the job is cancelled when its client's connection closes
    bool wait_for_space = false;  // a full disk at submission is no refusal
    bool lent = false;  // so is the result dropped: it is kept for this client alone, to attach to it
    int priority = 0;
    std::string max_memory;
    std::string tile_bytes;
    std::string
        submission;  // the client's name for this submission; a second one of the same name is this job
    Json note = Json::object();  // the client's own, given back as it is
    Json as_sent;                // for the journal

    std::size_t file_count() const { return inputs.size() + (output ? 1 : 0); }
    bool output_is_sequential() const { return output && output->is_sequential; }
};

// What a client brings to a job that exists: the files that it holds, for one that was interrupted.
struct ResumeRequest {
    JobId job = 0;
    std::optional<double> submitted_at;  // which job of that number is meant
    std::vector<UniqueDescriptor> inputs;
    std::optional<UniqueDescriptor> output;
    std::optional<Json> note;
    bool linked = false;
};

// A job's extents: all of them or none.
struct Holdings {
    bool reserved = false;
    std::vector<std::optional<ByteRange>> inputs;  // of those that are in the volume whole
    std::optional<ByteRange> output;               // likewise
    std::optional<ByteRange> ring;                 // where the others stream through
    std::optional<ByteRange> work;  // the kernels' tables, and what lies between inputs and output
    // Of a job of guests: output and ring are places in it, and nothing is held of the volume.
    std::shared_ptr<GuestSegment> segment;
    bool is_populated = false;  // all of it has memory; once true it stays so

    std::vector<ByteRange> runs() const;  // of the volume
};

// What its mover was told and has not answered.
struct MoverWork {
    bool checking = false;
    bool checked = false;  // by this mover
    int loads = 0;
    int writes = 0;
    bool sealing = false;
    bool cancelling = false;
    bool knows_segment = false;

    bool is_idle() const { return !checking && loads == 0 && writes == 0 && !sealing && !cancelling; }
};

// Where things lie in the volume.
struct Placement {
    std::vector<std::int64_t> inputs;   // the first byte of the band's part of each input
    std::vector<std::int64_t> targets;  // likewise, of what each phase fills: the output last

    std::int64_t output() const { return targets.back(); }
};

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

    Holdings holds;
    bool kept = false;  // ended, and the output stays in the volume
    std::int64_t peak_volume_bytes = 0;

    // What outlives this supervisor.
    JobRecord* record = nullptr;  // in the volume; null: none
    bool durable = false;         // in the journal
    bool in_journal =
        false;  // or on its way there, also when it could not be written: its end belongs there too
    bool is_resumed = false;    // since it was interrupted nobody has said yet that its files are the same
    int unwritten_records = 0;  // of the journal: nobody is told of what is not on disk
    std::vector<FileIdentity> input_identities;  // of durable jobs
    FileIdentity output_identity;
    std::optional<Json> past;  // of a job that a former supervisor ended: JOB as it was told
    std::chrono::system_clock::time_point released_at;  // ended or interrupted
    std::optional<Clock::time_point>
        client_awaited_until;  // linked, and its client is not back since the restart
    bool whole_inputs_loaded = false;
    std::int64_t tiles_adopted = 0;  // filled under a former supervisor

    MoverWork mover;
    bool files_checked = false;  // by this mover or a dead one: the output may be written in part
    // Set when the job is to end and something still works for it: leases that are out, a mover's requests.
    struct Ending {
        JobOutcome outcome;
        Error error;
        bool interrupts = false;  // it does not end: a successor may go on
    };
    std::optional<Ending> ending;

    BandPipeline pipeline;
    std::int64_t band = -1;               // whose tiles are given out; negative: none's
    BandPlan band_plan;                   // of that band
    std::size_t phase = 0;                // of that band
    bool tables_written = false;          // into the volume, by this supervisor
    bool whole_workspaces_ready = false;  // they are not computed with the next bands again
    std::int64_t last_load = -1;          // the band that this mover was told to load last
    Clock::time_point space_looked_for;   // when an output that waits for space was tried last
    std::int64_t tiles_done = 0;
    std::int64_t tiles_repeated = 0;
    int workers_lost = 0;
    std::int64_t guests = 0;  // the most that it had at one time
    int movers_lost = 0;
    std::int64_t bytes_loaded = 0, bytes_written = 0;
    std::string load_method, flush_method;
    Json result;  // of kernels that answer; null: none, or not yet

    std::chrono::system_clock::time_point submitted_at;
    Clock::time_point submitted, admitted, ended;  // since-epoch zero: not yet
    Stopwatch load_time, compute_time, flush_time;

    const TileGrid& tiles() const { return band_plan.phases[phase]; }
    // Where the band lies, in its slot or in the whole arrays.
    Placement placement(std::int64_t band, const BandPlan& plan) const;
};

}  // namespace slab::daemon
