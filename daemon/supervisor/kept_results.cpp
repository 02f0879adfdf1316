// Results that stay in the volume: each user's share of it, and when they go.

#include "common/units/byte_size.hpp"
#include "daemon/supervisor/job_conductor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace slab::daemon {
namespace {

bool never_expires(const Settings& settings) {
    return settings.results.expire == settings.results.expire.zero();
}

}  // namespace

std::optional<Error> JobConductor::over_quota(const Peer& peer, const JobRequest& request,
                                              const JobPlan& plan) const {
    if (!request.keep || request.lent || lifetime_ == Lifetime::embedded) {
        return std::nullopt;
    }
    const std::int64_t volume = space_.largest_possible();
    const std::int64_t share = parse_byte_size(settings_.quota.kept, volume).value_or(volume);
    std::int64_t held = 0;
    for (const auto& [id, job] : ledger_.jobs()) {
        if (job->owner.uid != peer.uid || job->request.lent) {
            continue;
        }
        if (job->kept || job->state == JobState::interrupted) {
            for (const ByteRange& run : job->holds.runs()) {
                held += run.end - run.begin;
            }
        } else if (job->state != JobState::ended && job->request.keep) {
            held += job->plan.bytes_out;
        }
    }
    if (held + plan.bytes_out <= share) {
        return std::nullopt;
    }
    return Error{
        ErrorKind::refused, "the result would not fit in your share of the volume",
        fmt::format(
            "it has {}, you hold {} in kept and interrupted results; your share is {} (quota.kept = {})",
            byte_size_text(plan.bytes_out), byte_size_text(held), byte_size_text(share),
            settings_.quota.kept),
        "Drop what you do not need (slab ps, slab drop ID), or write the result to a file with -o."};
}

// One timer for the next of them: an idle daemon sleeps.
void JobConductor::arm_expiry() {
    std::optional<std::chrono::system_clock::time_point> next;
    for (const auto& [id, job] : ledger_.jobs()) {
        const bool stays = (job->kept && !job->request.lent) || job->state == JobState::interrupted;
        if (stays && !never_expires(settings_)) {
            const auto when = job->released_at + settings_.results.expire;
            next = std::min(next.value_or(when), when);
        }
    }
    if (!next) {
        expiry_.cancel();
        return;
    }
    const auto wait = std::max<std::chrono::system_clock::duration>(*next - std::chrono::system_clock::now(),
                                                                    std::chrono::milliseconds(50));
    expiry_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::min<std::chrono::system_clock::duration>(wait, std::chrono::hours(1))));
    expiry_.async_wait([this](const boost::system::error_code& failure) {
        if (!failure) {
            expire();
        }
    });
}

void JobConductor::expire() {
    std::vector<Job*> old;
    for (const auto& [id, job] : ledger_.jobs()) {
        const bool stays = (job->kept && !job->request.lent) || job->state == JobState::interrupted;
        if (stays && job->released_at + settings_.results.expire <= std::chrono::system_clock::now() &&
            !fetches_.is_fetching(id)) {
            old.push_back(job.get());
        }
    }
    for (Job* const job : old) {
        if (job->kept) {
            drop_result(*job, "it expired (results.expire)");
        } else {
            end_early(*job, JobOutcome::cancelled,
                      {ErrorKind::cancelled, fmt::format("job {} expired", job->id),
                       "it was interrupted and nobody resumed it in time (results.expire)",
                       "Submit it again."});
        }
    }
    admit_waiting();
    arm_expiry();
}

}  // namespace slab::daemon
