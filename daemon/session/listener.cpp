#include "daemon/session/listener.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

Error socket_error(const std::string& path, std::string because, std::string remedy) {
    return {ErrorKind::failed, fmt::format("the socket '{}' cannot be used", path), std::move(because),
            std::move(remedy)};
}

// From /etc/passwd alone: asking a directory service (getpwuid) may take seconds, and everybody would wait. Users that
// are not in the file go by their number; clients may know better.
std::string user_name(uid_t uid) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/etc/passwd", "re"), std::fclose);
    while (const passwd* const entry = file ? ::fgetpwent(file.get()) : nullptr) {
        if (entry->pw_uid == uid) {
            return entry->pw_name;
        }
    }
    return std::to_string(uid);
}

Peer peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        credentials.uid = static_cast<uid_t>(-1);
    }
    return {credentials.uid, user_name(credentials.uid)};
}

}  // namespace

Expected<UniqueDescriptor> listen_at(const std::string& path, unsigned mode, const std::string& group) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return std::unexpected(socket_error(
            path, fmt::format("a socket's path has at most {} bytes", sizeof(address.sun_path) - 1),
            "Choose a shorter one (socket.path)."));
    }
    path.copy(address.sun_path, path.size());
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);

    gid_t gid = static_cast<gid_t>(-1);
    if (!group.empty()) {
        const ::group* const found = ::getgrnam(group.c_str());
        if (found == nullptr) {
            return std::unexpected(socket_error(path, fmt::format("there is no group '{}'", group),
                                                "Create it, or change socket.group."));
        }
        gid = found->gr_gid;
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode)) {
            return std::unexpected(socket_error(path, "something that is no socket has this name",
                                                "Choose another path (socket.path)."));
        }
        // A socket of another daemon (another instance) must not be taken away from it.
        const UniqueDescriptor probe(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
            return std::unexpected(socket_error(path, "another daemon listens there",
                                                "Stop it, or choose another path (--socket PATH)."));
        }
        ::unlink(path.c_str());
    }
    UniqueDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const mode_t before = ::umask(0777);  // nobody connects before mode and group are right
    const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    const int code = errno;
    ::umask(before);
    if (!socket || bound != 0) {
        return std::unexpected(socket_error(path, errno_text(code), "Choose another path (--socket PATH)."));
    }
    if ((gid != static_cast<gid_t>(-1) && ::chown(path.c_str(), static_cast<uid_t>(-1), gid) != 0) ||
        ::chmod(path.c_str(), mode) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) {
        const int failure = errno;
        ::unlink(path.c_str());
        return std::unexpected(
            socket_error(path, errno_text(failure), "The daemon's user must be a member of socket.group."));
    }
    return socket;
}

Listener::Listener(boost::asio::io_context& loop, Service& service)
    : loop_(loop), service_(service), socket_(loop), pause_(loop) {}

void Listener::listen(UniqueDescriptor socket) {
    socket_.assign(socket.release());
    socket_.non_blocking(true);
    wait_for_client();
}

void Listener::wait_for_client() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& failure) {
                           if (!failure && socket_.is_open()) {
                               accept_some();
                           }
                       });
}

void Listener::accept_some() {
    for (;;) {
        UniqueDescriptor client(
            ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (client) {
            adopt(std::move(client));
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            // The client waits in the backlog; spinning on it would starve those who are served.
            spdlog::warn("a client cannot be accepted: {}", errno_text(errno));
            pause_.expires_after(std::chrono::milliseconds(200));
            pause_.async_wait([this](const boost::system::error_code& failure) {
                if (!failure && socket_.is_open()) {
                    wait_for_client();
                }
            });
            return;
        }
        if (errno != ECONNABORTED && errno != EINTR) {
            break;
        }
    }
    wait_for_client();
}

void Listener::adopt(UniqueDescriptor socket) {
    const ClientId id = next_id_++;
    Peer peer = peer_of(socket.get());
    auto session = std::make_shared<Session>(loop_, std::move(socket), id, std::move(peer), service_);
    sessions_.emplace(id, session);
    session->start([this](ClientId ended) {
        // Destroyed when this turn of the loop is over: the call may come from inside the session.
        if (const auto found = sessions_.find(ended); found != sessions_.end()) {
            boost::asio::post(loop_, [session = found->second] {});
            sessions_.erase(found);
            service_.client_gone(ended);
            if (on_session_end) {
                on_session_end();
            }
        }
    });
}

void Listener::stop_accepting() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    pause_.cancel();
}

void Listener::close_all() {
    for (const auto& [id, session] : sessions_) {
        session->close();
    }
    sessions_.clear();
}

bool Listener::is_watched(JobId job) const {
    return std::ranges::any_of(sessions_, [job](const auto& entry) { return entry.second->watches(job); });
}

void Listener::broadcast(const Json& job) {
    if (sessions_.empty()) {
        return;
    }
    const JobId id = job["id"].get<JobId>();
    const JobState state =
        text_or(job, "state") == name_of(JobState::ended) ? JobState::ended : JobState::running;
    std::string encoded;
    for (const auto& [client, session] : sessions_) {
        if (encoded.empty()) {
            encoded = encode_message({{"event", "job"}, {"job", job}}).bytes;
        }
        session->job_event(id, state, encoded);
    }
}

}  // namespace slab::daemon
