#pragma once

#include "client/library/embedded_daemon.hpp"
#include "client/library/job_status.hpp"
#include "common/protocol/message.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string_view>

namespace slab {

// The conversation with one daemon: a request, then its answer; events of jobs that arrive in between are
// kept until somebody asks. For one thread.
class Link {
  public:
    Link(UniqueDescriptor socket, std::optional<EmbeddedDaemon> embedded);

    // Sends {"request": name, "tag": ..., ...body} with these descriptors (which stay the caller's) and waits
    // for the answer. The daemon's error is the error; a closed connection is one of kind interrupted.
    Expected<Message> ask(std::string_view name, const Json& body, std::span<const int> descriptors = {},
                          std::optional<std::chrono::milliseconds> patience = {});

    // The newest that is known of a job whose events are followed; null for another.
    const JobStatus* known(std::int64_t job) const;
    void follow(JobStatus job);
    void forget(std::int64_t job);

    // Waits for the next event; false: none came until the deadline.
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;
    Expected<bool> await_event(Deadline deadline = {});

    // Every wait ends with an error of kind cancelled as soon as this can be read. -1: none.
    void stop_when_readable(int descriptor) { stop_descriptor_ = descriptor; }

    // Whether the conversation has ended.
    bool is_lost() const { return !socket_; }

    // Waits, for nothing but the stop.
    Expected<void> pause(std::chrono::milliseconds duration);

    // Goes on with a daemon that has come back. What was known of jobs is from its predecessor: none is
    // followed any more.
    void go_on_at(UniqueDescriptor socket);

    bool is_embedded() const { return embedded_.has_value(); }

  private:
    Expected<void> send(const Json& body, std::span<const int> descriptors);
    Expected<Message> receive(Deadline deadline);
    // False: nothing came until the deadline.
    Expected<bool> wait_for_packet(Deadline deadline);
    void take_event(const Json& body);
    Error gone();

    // Destroyed last: it waits for the daemon's end, which comes when the socket has closed.
    std::optional<EmbeddedDaemon> embedded_;
    UniqueDescriptor socket_;
    int stop_descriptor_ = -1;
    std::int64_t next_tag_ = 1;
    std::map<std::int64_t, JobStatus> followed_;
};

}  // namespace slab
