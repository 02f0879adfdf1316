#pragma once

#include "common/errors/error.hpp"

#include <chrono>
#include <optional>

namespace slab {

inline constexpr std::chrono::milliseconds usual_reconnect_patience{60'000};
inline constexpr std::chrono::milliseconds reconnect_interval{200};

// How long a daemon that went away is waited for: as chosen, else as SLABD_RECONNECT says, else 60 s. An error of
// kind usage when that is no duration.
Expected<std::chrono::milliseconds> reconnect_patience(std::optional<std::chrono::milliseconds> chosen);

}  // namespace slab
