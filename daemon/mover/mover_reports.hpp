#pragma once

#include "common/errors/error.hpp"
#include "daemon/mover/mover_messages.hpp"

#include <string_view>

#include <liburing.h>

namespace slab::daemon {

// What a mover says, put into its report.

MoverReport ready_report(const io_uring* maybe_ring);

// Of a band that was loaded or written.
MoverReport moved_report(MoverReportKind kind, JobId job, std::int64_t band, std::string_view method);

MoverReport with_error(MoverReport report, const Error& error);

}  // namespace slab::daemon
