#include "client/library/link.hpp"

#include "client/library/answers.hpp"

#include <fmt/format.h>

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <vector>

namespace slab {
namespace {

Error stopped() {
    return {ErrorKind::cancelled, "stopped while waiting for the daemon", "", ""};
}

}  // namespace

Link::Link(UniqueDescriptor socket, std::optional<EmbeddedDaemon> embedded)
    : embedded_(std::move(embedded)), socket_(std::move(socket)) {}

Expected<Message> Link::ask(std::string_view name, const Json& body, std::span<const int> descriptors,
                            std::optional<std::chrono::milliseconds> patience) {
    const std::int64_t tag = next_tag_++;
    Json request{{"request", name}, {"tag", tag}};
    request.update(body);
    if (auto sent = send(request, descriptors); !sent) {
        return std::unexpected(sent.error());
    }
    const Deadline deadline = patience ? Deadline(std::chrono::steady_clock::now() + *patience) : Deadline();
    while (true) {
        Expected<Message> message = receive(deadline);
        if (!message) {
            return message;
        }
        const Json& answer = message->body;
        if (answer.contains("event")) {
            take_event(answer);
            continue;
        }
        const auto error = answer.find("error");
        // The error about a packet that the daemon could not read has no tag to give back.
        const bool untagged = !answer.contains("tag") || answer["tag"].is_null();
        if (integer_or(answer, "tag", -1) != tag && !(untagged && error != answer.end())) {
            continue;  // the answer to a request that nobody waits for any more
        }
        if (error != answer.end() && error->is_object() && !answer.contains("answer")) {
            return std::unexpected(error_from_json(*error));
        }
        return message;
    }
}

const JobStatus* Link::known(std::int64_t job) const {
    const auto found = followed_.find(job);
    return found == followed_.end() ? nullptr : &found->second;
}

void Link::follow(JobStatus job) {
    const std::int64_t id = job.id;
    // An event may have overtaken the answer with which following began; an end is never taken back.
    const JobStatus* newest = known(id);
    if (newest == nullptr || !has_ended(*newest)) {
        followed_.insert_or_assign(id, std::move(job));
    }
}

void Link::forget(std::int64_t job) {
    followed_.erase(job);
}

Expected<bool> Link::await_event(Deadline deadline) {
    if (socket_ && deadline) {
        const Expected<bool> ready = wait_for_packet(deadline);
        if (!ready || !*ready) {
            return ready;
        }
    }
    Expected<Message> message = receive({});
    if (!message) {
        return std::unexpected(message.error());
    }
    if (message->body.contains("event")) {
        take_event(message->body);
    }
    return true;
}

Expected<void> Link::pause(std::chrono::milliseconds duration) {
    pollfd entry{stop_descriptor_, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(duration.count())) > 0) {
        return std::unexpected(stopped());
    }
    return {};
}

void Link::go_on_at(UniqueDescriptor socket) {
    socket_ = std::move(socket);
    followed_.clear();
}

Expected<void> Link::send(const Json& body, std::span<const int> descriptors) {
    const OutgoingPacket packet = encode_message(body);
    std::vector<int> numbers;
    for (const UniqueDescriptor& descriptor : packet.descriptors) {
        numbers.push_back(descriptor.get());
    }
    numbers.insert(numbers.end(), descriptors.begin(), descriptors.end());
    if (numbers.size() > most_descriptors) {
        return std::unexpected(Error{
            ErrorKind::usage, "the job has too many arrays",
            fmt::format("{} files and arrays; one message carries {}", numbers.size(), most_descriptors),
            "Combine some of them into one array."});
    }
    if (!socket_ || send_packet(socket_.get(), packet.bytes, numbers) != Transfer::moved) {
        return std::unexpected(gone());
    }
    return {};
}

Expected<Message> Link::receive(Deadline deadline) {
    if (!socket_) {
        return std::unexpected(gone());
    }
    const Expected<bool> ready = wait_for_packet(deadline);
    if (!ready) {
        return std::unexpected(ready.error());
    }
    if (!*ready) {
        return std::unexpected(Error{ErrorKind::no_daemon, "the daemon does not answer",
                                     "it accepted the connection and then said nothing",
                                     "Look at its log (journalctl -u slabd), and restart it if it hangs."});
    }
    Packet packet;
    if (receive_packet(socket_.get(), packet) != Transfer::moved) {
        return std::unexpected(gone());
    }
    return decode_message(std::move(packet));
}

Expected<bool> Link::wait_for_packet(Deadline deadline) {
    std::array<pollfd, 2> entries{{{socket_.get(), POLLIN, 0}, {stop_descriptor_, POLLIN, 0}}};
    while (true) {
        int timeout_ms = -1;
        if (deadline) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
            timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
        }
        const int ready = ::poll(entries.data(), entries.size(), timeout_ms);
        if (ready < 0 && errno != EINTR) {
            return std::unexpected(gone());
        }
        if (ready > 0 && entries[1].revents != 0) {
            return std::unexpected(stopped());
        }
        if (ready >= 0) {
            return ready > 0;
        }
    }
}

void Link::take_event(const Json& body) {
    const auto job = body.find("job");
    if (text_or(body, "event") == "job" && job != body.end() && job->is_object()) {
        JobStatus status = job_status_from(*job);
        const std::int64_t id = status.id;
        followed_.insert_or_assign(id, std::move(status));
    }
}

Error Link::gone() {
    socket_.reset();
    return {ErrorKind::interrupted, "the daemon went away",
            embedded_ ? embedded_->last_words() : "it closed the connection",
            embedded_ ? "Run again; set SLABD_LOG=debug to see what it does."
                      : "Look at its log (journalctl -u slabd); once it runs again, slab ps shows what "
                        "became of its jobs."};
}

}  // namespace slab
