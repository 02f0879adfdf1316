// How a job comes in: planned, its files looked at, room for it reserved.

#include "common/pausing/pause_point.hpp"
#include "common/units/byte_size.hpp"
#include "daemon/supervisor/job_conductor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {

void JobConductor::submit(ClientId client, const Peer& peer, JobRequest request, JobAnswer answer) {
    if (when_quiet_) {
        answer(std::unexpected(
            Error{ErrorKind::refused, "the daemon is stopping", "", "Submit again when it is back."}));
        return;
    }
    if (ledger_.unfinished().size() >= static_cast<std::size_t>(settings_.queue.most_waiting)) {
        answer(std::unexpected(
            Error{ErrorKind::refused, "too many jobs are waiting",
                  fmt::format("the limit is {} (queue.most_waiting)", settings_.queue.most_waiting),
                  "Wait for some to end."}));
        return;
    }
    if (Job* const known = same_submission(peer, request.submission)) {
        // Its client never got the answer.
        ResumeRequest again{known->id, {}, {}, {}, {}, request.linked};
        for (std::size_t input = 0; input < request.inputs.size(); ++input) {
            again.inputs.push_back(std::move(request.files[input]));
        }
        if (request.output) {
            again.output = std::move(request.files.back());
        }
        resume(client, peer, std::move(again), std::move(answer));
        return;
    }
    auto plan = admission_.plan(request);
    if (!plan) {
        answer(std::unexpected(plan.error()));
        return;
    }
    if (auto problem = over_quota(peer, request, *plan)) {
        answer(std::unexpected(std::move(*problem)));
        return;
    }
    if (auto problem = waits_for_own_results(peer, request, *plan)) {
        answer(std::unexpected(std::move(*problem)));
        return;
    }
    const bool linked = request.linked;
    Job& job = ledger_.add(peer, std::move(request), std::move(*plan));
    volume_.set_last_job(job.id);
    submit_answers_.emplace(job.id, PendingAnswer{client, std::move(answer)});
    if (linked) {
        links_.emplace(job.id, client);
    }
    pause_point("supervisor-after-admission");
    begin_bands(job);
    if (job.request.guests && !job.request.output) {
        file_checked(job, {});  // no file, no mover
    } else {
        take_mover(job);
    }
    // Room and warm memory at hand: the mover gets its next order before it has answered the first.
    const bool nobody_waits = std::ranges::none_of(
        ledger_.unfinished(), [](const auto& entry) { return entry.second->state == JobState::queued; });
    if (nobody_waits && !job.holds.reserved && reserve(job)) {
        advance(job);
    }
    arm_tick();
}

void JobConductor::take_mover(Job& job) {
    movers_.take(job.id);
    job.mover = {};
    job.last_load = -1;
    send_check(job);
}

void JobConductor::send_check(Job& job) {
    MoverOrder order{.kind = MoverOrderKind::check};
    order.input_count = static_cast<std::uint32_t>(job.request.inputs.size());
    for (std::size_t i = 0; i < job.request.inputs.size(); ++i) {
        const InputFile& input = job.request.inputs[i];
        order.inputs[i].file_offset = input.offset;
        order.inputs[i].bytes = byte_count(input.array);
        order.inputs[i].codec = input.codec;
    }
    if (job.request.output) {
        order.has_output = 1;
        order.output = {job.request.output->offset, job.plan.bytes_out, 0,
                        job.request.output->is_sequential ? 1U : 0U,
                        job.files_checked || job.is_resumed ? 1U : 0U};
    }
    job.mover.checking = true;
    movers_.order(job.id, order, {}, job.request.files);
}

void JobConductor::file_checked(Job& job, const MoverReport& report) {
    job.mover.checking = false;
    job.mover.checked = true;
    job.files_checked = true;
    const bool comes_in = job.state == JobState::received || job.state == JobState::waiting_for_space;
    if (comes_in && job.is_resumed && !same_files(job, report)) {
        return;
    }
    if (comes_in) {
        job.input_identities.assign(report.inputs.begin(),
                                    report.inputs.begin() +
                                        static_cast<std::ptrdiff_t>(job.request.inputs.size()));
        job.output_identity = report.output;
        accepted(job);
    }
    advance(job);
}

void JobConductor::accepted(Job& job) {
    if (job.is_resumed) {
        job.is_resumed = false;
        journal_.append({{"record", "resumed"}, {"job", job.id}});
    }
    write_submitted(job);
    leave_waiting(job);
    if (job.holds.reserved && job.state == JobState::queued) {
        job.admitted = Clock::now();
        ledger_.move(job, JobState::loading);
        mark_begin(job);
    }
    if (!ends_soon(job)) {
        answer_submit(job);
    }
    admit_waiting();
}

// A job of a few tiles whose memory is at hand is answered when it has ended: one message and one wake-up of the
// client less, while the workers want the CPUs. The tick answers if it takes longer than it looked.
bool JobConductor::ends_soon(const Job& job) const {
    return !job.request.output && !job.request.guests && job.holds.is_populated &&
           job.plan.tile_count <= workers_.size();
}

// All of a job's extents or none: two jobs that each hold half of what they need would wait for ever.
bool JobConductor::reserve(Job& job) {
    if (job.request.guests) {
        return reserve_for_guests(job);
    }
    Holdings holds;
    const auto take = [&](std::int64_t bytes, std::optional<ByteRange>& place) {
        place = space_.reserve(job.id, bytes);
        return place.has_value();
    };
    // As band_layout counts it, or a job could wait for ever for room that it was promised.
    constexpr std::int64_t page = 4096;
    const RingPlan& ring = job.plan.ring;
    holds.inputs.resize(job.request.inputs.size());
    bool complete = true;
    for (std::size_t input = 0; input < holds.inputs.size() && complete; ++input) {
        complete = ring.input_at[input] >= 0 ||
                   take(byte_count(job.request.inputs[input].array) + page - 1, holds.inputs[input]);
    }
    complete = complete && (ring.output_at >= 0 || take(job.plan.bytes_out, holds.output));
    complete = complete && (!job.plan.streams() || take(ring.slots * ring.slot_bytes, holds.ring));
    complete = complete && (job.plan.work.bytes == 0 || take(job.plan.work.bytes, holds.work));
    for (const ByteRange& run : holds.runs()) {
        if (complete) {
            memory_.need(run);
        } else {
            space_.release(run);
        }
    }
    if (complete) {
        holds.reserved = true;
        job.holds = std::move(holds);
        job.peak_volume_bytes = std::max(job.peak_volume_bytes, job.plan.holds_bytes);
    }
    return complete;
}

// In the order of priority and age. Smaller jobs may pass one that does not fit yet, until it has waited for
// queue.patience: then nothing passes it, so that it cannot wait for ever.
void JobConductor::admit_waiting() {
    std::vector<Job*> waiting;
    for (const auto& [id, job] : ledger_.unfinished()) {
        if (job->state == JobState::queued && !job->ending) {
            waiting.push_back(job);
        }
    }
    std::ranges::stable_sort(waiting, {}, [](const Job* job) { return job->request.priority; });
    for (Job* const job : waiting) {
        bool fits = reserve(*job);
        if (!fits && space_.collect_lingering()) {
            fits = reserve(*job);
        }
        if (fits) {
            job->reason.clear();
            job->admitted = Clock::now();
            ledger_.move(*job, JobState::loading);
            mark_begin(*job);
            advance(*job);
            continue;
        }
        std::string reason = why_waiting(*job);
        if (reason != job->reason) {
            job->reason = std::move(reason);
            spdlog::info("job={} kernel={} waits: {}", job->id, job->request.kernel, job->reason);
        }
        if (Clock::now() - job->submitted > settings_.queue.patience) {
            break;
        }
    }
}

std::string JobConductor::why_waiting(const Job& job) const {
    if (job.request.guests) {
        const GuestMemory::Use guests = guest_memory_.use();
        return fmt::format(
            "it needs {} of the guests' memory; of {} (guests.memory) jobs hold {}, results that are "
            "still looked at {}",
            byte_size_text(job.plan.holds_bytes), byte_size_text(guests.bytes), byte_size_text(guests.held),
            byte_size_text(guests.lingering));
    }
    const SpaceUse use = space_.use();
    return fmt::format(
        "it needs {} of the volume; {} are free (the longest run {}), {} are held by jobs and kept "
        "results, {} by readers of dropped ones",
        byte_size_text(job.plan.holds_bytes), byte_size_text(use.free), byte_size_text(space_.largest_free()),
        byte_size_text(use.held), byte_size_text(use.lingering));
}

}  // namespace slab::daemon
