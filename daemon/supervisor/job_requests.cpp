// What clients ask about jobs that exist: cancel, attach, fetch, drop, show.

#include "daemon/supervisor/job_conductor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <unistd.h>

namespace slab::daemon {

Expected<Job*> JobConductor::owned_job(const Peer& peer, JobId id, std::string_view action) {
    Job* const job = ledger_.find(id);
    if (job == nullptr) {
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("there is no job {}", id), "", "See: slab ps --all"});
    }
    if (peer.uid != job->owner.uid && peer.uid != 0) {
        return std::unexpected(Error{ErrorKind::refused, fmt::format("job {} is not yours to {}", id, action),
                                     fmt::format("it belongs to {}", job->owner.user),
                                     fmt::format("Ask {}, or root.", job->owner.user)});
    }
    return job;
}

void JobConductor::cancel(ClientId client, const Peer& peer, JobId id, JobAnswer answer) {
    const auto job = owned_job(peer, id, "cancel");
    if (!job) {
        answer(std::unexpected(job.error()));
        return;
    }
    if ((*job)->state == JobState::ended) {
        answer(Json{{"job", to_json(**job)}});
        return;
    }
    cancel_answers_.emplace(id, PendingAnswer{client, std::move(answer)});
    end_early(**job, JobOutcome::cancelled,
              {ErrorKind::cancelled, fmt::format("job {} was cancelled", id),
               fmt::format("{} wanted it so", peer.user), ""});
}

void JobConductor::client_gone(ClientId client) {
    const auto is_its = [client](const auto& entry) { return entry.second.client == client; };
    std::erase_if(submit_answers_, is_its);
    std::erase_if(cancel_answers_, is_its);
    std::erase_if(guest_answers_, is_its);
    std::vector<JobId> linked;
    for (const auto& [job, owner] : links_) {
        if (owner == client) {
            linked.push_back(job);
        }
    }
    for (const JobId id : linked) {
        links_.erase(id);
        Job& job = *ledger_.find(id);
        if (job.kept && !fetches_.is_fetching(id)) {
            drop_result(job, "its client has gone");
        }
        end_early(job, JobOutcome::cancelled,
                  {ErrorKind::cancelled, fmt::format("job {} was cancelled", id),
                   "the client that waited for it has gone", ""});
    }
    fetches_.client_gone(client);
}

Expected<AttachGrant> JobConductor::attach(const Peer& peer, JobId id) {
    Job* const job = ledger_.find(id);
    if (job == nullptr) {
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("there is no job {}", id), "", "See: slab ps --all"});
    }
    const AttachPolicy allow = settings_.attach.allow;
    if (allow == AttachPolicy::none || (allow == AttachPolicy::owner && peer.uid != ::geteuid())) {
        return std::unexpected(Error{ErrorKind::refused, "this daemon lets you attach to nothing",
                                     allow == AttachPolicy::none
                                         ? "attach.allow is \"none\""
                                         : "attach.allow is \"owner\": only the daemon's own user may",
                                     fmt::format("Copy the result instead: slab fetch {} -o FILE", id)});
    }
    if (!job->kept || !job->holds.output) {
        return std::unexpected(Error{ErrorKind::usage, fmt::format("job {} has no result in the volume", id),
                                     job->request.guests ? "guests filled it, in memory of its client"
                                     : job->state != JobState::ended
                                         ? fmt::format("it is {}", name_of(job->state))
                                         : "it was not kept, or it was dropped",
                                     job->request.guests ? "" : "Run it with --keep."});
    }
    auto reader = open_with_read_lock(
        volume_.descriptor(), {job->holds.output->begin, job->holds.output->begin + job->plan.bytes_out});
    if (!reader) {
        return std::unexpected(reader.error());
    }
    Json array = array_to_json(job->plan.output);
    array["offset"] = job->holds.output->begin;
    array["volume_bytes"] = volume_.bytes();
    spdlog::info("job={} attached by user={}", id, peer.user);
    return AttachGrant{std::move(array), std::move(*reader)};
}

void JobConductor::fetch(ClientId client, const Peer& peer, JobId id, OutputFile output,
                         UniqueDescriptor file, JobAnswer answer) {
    const auto job = owned_job(peer, id, "fetch");
    if (!job) {
        answer(std::unexpected(job.error()));
        return;
    }
    if (!(*job)->kept || fetches_.is_fetching(id)) {
        answer(
            std::unexpected(Error{ErrorKind::usage,
                                  (*job)->kept ? fmt::format("job {} is being fetched already", id)
                                               : fmt::format("job {} has no result in the volume", id),
                                  "", (*job)->kept ? "Wait for the other fetch." : "Run it with --keep."}));
        return;
    }
    fetches_.begin(**job, client, std::move(output), std::move(file), std::move(answer));
}

// What was lent to a client that went meanwhile has waited for this.
void JobConductor::fetch_ended(JobId id) {
    Job& job = *ledger_.find(id);
    if (job.kept && job.request.lent && !links_.contains(id)) {
        drop_result(job, "its client has gone");
        admit_waiting();
    }
}

Expected<Json> JobConductor::drop(const Peer& peer, JobId id) {
    const auto found = owned_job(peer, id, "drop");
    if (!found) {
        return std::unexpected(found.error());
    }
    Job& job = **found;
    if (job.state == JobState::interrupted) {
        end_early(
            job, JobOutcome::cancelled,
            {ErrorKind::cancelled, fmt::format("job {} was dropped", id), peer.user + " wanted it so", ""});
        return Json{{"job", to_json(job)}};
    }
    if (!job.kept) {
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("job {} has no result in the volume", id),
                  job.state != JobState::ended ? fmt::format("it is {}", name_of(job.state))
                                               : "it was not kept, or it was dropped",
                  job.state != JobState::ended ? fmt::format("End it first: slab cancel {}", id) : ""});
    }
    if (fetches_.is_fetching(id)) {
        return std::unexpected(Error{ErrorKind::refused, fmt::format("job {} is being fetched", id), "",
                                     "Drop it when the fetch has ended."});
    }
    drop_result(job, "user=" + peer.user);
    Json answer{{"job", to_json(job)}};
    ledger_.forget_old();
    admit_waiting();
    return answer;
}

void JobConductor::drop_result(Job& job, const std::string& why) {
    job.kept = false;
    links_.erase(job.id);
    if (job.record != nullptr) {
        records_.release(*std::exchange(job.record, nullptr));
    }
    release_runs(job);
    if (job.in_journal) {
        journal_.append({{"record", "dropped"}, {"job", job.id}});
    }
    spdlog::info("job={} dropped: {}", job.id, why);
}

void JobConductor::trim(ClientId client, const Peer& peer, JobAnswer answer) {
    static_cast<void>(client);
    if (peer.uid != 0 && peer.uid != ::geteuid()) {
        answer(
            std::unexpected(Error{ErrorKind::refused, "trim is for root and the daemon's own user", "", ""}));
        return;
    }
    space_.collect_lingering();
    const std::int64_t of_guests = guest_memory_.drop_idle(Clock::now());
    memory_.trim([this, of_guests, answer = std::move(answer)](std::int64_t of_volume) {
        const std::int64_t bytes = of_volume + of_guests;
        spdlog::info("trimmed bytes={}", bytes);
        answer(Json{{"bytes", bytes}});
        admit_waiting();
    });
    dispatch();
}

Json JobConductor::list(bool ended_too) const {
    Json jobs = Json::array();
    for (const auto& [id, job] : ledger_.jobs()) {
        if (ended_too || job->state != JobState::ended || job->kept) {
            jobs.push_back(to_json(*job));
        }
    }
    return jobs;
}

Expected<Json> JobConductor::show(JobId id) const {
    const Job* const job = ledger_.find(id);
    if (job == nullptr) {
        return std::unexpected(
            Error{ErrorKind::usage, fmt::format("there is no job {}", id), "", "See: slab ps --all"});
    }
    return Json{{"job", to_json(*job)}};
}

}  // namespace slab::daemon
