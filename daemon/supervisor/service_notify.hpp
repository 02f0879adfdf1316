#pragma once

#include "common/files/unique_descriptor.hpp"

#include <chrono>
#include <map>
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

// What systemd gave us at the start.
struct ActivationDescriptors {
    std::optional<UniqueDescriptor> socket;          // the listening socket of slabd.socket
    std::map<std::string, UniqueDescriptor> stored;  // what a former supervisor left in its store, by name
};
ActivationDescriptors activation_descriptors();

// Leaves a copy of a descriptor with systemd, which gives it back to the next supervisor: after a crash, a restart, not
// after a stop. Names are letters, digits and dashes.
void store_descriptor(const std::string& name, int descriptor);
void remove_stored(const std::string& name);

// The name of a job's file in the store.
std::string stored_name(std::uint64_t job, std::size_t file);

}  // namespace slab::daemon
