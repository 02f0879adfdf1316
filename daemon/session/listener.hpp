#pragma once

#include "common/errors/error.hpp"
#include "daemon/session/session.hpp"
#include "daemon/settings/settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <string>

namespace slab::daemon {

// A listening SOCK_SEQPACKET socket at a path: mode and group as configured, stale files of a dead daemon replaced.
// Call it only while holding the instance's lock. Errors name the path.
Expected<UniqueDescriptor> listen_at(const std::string& path, unsigned mode, const std::string& group);

// Accepts clients and owns their sessions.
class Listener {
  public:
    Listener(boost::asio::io_context& loop, Service& service);

    void listen(UniqueDescriptor socket);

    // A socket that is connected already: the embedded instance's only client.
    void adopt(UniqueDescriptor socket);

    void stop_accepting();
    void close_all();

    void broadcast(const Json& job);
    bool is_watched(JobId job) const;

    std::size_t session_count() const { return sessions_.size(); }
    std::function<void()> on_session_end;

  private:
    void wait_for_client();
    void accept_some();

    boost::asio::io_context& loop_;
    Service& service_;
    boost::asio::posix::stream_descriptor socket_;
    boost::asio::steady_timer pause_;
    std::map<ClientId, std::shared_ptr<Session>> sessions_;
    ClientId next_id_ = 1;
};

}  // namespace slab::daemon
