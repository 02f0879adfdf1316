#include "client/library/reconnection.hpp"

#include "client/library/answer_parts.hpp"
#include "client/library/answers.hpp"
#include "client/library/connection.hpp"
#include "client/library/daemon_socket.hpp"
#include "client/library/link.hpp"
#include "client/library/request_body.hpp"
#include "common/units/duration.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace slab {
namespace {

using Clock = std::chrono::steady_clock;

// A job at which every daemon dies would be given to each of them for ever. Counted anew whenever the job gets on.
constexpr int most_losses_without_progress = 5;

// The daemon keeps the time in another form than the text that it sends.
constexpr double same_time_s = 1e-3;

Error gave_up(const Error& loss, const std::string& absence, std::chrono::milliseconds patience) {
    Error error = loss;
    error.because = fmt::format("it did not come back within {}{}{}", duration_text(patience),
                                absence.empty() ? "" : ": ", absence);
    error.remedy =
        "Look at its log (journalctl -u slabd). Once it runs again, slab ps shows its jobs, and slab "
        "resume ID makes an interrupted one go on.";
    return error;
}

Error interrupted(const JobStatus& job) {
    return {ErrorKind::interrupted, fmt::format("job {} is interrupted", job.id),
            "its daemon ended while it ran, and nobody has resumed it",
            fmt::format("Make it go on with: slab resume {}.", job.id)};
}

Error forgotten(std::int64_t job) {
    return {ErrorKind::interrupted, fmt::format("the daemon came back without job {}", job),
            "the job was not in its journal", "Run it again."};
}

bool is_sequential(const RequestWithDescriptors& held) {
    const auto output = held.body.find("output");
    return output != held.body.end() && flag_or(*output, "sequential", false);
}

// Lent to the connection that was lost, or kept in a volume that is gone: the memory is nobody's by now.
bool has_lost_its_result(const JobStatus& job, const RequestWithDescriptors& held) {
    return has_ended(job) && job.outcome == JobStatus::Outcome::done && !held.body.contains("output") &&
           job.held_bytes == 0 && job.bytes_out > 0;
}

ResumeRequest resume_request(const JobStatus& job, const RequestWithDescriptors& held) {
    ResumeRequest request{.job = job.id, .submitted_at = job.submitted_at, .inputs = held.descriptors};
    if (held.body.contains("output")) {
        request.output = request.inputs.back();
        request.inputs.pop_back();
    }
    request.linked = flag_or(held.body, "linked", false);
    return request;
}

bool got_on(const JobStatus& before, const JobStatus& now) {
    return now.bands_done > before.bands_done || now.tiles_done > before.tiles_done;
}

}  // namespace

Expected<std::chrono::milliseconds> reconnect_patience(std::optional<std::chrono::milliseconds> chosen) {
    if (chosen) {
        return *chosen;
    }
    const char* const text = std::getenv("SLABD_RECONNECT");
    if (text == nullptr || *text == '\0') {
        return usual_reconnect_patience;
    }
    if (std::string_view(text) == "0") {
        return std::chrono::milliseconds(0);
    }
    const auto patience = parse_duration(text);
    if (!patience) {
        return std::unexpected(Error{ErrorKind::usage, "SLABD_RECONNECT is no duration",
                                     fmt::format("it is '{}'", text),
                                     "Give it a number and a unit, as 60s or 5min, or 0 for not waiting."});
    }
    return *patience;
}

bool Connection::may_survive(const Error& error) const {
    return error.kind == ErrorKind::interrupted && link_->is_lost() && !is_embedded() &&
           reconnect_for_ > std::chrono::milliseconds(0);
}

Expected<void> Connection::reconnect(const Error& loss) {
    if (on_presence_) {
        on_presence_(DaemonPresence::lost, reconnect_for_);
    }
    const Clock::time_point deadline = Clock::now() + reconnect_for_;
    std::string absence;
    while (true) {
        // Whatever is wrong with the socket may be a daemon that is still making it.
        Expected<SocketSearch> search = find_daemon_socket(daemon_.socket);
        absence = search ? search->absence : search.error().because;
        if (search && search->socket) {
            link_->go_on_at(std::move(search->socket));
            // systemd holds the socket before there is a daemon behind it: the rest of the time is for its hello.
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
            const auto greeted = greet(std::max(left, reconnect_interval));
            if (greeted) {
                break;
            }
            if (greeted.error().kind == ErrorKind::cancelled || greeted.error().kind == ErrorKind::refused) {
                return greeted;
            }
            absence = greeted.error().what;
        }
        if (Clock::now() >= deadline) {
            return std::unexpected(gave_up(loss, absence, reconnect_for_));
        }
        if (auto paused = link_->pause(reconnect_interval); !paused) {
            return paused;
        }
    }
    if (on_presence_) {
        on_presence_(DaemonPresence::back, reconnect_for_);
    }
    return {};
}

Expected<JobStatus> Connection::submit(const JobRequest& request) {
    const Expected<RequestWithDescriptors> held = request_with_descriptors(request);
    return held ? submit_held(*held) : std::unexpected(held.error());
}

// Sent again with the same `submission` when the answer is lost with the daemon: should the job be in its
// journal, the next daemon links us to it, and there is no second writer to the output.
Expected<JobStatus> Connection::submit_held(const RequestWithDescriptors& held) {
    for (int losses = 0;; ++losses) {
        const auto answer = link_->ask("submit", held.body, held.descriptors);
        if (answer) {
            Expected<JobStatus> job = job_in(*answer, "submit");
            if (job && flag_or(held.body, "watch", false)) {
                link_->follow(*job);
            }
            return job;
        }
        if (!may_survive(answer.error()) || is_sequential(held) || losses == most_losses_without_progress) {
            return std::unexpected(answer.error());
        }
        if (auto back = reconnect(answer.error()); !back) {
            return std::unexpected(back.error());
        }
    }
}

Expected<JobStatus> Connection::wait(std::int64_t job, const ProgressCallback& on_progress) {
    Expected<std::optional<JobStatus>> ended = wait_for(job, nullptr, on_progress);
    return ended ? Expected<JobStatus>(std::move(**ended)) : std::unexpected(ended.error());
}

Expected<JobStatus> Connection::run_to_end(const JobRequest& request, const ProgressCallback& on_progress) {
    Expected<RequestWithDescriptors> held = request_with_descriptors(request);
    if (!held) {
        return std::unexpected(held.error());
    }
    held->body["watch"] = true;
    while (true) {
        const Expected<JobStatus> submitted = submit_held(*held);
        if (!submitted) {
            return submitted;
        }
        Expected<std::optional<JobStatus>> ended = wait_for(submitted->id, &*held, on_progress);
        if (!ended) {
            return std::unexpected(ended.error());
        }
        if (*ended) {
            return std::move(**ended);
        }
        held->body["submission"] = random_submission();
    }
}

Expected<JobStatus> Connection::run(const JobRequest& request, const ProgressCallback& on_progress) {
    Expected<JobStatus> ended = run_to_end(request, on_progress);
    if (ended && ended->outcome != JobStatus::Outcome::done) {
        return std::unexpected(error_of(*ended));
    }
    return ended;
}

Expected<Connection::Resumed> Connection::resume(const ResumeRequest& request) {
    std::vector<int> descriptors = request.inputs;
    Json body{{"job", request.job}, {"linked", request.linked}, {"watch", request.watch}};
    if (request.submitted_at > 0) {
        body["submitted_at"] = request.submitted_at;
    }
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        body["inputs"].push_back({{"descriptor", i}});
    }
    if (request.output >= 0) {
        body["output"] = {{"descriptor", descriptors.size()}};
        descriptors.push_back(request.output);
    }
    if (!request.note.empty()) {
        body["note"] = Json::parse(request.note, nullptr, false);
    }
    auto answer = link_->ask("resume", body, descriptors);
    for (int losses = 0; !answer && may_survive(answer.error()) && losses < most_losses_without_progress;
         ++losses) {
        if (auto back = reconnect(answer.error()); !back) {
            return std::unexpected(back.error());
        }
        answer = link_->ask("resume", body, descriptors);
    }
    if (!answer) {
        return std::unexpected(answer.error());
    }
    Expected<JobStatus> job = job_in(*answer, "resume");
    if (!job) {
        return std::unexpected(job.error());
    }
    if (request.watch) {
        link_->follow(*job);
    }
    return Resumed{std::move(*job), flag_or(answer->body, "resumed", true)};
}

Expected<JobStatus> Connection::wait(const ResumeRequest& request, const ProgressCallback& on_progress) {
    RequestWithDescriptors held{{{"linked", request.linked}}, request.inputs, {}};
    if (request.output >= 0) {
        held.body["output"] = Json::object();
        held.descriptors.push_back(request.output);
    }
    Expected<std::optional<JobStatus>> ended = wait_for(request.job, &held, on_progress);
    if (!ended) {
        return std::unexpected(ended.error());
    }
    return *ended ? Expected<JobStatus>(std::move(**ended)) : std::unexpected(forgotten(request.job));
}

// The job of before in the daemon that came back.
Expected<std::optional<JobStatus>> Connection::find_again(const JobStatus& before,
                                                          const RequestWithDescriptors* held) {
    Expected<JobStatus> found = show(before.id);
    if (!found &&
        (found.error().kind == ErrorKind::interrupted || found.error().kind == ErrorKind::cancelled)) {
        return std::unexpected(found.error());
    }
    // A daemon without a journal counts from 1 again: an id alone is no proof.
    const bool is_known = found && std::abs(found->submitted_at - before.submitted_at) <= same_time_s;
    if (!is_known || (held != nullptr && has_lost_its_result(*found, *held))) {
        const bool may_be_asked_anew = held != nullptr && (is_known || !before.durable);
        return may_be_asked_anew ? Expected<std::optional<JobStatus>>(std::nullopt)
                                 : std::unexpected(forgotten(before.id));
    }
    if (has_ended(*found)) {
        link_->follow(*found);
        return *found;
    }
    if (held != nullptr) {
        Expected<Resumed> resumed = resume(resume_request(before, *held));
        return resumed ? Expected<std::optional<JobStatus>>(std::move(resumed->job))
                       : std::unexpected(resumed.error());
    }
    found = ask_about("watch", before.id);
    if (!found) {
        return std::unexpected(found.error());
    }
    link_->follow(*found);
    return *found;
}

Expected<std::optional<JobStatus>> Connection::wait_for(std::int64_t job, const RequestWithDescriptors* held,
                                                        const ProgressCallback& on_progress) {
    if (link_->known(job) == nullptr) {
        Expected<JobStatus> watched = ask_about("watch", job);
        if (!watched) {
            return std::unexpected(watched.error());
        }
        link_->follow(std::move(*watched));
    }
    JobStatus status;  // the newest
    int losses = 0;
    Link::Deadline to_be_resumed;
    bool was_going = false;
    while (true) {
        const JobStatus* const known = link_->known(job);
        if (known == nullptr) {
            return std::unexpected(unreadable("watch"));
        }
        losses = got_on(status, *known) ? 0 : losses;
        const bool is_news = known->json != status.json;
        status = *known;
        if (on_progress && is_news) {
            on_progress(status);
        }
        if (has_ended(status)) {
            link_->forget(job);
            return status;
        }
        const bool is_interrupted = status.state == JobStatus::State::interrupted;
        was_going = was_going || !is_interrupted;
        if (is_interrupted && was_going && !to_be_resumed && !is_embedded()) {
            to_be_resumed =
                Clock::now() + reconnect_for_;  // a daemon that stops in good order says so before it goes
        }
        if (is_interrupted && (!to_be_resumed || Clock::now() >= *to_be_resumed)) {
            return std::unexpected(interrupted(status));
        }
        const Expected<bool> event = link_->await_event(is_interrupted ? to_be_resumed : Link::Deadline());
        if (event) {
            continue;
        }
        std::optional<Error> loss = event.error();
        while (loss) {
            if (!may_survive(*loss) || (held != nullptr && is_sequential(*held)) ||
                ++losses > most_losses_without_progress) {
                return std::unexpected(*loss);
            }
            if (auto back = reconnect(*loss); !back) {
                return std::unexpected(back.error());
            }
            to_be_resumed = Clock::now() + reconnect_for_;
            loss.reset();
            const auto again = find_again(status, held);
            if (!again && !may_survive(again.error())) {
                return again;
            }
            if (!again) {
                loss = again.error();  // it went away once more
            } else if (!*again) {
                return std::nullopt;
            }
        }
    }
}

}  // namespace slab
