// Jobs of guests: their memory is a segment of its own, their tiles are filled by processes of their client.

#include "common/units/byte_size.hpp"
#include "daemon/supervisor/job_conductor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <fcntl.h>

namespace slab::daemon {
namespace {

constexpr std::int64_t most_in_an_answer = most_descriptors - 2;  // the segment, and perhaps a long message

constexpr auto at_least_every = std::chrono::milliseconds(100);

}  // namespace

// Others' memory may come back at any time. A user who holds what the job needs would wait for themselves: in
// r = f(); r = f() the first result is there until the second is.
std::optional<Error> JobConductor::waits_for_own_results(const Peer& peer, const JobRequest& request,
                                                         const JobPlan& plan) const {
    const std::int64_t own = request.guests ? guest_memory_.lingering_of(peer.uid) : 0;
    const std::int64_t most = guest_memory_.use().bytes;
    if (own == 0 || plan.holds_bytes <= most - own) {
        return std::nullopt;
    }
    return Error{
        ErrorKind::refused, "results of earlier calls take up the guests' memory",
        fmt::format(
            "this one needs {}; results of yours that are still looked at hold {} of {} (guests.memory)",
            byte_size_text(plan.holds_bytes), byte_size_text(own), byte_size_text(most)),
        "Let go of them first (in Python: del r), or write the output to a file."};
}

bool JobConductor::reserve_for_guests(Job& job) {
    const std::int64_t bytes =
        job.plan.streams() ? job.plan.ring.slots * job.plan.ring.slot_bytes : job.plan.bytes_out;
    auto segment = guest_memory_.reserve(job.owner.uid, bytes);
    if (!segment) {
        end_early(job, JobOutcome::failed, segment.error());
        return false;
    }
    if (!*segment) {
        return false;
    }
    job.holds = {};
    job.holds.segment = std::move(*segment);
    (job.plan.streams() ? job.holds.ring : job.holds.output) = ByteRange{0, job.holds.segment->bytes};
    job.holds.reserved = job.holds.is_populated =
        true;  // guests put memory behind it, each first touch near its CPU
    job.peak_volume_bytes = job.holds.segment->bytes;
    answer_guests(job);
    return true;
}

void JobConductor::send_segment(Job& job) {
    std::vector<UniqueDescriptor> descriptors;
    descriptors.emplace_back(::fcntl(job.holds.segment->descriptor.get(), F_DUPFD_CLOEXEC, 0));
    MoverOrder order{.kind = MoverOrderKind::segment};
    order.output.bytes = job.holds.segment->bytes;
    movers_.order(job.id, order, {}, descriptors);
}

void JobConductor::guests(ClientId client, const Peer& peer, JobId id, std::int64_t count,
                          GuestAnswer answer) {
    const auto found = owned_job(peer, id, "give guests to");
    if (!found) {
        answer(std::unexpected(found.error()));
        return;
    }
    Job& job = **found;
    if (!job.request.guests) {
        answer(std::unexpected(Error{ErrorKind::usage, fmt::format("job {} takes no guests", id),
                                     "a kernel of the daemon's own fills its tiles", ""}));
        return;
    }
    if (count < 0 || count > most_in_an_answer) {
        answer(std::unexpected(
            Error{ErrorKind::usage, fmt::format("{} guests cannot be asked for at once", count),
                  fmt::format("1 to {}, or 0: as many as there are workers", most_in_an_answer),
                  "Ask several times."}));
        return;
    }
    guest_answers_.emplace(id, PendingGuests{client, count, std::move(answer)});
    if (job.holds.segment || job.state == JobState::ended) {
        answer_guests(job);
    }
}

// When the job has its memory, or has ended without.
void JobConductor::answer_guests(Job& job) {
    auto [first, last] = guest_answers_.equal_range(job.id);
    std::vector<PendingGuests> pending;
    for (auto entry = first; entry != last; ++entry) {
        pending.push_back(std::move(entry->second));
    }
    guest_answers_.erase(first, last);
    for (const PendingGuests& asked : pending) {
        if (!job.holds.segment) {
            asked.answer(
                std::unexpected(job.error.what.empty()
                                    ? Error{ErrorKind::usage, fmt::format("job {} has ended", job.id), "", ""}
                                    : job.error));
            continue;
        }
        GuestGrant grant;
        Json cpus = Json::array();
        auto segment = GuestMemory::open_for_guests(*job.holds.segment);
        std::optional<Error> problem = segment ? std::nullopt : std::optional(segment.error());
        const std::int64_t wanted =
            asked.count > 0 ? asked.count : std::min<std::int64_t>(workers_.size(), most_in_an_answer);
        if (segment) {
            grant.descriptors.push_back(std::move(*segment));
        }
        for (std::int64_t guest = 0; guest < wanted && !problem; ++guest) {
            auto hired = guests_.hire(job.id);
            if (!hired) {
                problem = hired.error();
                break;
            }
            cpus.push_back(hired->cpu);
            grant.descriptors.push_back(std::move(hired->socket));
        }
        job.guests = std::max(job.guests, guests_.guests_of(job.id));
        if (problem) {
            asked.answer(std::unexpected(*problem));
            continue;
        }
        grant.facts = {{"job", job.id},
                       {"cpus", std::move(cpus)},
                       {"nice", settings_.workers.nice},
                       {"deadline_s", std::chrono::duration<double>(settings_.workers.tile_deadline).count()},
                       {"workers", workers_.size()},
                       {"segment_bytes", job.holds.segment->bytes},
                       {"is_warm", job.holds.segment->is_warm}};
        asked.answer(std::move(grant));
    }
}

void JobConductor::guest_lease_done(JobId id, const TileScheduler::Returned& returned) {
    Job& job = *ledger_.find(id);
    if (job.ending) {
        return;
    }
    job.tiles_done += returned.newly_filled;
    if (returned.band_complete) {
        phase_complete(job);
    }
}

// Its client starts another, and is told at once.
void JobConductor::guest_died(JobId id, const TileScheduler::Death& death) {
    Job& job = *ledger_.find(id);
    if (job.ending) {
        return;
    }
    for (const TileScheduler::Loss& loss : death.losses) {
        job.tiles_repeated += loss.tiles;
    }
    ++job.workers_lost;
    spdlog::info("job={} lost a guest: tiles_again={}", id,
                 death.losses.empty() ? 0 : death.losses.front().tiles);
    if (death.poisoned) {
        end_early(
            job, JobOutcome::failed,
            {ErrorKind::failed,
             fmt::format("tile {} {} killed {} guests", death.poison_tile,
                         to_text(job.tiles().tile_box(death.poison_tile)), TileScheduler::most_deaths),
             "the function crashes, exits or takes too long there, or something kills guests (no memory?)",
             "Call it for that tile alone, under a debugger."});
        return;
    }
    if (is_watched(id)) {
        on_job_event(to_json(job));
    }
}

void JobConductor::arm_guest_expiry() {
    if (!guest_memory_.has_segments()) {
        return;
    }
    guest_expiry_.expires_after(std::max<std::chrono::milliseconds>(settings_.guests.idle, at_least_every));
    guest_expiry_.async_wait([this](const boost::system::error_code& failure) {
        if (failure) {
            return;
        }
        const std::int64_t bytes = guest_memory_.drop_idle(Clock::now() - settings_.guests.idle);
        spdlog::debug("guests' memory given back: bytes={}", bytes);
        arm_guest_expiry();
    });
}

}  // namespace slab::daemon
