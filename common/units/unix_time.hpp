#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

namespace slab {

// Dates as the protocol and the journal have them: seconds since 1970.
using UnixTime = std::chrono::system_clock::time_point;

inline double seconds_since_1970(UnixTime date) {
    return std::chrono::duration<double>(date.time_since_epoch()).count();
}

// Of any number: what no clock can mean (a damaged record) is the nearest date from 1970 to 2223.
inline UnixTime date_from(double seconds) {
    constexpr double latest = 8e9;
    const double possible = seconds > 0.0 ? std::min(seconds, latest) : 0.0;
    return UnixTime(std::chrono::duration_cast<std::chrono::system_clock::duration>(
        std::chrono::duration<double>(possible)));
}

// Through JSON and back a date loses some nanoseconds.
inline bool is_same_date(double a, double b) {
    return std::abs(a - b) < 1e-3;
}

}  // namespace slab
