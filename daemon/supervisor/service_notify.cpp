#include "daemon/supervisor/service_notify.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
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

ActivationDescriptors activation_descriptors() {
    ActivationDescriptors found;
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < count; ++i) {
        UniqueDescriptor descriptor(SD_LISTEN_FDS_START + i);
        const std::string name = names[i];
        if (name.starts_with("job-")) {
            found.stored.insert_or_assign(name, std::move(descriptor));  // a client's: not even looked at
        } else if (sd_is_socket_unix(descriptor.get(), SOCK_SEQPACKET, 1, nullptr, 0) > 0) {
            found.socket = std::move(descriptor);
        } else {
            spdlog::warn("systemd passed '{}', which is no listening SOCK_SEQPACKET socket: ignored", name);
        }
        std::free(names[i]);
    }
    std::free(names);
    return found;
}

void store_descriptor(const std::string& name, int descriptor) {
    // FDPOLL=0: systemd would poll it, and drop what has an error.
    sd_pid_notify_with_fds(0, 0, fmt::format("FDSTORE=1\nFDNAME={}\nFDPOLL=0", name).c_str(), &descriptor, 1);
}

std::string stored_name(std::uint64_t job, std::size_t file) {
    return fmt::format("job-{}-{}", job, file);
}

void remove_stored(const std::string& name) {
    sd_notify(0, fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name).c_str());
}

}  // namespace slab::daemon
