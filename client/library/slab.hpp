#pragma once

// libslab: submit jobs to slabd from C++. One header for all of it.
//
//     auto daemon = slab::Connection::open();
//     if (!daemon) { std::cerr << slab::to_text(daemon.error()) << '\n'; return 1; }
//     slab::JobRequest request{.kernel = "zoom", .parameters = {{"factor", std::int64_t{2}}}};
//     request.inputs.push_back(slab::InputArray::from_memory(description, std::as_bytes(std::span(voxels))));
//     auto job = daemon->run(request);
//     auto result = daemon->attach(job->id);      // result->data(): read-only, without a copy

#include "client/library/attachment.hpp"
#include "client/library/connection.hpp"
#include "client/library/guest.hpp"
#include "client/library/job_request.hpp"
#include "client/library/job_status.hpp"
#include "client/library/kernel_info.hpp"
#include "client/library/planned_job.hpp"
#include "common/array/array_description.hpp"
#include "common/errors/error.hpp"
