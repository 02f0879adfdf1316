#include "daemon/supervisor/guest_crews.hpp"

#include "common/protocol/message.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace slab::daemon {
namespace {

std::vector<std::int64_t> axes_of(const std::array<std::int64_t, max_rank>& numbers, int rank) {
    return {numbers.begin(), numbers.begin() + rank};
}

Json lease_to_json(const Lease& lease, const GuestBand& band) {
    const Box& part = band.tiles.domain;
    return {{"lease", lease.id},
            {"first", lease.first},
            {"count", lease.count},
            {"band", band.number},
            {"begin", axes_of(part.begin, part.rank)},
            {"end", axes_of(part.end, part.rank)},
            {"tile", axes_of(band.tiles.tile, part.rank)},
            {"place", band.place}};
}

}  // namespace

GuestCrews::GuestCrews(boost::asio::io_context& loop, std::vector<int> cpus, Events events)
    : loop_(loop), cpus_(std::move(cpus)), events_(std::move(events)) {}

Expected<GuestCrews::Hired> GuestCrews::hire(JobId job) {
    Crew& crew = crews_[job];
    if (crew.guests.size() >= most_guests) {
        return std::unexpected(Error{ErrorKind::refused, "the job has too many guests",
                                     fmt::format("{} are the most", most_guests), "Start fewer workers."});
    }
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return std::unexpected(Error{ErrorKind::refused, "no socket can be made for a guest",
                                     errno_text(errno),
                                     "Look at the daemon's limit of open files (LimitNOFILE)."});
    }
    Hired hired{UniqueDescriptor(ends[1]), idlest_cpu()};
    const WorkerSlot slot = next_slot_++;
    Guest& guest = crew.guests[slot];
    guest.cpu = hired.cpu;
    guest.channel = std::make_shared<PacketChannel>(loop_, UniqueDescriptor(ends[0]));
    guest.channel->start([this, job, slot](Packet&& packet) { received(job, slot, std::move(packet)); },
                         [this, job, slot] { left(job, slot); });
    return hired;
}

void GuestCrews::add_band(const TileScheduler::JobShare& share, const GuestBand& band) {
    Crew& crew = crews_[share.job];
    crew.band = band;
    crew.tiles.add_band(share, band.tiles.tile_count());
    deal(share.job);
}

// Round and round, so that a band of few tiles is everybody's.
void GuestCrews::deal(JobId job) {
    Crew& crew = crews_.at(job);
    const auto ready =
        std::ranges::count_if(crew.guests, [](const auto& entry) { return entry.second.is_ready; });
    for (std::size_t outstanding = 0; outstanding < most_outstanding; ++outstanding) {
        for (auto& [slot, guest] : crew.guests) {
            if (!guest.is_ready || guest.leases.size() > outstanding) {
                continue;
            }
            const auto lease = crew.tiles.next_lease(slot, static_cast<int>(ready));
            if (!lease) {
                return;
            }
            if (guest.leases.empty()) {
                guest.working_since = Clock::now();
            }
            guest.leases.push_back(*lease);
            spdlog::trace("guest={} job={} lease={} tiles={}+{}", slot, job, lease->id, lease->first,
                          lease->count);
            guest.channel->send(encode_message(lease_to_json(*lease, crew.band)).bytes);
        }
    }
}

void GuestCrews::received(JobId job, WorkerSlot slot, Packet&& packet) {
    const auto message = decode_message(std::move(packet));
    Guest& guest = crews_.at(job).guests.at(slot);
    const Json body = message ? message->body : Json::object();
    if (!guest.is_ready && flag_or(body, "ready", false)) {
        guest.is_ready = true;
        deal(job);
        return;
    }
    const auto done = static_cast<LeaseId>(integer_or(body, "done", 0));
    const auto failed = static_cast<LeaseId>(integer_or(body, "failed", 0));
    const LeaseId working_on = guest.leases.empty() ? 0 : guest.leases.front().id;
    if (working_on != 0 && done == working_on) {
        lease_done(job, slot);
    } else if (working_on != 0 && failed == working_on) {
        constexpr std::size_t longest_line = 400;
        constexpr std::size_t longest_facts = 8192;
        events_.failed(job,
                       {ErrorKind::failed, text_or(body, "what", "a guest failed").substr(0, longest_line),
                        text_or(body, "because").substr(0, longest_facts),
                        text_or(body, "remedy").substr(0, longest_line)});
    } else {
        spdlog::info("guest={} job={} keeps no rules: let go", slot, job);
        guest.channel->close();
        left(job, slot);
    }
}

void GuestCrews::lease_done(JobId job, WorkerSlot slot) {
    Crew& crew = crews_.at(job);
    Guest& guest = crew.guests.at(slot);
    const auto now = Clock::now();
    const auto busy =
        std::max<TileScheduler::Nanoseconds>(now - guest.working_since, std::chrono::nanoseconds(1));
    const Lease lease = guest.leases.front();
    guest.leases.erase(guest.leases.begin());
    guest.working_since = now;
    const TileScheduler::Returned returned = crew.tiles.give_back(lease.id, lease.count, busy);
    if (!returned.band_complete) {
        deal(job);
    }
    events_.lease_done(job, returned);
}

// Called from the guest's own channel, which is kept by its pending wait.
void GuestCrews::left(JobId job, WorkerSlot slot) {
    Crew& crew = crews_.at(job);
    boost::asio::post(loop_, [channel = crew.guests.at(slot).channel] {});
    crew.guests.erase(slot);
    const TileScheduler::Death death = crew.tiles.worker_died(slot);
    events_.died(job, death);
    if (crews_.contains(job)) {
        deal(job);
    }
}

void GuestCrews::dismiss(JobId job) {
    const auto found = crews_.find(job);
    if (found == crews_.end()) {
        return;
    }
    for (auto& [slot, guest] : found->second.guests) {
        guest.channel->close();
        boost::asio::post(loop_, [channel = guest.channel] {});
    }
    crews_.erase(found);
}

std::int64_t GuestCrews::guests_of(JobId job) const {
    const auto found = crews_.find(job);
    return found == crews_.end() ? 0 : static_cast<std::int64_t>(found->second.guests.size());
}

std::int64_t GuestCrews::guest_count() const {
    std::int64_t count = 0;
    for (const auto& [job, crew] : crews_) {
        count += static_cast<std::int64_t>(crew.guests.size());
    }
    return count;
}

int GuestCrews::idlest_cpu() const {
    std::map<int, int> guests_on;
    for (const auto& [job, crew] : crews_) {
        for (const auto& [slot, guest] : crew.guests) {
            ++guests_on[guest.cpu];
        }
    }
    return *std::ranges::min_element(cpus_, {}, [&guests_on](int cpu) { return guests_on[cpu]; });
}

}  // namespace slab::daemon
