#include "daemon/supervisor/service_notify.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

namespace slab::daemon {

void notify_ready(const std::string& status) {
    sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void notify_status(const std::string& status) {
    sd_notify(0, ("STATUS=" + status).c_str());
}

void notify_reloading() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const long long microseconds = now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
    sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds).c_str());
}

void notify_stopping() {
    sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

void notify_watchdog() {
    sd_notify(0, "WATCHDOG=1");
}

std::optional<std::chrono::microseconds> watchdog_interval() {
    std::uint64_t microseconds = 0;
    if (sd_watchdog_enabled(0, &microseconds) <= 0) {
        return std::nullopt;
    }
    return std::chrono::microseconds(microseconds / 2);
}

std::optional<UniqueDescriptor> activation_socket() {
    const int count = sd_listen_fds(1);
    for (int descriptor = SD_LISTEN_FDS_START; descriptor < SD_LISTEN_FDS_START + count; ++descriptor) {
        if (sd_is_socket_unix(descriptor, SOCK_SEQPACKET, 1, nullptr, 0) > 0) {
            return UniqueDescriptor(descriptor);
        }
        spdlog::warn("systemd passed descriptor {}, which is no listening SOCK_SEQPACKET socket: ignored",
                     descriptor);
    }
    return std::nullopt;
}

}  // namespace slab::daemon
