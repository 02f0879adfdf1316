// What the conductor tells about the daemon as a whole: `slab status`, `slab plan`, the line that systemctl shows.

#include "common/units/byte_size.hpp"
#include "daemon/admission/job_json.hpp"
#include "daemon/admission/kernel_catalog.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/supervisor/job_conductor.hpp"

#include <fmt/format.h>

#include <array>
#include <sys/resource.h>

namespace slab::daemon {
namespace {

double own_cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

Json JobConductor::hello() const {
    return {{"protocol", protocol_version},   {"version", SLABD_VERSION},
            {"instance", settings_.instance}, {"pid", ::getpid()},
            {"simd", kernels::simd_level()},  {"plugins", plugins_.to_json()}};
}

Expected<Json> JobConductor::kernels(const std::string& name) const {
    Expected<Json> answer = kernels_to_json(name);
    if (answer && name.empty()) {
        (*answer)["plugins"] = plugins_.to_json();
    }
    return answer;
}

Expected<Json> JobConductor::plan(const JobRequest& request) const {
    const auto plan = admission_.plan(request, Admission::For::showing);
    return plan ? Expected<Json>(plan_to_json(*plan)) : std::unexpected(plan.error());
}

Json JobConductor::to_json(const Job& job) const {
    const int workers = job.request.guests ? static_cast<int>(job.guests) : workers_.size();
    return job_to_json(job, workers, settings_.results.expire);
}

Json JobConductor::status() {
    space_.collect_lingering();
    const SpaceUse use = space_.use();
    const GuestMemory::Use guest_use = guest_memory_.use();
    Json workers = Json::array();
    for (const WorkerView& worker : workers_.view()) {
        workers.push_back({{"slot", worker.slot},
                           {"cpu", worker.cpu},
                           {"pid", worker.pid > 0 ? Json(worker.pid) : Json()},  // not told yet
                           {"state", name_of(worker.state)},
                           {"restarts", worker.restarts},
                           {"leases_done", worker.leases_done}});
    }
    Json movers = Json::array();
    for (const MoverPool::View& mover : movers_.view()) {
        movers.push_back({{"pid", mover.pid}, {"job", mover.job == 0 ? Json() : Json(mover.job)}});
    }
    std::array<int, job_state_count> states{};
    for (const auto& [id, job] : ledger_.jobs()) {
        ++states[static_cast<std::size_t>(job->state)];
    }
    Json jobs = Json::object();
    for (std::size_t state = 0; state < job_state_count; ++state) {
        jobs[std::string(name_of(static_cast<JobState>(state)))] = states[state];
    }
    jobs["done_since_start"] = jobs_done_;
    constexpr std::array<std::string_view, 3> wishes{"try", "on", "off"};
    return {
        {"version", SLABD_VERSION},
        {"instance", settings_.instance},
        {"pid", ::getpid()},
        {"uptime_s", std::chrono::duration<double>(Clock::now() - started_).count()},
        {"supervisor_cpu_s", own_cpu_seconds()},
        {"simd", kernels::simd_level()},
        {"volume",
         {{"name", volume_.name()},
          {"bytes", use.bytes},
          {"populated_bytes", use.populated},
          {"huge_page_bytes", use.huge},
          {"huge_pages", wishes[static_cast<std::size_t>(settings_.volume.huge_pages)]},
          {"pages", use.populated == 0          ? "none"
                    : use.huge == use.populated ? "2 MiB"
                    : use.huge == 0             ? "4 KiB"
                                                : "mixed"},
          {"held_bytes", use.held},
          {"lingering_bytes", use.lingering},
          {"free_bytes", use.free},
          {"largest_free_bytes", space_.largest_free()},
          {"adopted", volume_.adopted()}}},
        {"guests",
         {{"count", guests_.guest_count()},
          {"bytes", guest_use.bytes},
          {"held_bytes", guest_use.held},
          {"lingering_bytes", guest_use.lingering},
          {"idle_bytes", guest_use.idle}}},
        {"workers", workers},
        {"workers_lost", workers_lost_},
        {"movers", movers},
        {"journal", {{"kept", journal_.is_there()}, {"pid", journal_.pid()}}},
        {"plugins", plugins_.to_json()},
        {"jobs", jobs},
    };
}

std::string JobConductor::summary() const {
    const SpaceUse use = space_.use();
    return fmt::format("{} jobs unfinished, {} done; volume {} of {} held", ledger_.unfinished().size(),
                       jobs_done_, byte_size_text(use.held), byte_size_text(use.bytes));
}

}  // namespace slab::daemon
