#pragma once

#include "common/files/unique_descriptor.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace slab::daemon {

// What the daemon tells systemd (sd_notify) and gets from it. All of it does nothing outside systemd.
void notify_ready(const std::string& status);
void notify_status(const std::string& status);
void notify_reloading();
void notify_stopping();
void notify_watchdog();

// How often the watchdog wants to hear from us (half of WatchdogSec).
std::optional<std::chrono::microseconds> watchdog_interval();

// The listening socket of slabd.socket, when systemd started us for it.
std::optional<UniqueDescriptor> activation_socket();

}  // namespace slab::daemon
