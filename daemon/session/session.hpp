#pragma once

#include "daemon/channel/packet_channel.hpp"
#include "daemon/session/service.hpp"

#include <functional>
#include <memory>
#include <set>

namespace slab::daemon {

// One client: decodes its requests, passes them on, encodes the answers.
class Session : public std::enable_shared_from_this<Session> {
  public:
    using OnEnd = std::function<void(ClientId)>;

    Session(boost::asio::io_context& loop, UniqueDescriptor socket, ClientId id, Peer peer, Service& service);

    void start(OnEnd on_end);
    void close();

    // An event for those who watch the job; the last one ends the watch. Dropped, but for the last, when the client
    // does not read.
    bool watches(JobId job) const { return watched_.contains(job); }
    void job_event(JobId job, JobState state, const std::string& encoded);

  private:
    void received(Packet&& packet);
    void dispatch(const std::string& name, Message& message);
    void submit(Message& message, const Json& tag);
    void resume(Message& message, const Json& tag);
    JobAnswer watching(std::string name, Json tag, bool watch);
    void fetch(Message& message, const Json& tag);
    void attach(JobId job, const Json& tag);
    void guests(JobId job, std::int64_t count, const Json& tag);

    void answer(const std::string& name, const Json& tag, Json body,
                std::vector<UniqueDescriptor> descriptors = {});
    void answer_error(const Json& tag, const Error& error);
    void answer_expected(const std::string& name, const Json& tag, Expected<Json> result);
    JobAnswer later(std::string name, Json tag);

    std::shared_ptr<PacketChannel> channel_;
    ClientId id_;
    Peer peer_;
    Service& service_;
    OnEnd on_end_;
    std::set<JobId> watched_;
    bool greeted_ = false;
};

}  // namespace slab::daemon
