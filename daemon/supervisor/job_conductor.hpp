#pragma once

#include "daemon/admission/admission.hpp"
#include "daemon/admission/job_ledger.hpp"
#include "daemon/plugins/plugin_roster.hpp"
#include "daemon/scheduling/tile_scheduler.hpp"
#include "daemon/session/service.hpp"
#include "daemon/settings/settings.hpp"
#include "daemon/supervisor/guest_crews.hpp"
#include "daemon/supervisor/journal_keeper.hpp"
#include "daemon/supervisor/memory_orders.hpp"
#include "daemon/supervisor/mover_pool.hpp"
#include "daemon/supervisor/result_fetches.hpp"
#include "daemon/supervisor/worker_pool.hpp"
#include "daemon/volume/guest_memory.hpp"
#include "daemon/volume/job_records.hpp"
#include "daemon/volume/volume_segment.hpp"
#include "daemon/volume/volume_space.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace slab::daemon {

// Whether a result outlives the clients: in the embedded instance nothing does.
enum class Lifetime : std::uint8_t { service, embedded };

// Takes each job through its states: tells movers and workers what to do next, and decides by what they report. All
// state is in private memory; nothing here waits.
//
//   submit -> [mover checks the files] -> queued -> [extents reserved, populated; mover loads the first band] -> running
//          -> [bands are loaded, leased, flushed until the last tile is filled] -> flushing -> [mover writes] -> ended
//
// A job that has to end early ends in two steps: `ending` is set and everybody who works for it is told to stop;
// when the last of them has answered (or is dead and drained), its extents are released.
class JobConductor : public Service {
  public:
    JobConductor(boost::asio::io_context& loop, Settings& settings, const VolumeSegment& volume,
                 ChildSpawner& spawner, const std::vector<int>& slot_cpus, Lifetime lifetime,
                 UniqueDescriptor journal_folder, const ReplayedJournal& journal,
                 const PluginRoster& plugins);

    void start();
    // What a former supervisor left: results and history, and jobs that were not done. Those whose files are all in
    // `stored` go on at once, the others wait for resume().
    void adopt(const ReplayedJournal& journal, std::map<std::string, UniqueDescriptor> stored);
    // No new jobs. Those of the journal become interrupted, all others fail. `then` is called when nothing is left to do.
    void shut_down(std::function<void()> then);
    void stop_children();

    // For each job that somebody watches and that changed, at most every 100 ms, and when it ends.
    std::function<void(const Json&)> on_job_event;
    std::function<bool(JobId)> is_watched;

    std::size_t unfinished_jobs() const { return ledger_.unfinished().size(); }
    std::string summary() const;
    void settings_changed();

    Json hello() const override;
    Expected<Json> kernels(const std::string& name) const override;
    Expected<Json> plan(const JobRequest& request) const override;
    void submit(ClientId client, const Peer& peer, JobRequest request, JobAnswer answer) override;
    void resume(ClientId client, const Peer& peer, ResumeRequest request, JobAnswer answer) override;
    Json list(bool ended_too) const override;
    Expected<Json> show(JobId job) const override;
    void cancel(ClientId client, const Peer& peer, JobId job, JobAnswer answer) override;
    Expected<AttachGrant> attach(const Peer& peer, JobId job) override;
    void fetch(ClientId client, const Peer& peer, JobId job, OutputFile output, UniqueDescriptor file,
               JobAnswer answer) override;
    void guests(ClientId client, const Peer& peer, JobId job, std::int64_t count,
                GuestAnswer answer) override;
    Expected<Json> drop(const Peer& peer, JobId job) override;
    Json status() override;
    void trim(ClientId client, const Peer& peer, JobAnswer answer) override;
    void client_gone(ClientId client) override;

  private:
    struct PendingAnswer {
        ClientId client;
        JobAnswer answer;
        std::optional<bool> resumed = std::nullopt;  // said in the answer, where a job was there already
    };

    // Coming in.
    void take_mover(Job& job);
    void send_check(Job& job);
    void file_checked(Job& job, const MoverReport& report);
    void accepted(Job& job);
    bool ends_soon(const Job& job) const;
    bool reserve(Job& job);
    void admit_waiting();

    // Steps forward.
    void advance(Job& job);
    bool has_memory(const Job& job, const std::vector<std::optional<ByteRange>>& runs) const;
    bool slot_has_memory(const Job& job, std::int64_t band) const;
    void begin_bands(Job& job);
    void send_load(Job& job, std::int64_t band);
    void send_write(Job& job, std::int64_t band);
    void send_seal(Job& job);
    void start_band(Job& job, std::int64_t band);
    void part_from_plugins();
    void start_phase(Job& job);
    void phase_complete(Job& job);
    void band_complete(Job& job);
    void compute_finished(Job& job);
    void tell_tables(Job& job);
    void dispatch();
    void bind_worker(WorkerSlot worker, const Job& job);

    // Jobs of guests (guest_jobs.cpp).
    std::optional<Error> waits_for_own_results(const Peer& peer, const JobRequest& request,
                                               const JobPlan& plan) const;
    bool reserve_for_guests(Job& job);
    void send_segment(Job& job);
    void answer_guests(Job& job);
    void guest_lease_done(JobId id, const TileScheduler::Returned& returned);
    void guest_died(JobId id, const TileScheduler::Death& death);
    void arm_guest_expiry();

    // A full disk.
    void no_space(Job& job, std::int64_t band, Error error);
    void look_for_space();
    void band_written(Job& job);
    void leave_waiting(Job& job);

    // Over the end of this supervisor (job_adoption.cpp, job_resume.cpp, job_marks.cpp).
    void adopt_ended(JobId id, Json status, JobRecord* record);
    bool adopt_end(const JournaledJob& journaled, JobRecord* record);
    void adopt_unfinished(const JournaledJob& journaled, JobRecord* record);
    void adopt_progress(Job& job, JobRecord& record);
    void begin_again(Job& job);
    bool same_files(Job& job, const MoverReport& report);
    void forget_progress(Job& job);
    void interrupt(Job& job, const Error& why);
    void write_submitted(Job& job);
    static void forget_stored_files(const Job& job);
    void mark_begin(Job& job);
    void mark_load(Job& job, std::int64_t band);
    void mark_stage(Job& job, std::int64_t band, BandStage stage);
    void mark_tiles(Job& job, std::int64_t first, std::int64_t count);
    void mark_phase(Job& job);
    void mark_ended(Job& job);
    void unmark(Job& job);
    std::string status_text(const Job& job) const;
    void mark_workspaces(Job& job);
    std::size_t marked_phase(const Job& job, std::int64_t band) const;
    void forget_tile_bits(const Job& job, std::int64_t band) const;
    std::span<std::uint64_t> tile_bits(const Job& job, std::int64_t band, std::int64_t tiles) const;
    Job* same_submission(const Peer& peer, const std::string& submission);
    void link_again(ClientId client, Job& job, bool linked);

    // Results that stay.
    std::optional<Error> over_quota(const Peer& peer, const JobRequest& request, const JobPlan& plan) const;
    void arm_expiry();
    void expire();

    // The end.
    void announce(Job& job);
    bool is_quiet() const;
    void end_early(Job& job, JobOutcome outcome, Error error);
    void finish_ending(Job& job);
    void end(Job& job, JobOutcome outcome, Error error);
    void release_runs(Job& job);
    void drop_result(Job& job, const std::string& why);

    // What children report.
    void mover_reported(JobId id, const MoverReport& report);
    void mover_died(JobId id);
    void mover_hangs(JobId id);
    void fetch_ended(JobId id);
    void lease_done(const LeaseReport& report);
    void cannot_run(const CannotRunReport& report);
    void extents_done(const ExtentReport& report);
    void worker_died(WorkerSlot worker, const std::vector<ExtentOrder>& extents);

    void answer_submit(Job& job);
    void tick();
    void arm_tick();
    std::vector<ByteRange> warm_extents() const;
    Expected<Job*> owned_job(const Peer& peer, JobId id, std::string_view action);
    std::string why_waiting(const Job& job) const;
    Json to_json(const Job& job) const;

    boost::asio::io_context& loop_;
    Settings& settings_;
    const VolumeSegment& volume_;
    const PluginRoster& plugins_;
    Lifetime lifetime_;
    VolumeSpace space_;
    Admission admission_;
    JobLedger ledger_;
    TileScheduler scheduler_;
    WorkerPool workers_;
    MoverPool movers_;
    ResultFetches fetches_;
    MemoryOrders memory_;
    GuestMemory guest_memory_;
    GuestCrews guests_;
    JobRecords records_;
    JournalKeeper journal_;
    boost::asio::steady_timer tick_;
    boost::asio::steady_timer expiry_;
    boost::asio::steady_timer guest_expiry_;
    bool ticking_ = false;
    bool dispatching_ = false;
    int unannounced_ = 0;  // records that the end waits for: they are not on disk yet
    Clock::time_point started_ = Clock::now();

    std::map<JobId, PendingAnswer> submit_answers_;
    std::multimap<JobId, PendingAnswer> cancel_answers_;
    std::map<JobId, ClientId> links_;  // jobs and lent results that end with a connection
    struct PendingGuests {
        ClientId client;
        std::int64_t count;
        GuestAnswer answer;
    };
    std::multimap<JobId, PendingGuests> guest_answers_;                 // until the job has its memory
    std::map<JobId, std::pair<std::int64_t, std::int64_t>> last_told_;  // tiles, bytes of the last event
    std::function<void()> when_quiet_;
    std::int64_t jobs_done_ = 0;
    std::int64_t workers_lost_ = 0;
};

}  // namespace slab::daemon
