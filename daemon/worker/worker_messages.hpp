#pragma once

#include "common/array/array_description.hpp"
#include "common/volume/layout.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/scheduling/lease.hpp"
#include "daemon/scheduling/tile_grid.hpp"

#include <array>
#include <cstdint>

namespace slab::daemon {

// What supervisor and worker say to each other over their socketpair: one plain record a packet. Both are the same
// program, forked: no versions, no byte orders.

using kernels::most_inputs;
using kernels::most_workspaces;

struct PlacedArray {
    std::int64_t offset = 0;  // in the volume
    DType dtype = DType::uint8;
    Shape shape;  // C order
};

// Supervisor to worker ------------------------------------------------------------------------------------------

enum class OrderKind : std::uint8_t { bind, forget, lease, stop_job, populate, give_up_memory };

// Everything a worker must know to fill tiles of one phase of a job's band. Sent once, before the phase's first lease to
// it.
struct BindOrder {
    OrderKind kind = OrderKind::bind;
    JobId job = 0;
    std::uint32_t kernel = 0;  // index in all_kernels()
    std::uint32_t input_count = 0;
    std::uint32_t workspace_count = 0;
    std::uint32_t phase = 0;
    std::array<PlacedArray, most_inputs> inputs;
    std::array<PlacedArray, most_workspaces> workspaces;
    PlacedArray output;
    std::int64_t table_offset = 0;  // in the volume
    std::int64_t table_bytes = 0;
    TileGrid tiles;
    kernels::Program program;
};

struct LeaseOrder {
    OrderKind kind = OrderKind::lease;
    LeaseId lease = 0;
    JobId job = 0;
    std::int64_t first = 0;
    std::int64_t count = 0;
};

// forget: the worker drops what bind told it. stop_job: tiles of the job that are still to do come back unfilled.
struct JobOrder {
    OrderKind kind = OrderKind::forget;
    JobId job = 0;
};

enum class PageWish : std::uint8_t { huge_if_possible, huge_or_fail, small };

// populate: put memory behind a run of extents. give_up_memory: take it away.
struct ExtentOrder {
    OrderKind kind = OrderKind::populate;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    PageWish pages = PageWish::huge_if_possible;
};

// Worker to supervisor ------------------------------------------------------------------------------------------

enum class ReportKind : std::uint8_t { idle, lease_done, populated, gave_up_memory, cannot_run };

struct LeaseReport {
    ReportKind kind = ReportKind::lease_done;
    LeaseId lease = 0;
    std::int64_t filled = 0;
    std::int64_t busy_nanoseconds = 0;
};

struct ExtentReport {
    ReportKind kind = ReportKind::populated;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    Backing backing = Backing::none;
    int error_number = 0;  // 0: done; else nothing can be said about the run's memory
};

// A plug-in's code could not be loaded when the job was bound. Its leases come back unfilled.
struct CannotRunReport {
    ReportKind kind = ReportKind::cannot_run;
    JobId job = 0;
    std::array<char, 1024> because{};  // ends with a zero
};

struct IdleReport {
    ReportKind kind = ReportKind::idle;
};

}  // namespace slab::daemon
