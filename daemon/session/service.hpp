#pragma once

#include "common/protocol/message.hpp"
#include "daemon/admission/job.hpp"

#include <cstdint>
#include <functional>

namespace slab::daemon {

using ClientId = std::uint64_t;

// A job as JSON of the protocol, or why not.
using JobAnswer = std::function<void(Expected<Json>)>;

struct AttachGrant {
    Json array;  // ARRAY with offset and volume_bytes
    UniqueDescriptor volume;
};

// The guests that a client asked for: what they need to know, and the descriptors: the segment, then a socket for each.
struct GuestGrant {
    Json facts;
    std::vector<UniqueDescriptor> descriptors;
};
using GuestAnswer = std::function<void(Expected<GuestGrant>)>;

// What sessions ask of the rest of the daemon. Answers may come later, from the loop; not after client_gone().
class Service {
  public:
    virtual ~Service() = default;

    virtual Json hello() const = 0;
    virtual Expected<Json> kernels(const std::string& name) const = 0;
    virtual Expected<Json> plan(const JobRequest& request) const = 0;
    // Answered when the job is admitted, has ended, or is refused.
    virtual void submit(ClientId client, const Peer& peer, JobRequest request, JobAnswer answer) = 0;
    // An interrupted job goes on with these files; any other is linked to this client again. Answered when the files have
    // been looked at.
    virtual void resume(ClientId client, const Peer& peer, ResumeRequest request, JobAnswer answer) = 0;
    virtual Json list(bool ended_too) const = 0;
    virtual Expected<Json> show(JobId job) const = 0;
    virtual void cancel(ClientId client, const Peer& peer, JobId job, JobAnswer answer) = 0;
    virtual Expected<AttachGrant> attach(const Peer& peer, JobId job) = 0;
    virtual void fetch(ClientId client, const Peer& peer, JobId job, OutputFile output, UniqueDescriptor file,
                       JobAnswer answer) = 0;
    // Places for guests of a job. Answered when the job has its memory.
    virtual void guests(ClientId client, const Peer& peer, JobId job, std::int64_t count,
                        GuestAnswer answer) = 0;
    virtual Expected<Json> drop(const Peer& peer, JobId job) = 0;
    virtual Json status() = 0;
    virtual void trim(ClientId client, const Peer& peer, JobAnswer answer) = 0;

    // The connection has ended: its linked jobs are cancelled, its answers are dropped.
    virtual void client_gone(ClientId client) = 0;
};

}  // namespace slab::daemon
