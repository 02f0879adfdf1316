#include "client/library/daemon_socket.hpp"

#include "common/protocol/socket_address.hpp"

#include <fmt/format.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace slab {
namespace {

struct Connected {
    UniqueDescriptor socket;
    int code = 0;  // errno when there is no socket
};

Connected connect_to(const std::string& path) {
    sockaddr_un address{};
    if (path.size() >= sizeof(address.sun_path)) {
        return {{}, ENAMETOOLONG};
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    UniqueDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!socket) {
        return {{}, errno};
    }
    while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        if (errno != EINTR) {
            return {{}, errno};
        }
    }
    return {std::move(socket), 0};
}

Error refuses(const std::string& path, int code) {
    if (code == EACCES || code == EPERM) {
        return {
            ErrorKind::no_daemon, "the daemon's socket does not let you in", path + ": " + errno_text(code),
            "Ask to be added to the socket's group (ls -l shows it; log in anew afterwards), or name another "
            "daemon with --socket or SLABD_SOCKET."};
    }
    if (code == ENAMETOOLONG) {
        return {ErrorKind::no_daemon, "the socket's path is too long", path + ": at most 107 bytes",
                "Give a shorter path, for instance through a symbolic link."};
    }
    if (code == EPROTOTYPE) {
        return {ErrorKind::no_daemon, "another program than slabd listens at the socket",
                path + ": " + errno_text(code), "Name slabd's socket with --socket or SLABD_SOCKET."};
    }
    return {ErrorKind::no_daemon, "the daemon cannot be reached", path + ": " + errno_text(code),
            "Look whether slabd runs: systemctl status slabd."};
}

}  // namespace

Expected<SocketSearch> find_daemon_socket(const std::string& chosen) {
    const std::vector<std::string> paths =
        chosen.empty() ? client_socket_paths() : std::vector<std::string>{chosen};
    SocketSearch search;
    for (const std::string& path : paths) {
        Connected connected = connect_to(path);
        if (connected.socket) {
            search.socket = std::move(connected.socket);
            search.path = path;
            return search;
        }
        search.absence += search.absence.empty() ? "" : "; ";
        if (connected.code == ECONNREFUSED) {
            search.left_behind = true;
            search.absence += fmt::format("{} is there, but nobody listens: its daemon has ended", path);
            return search;
        }
        if (connected.code != ENOENT && connected.code != ENOTDIR) {
            return std::unexpected(refuses(path, connected.code));
        }
        search.absence += fmt::format("there is no {}", path);
    }
    return search;
}

}  // namespace slab
