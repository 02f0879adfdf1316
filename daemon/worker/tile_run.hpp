#pragma once

#include "common/array/array_view.hpp"
#include "daemon/worker/worker_messages.hpp"

#include <cstddef>
#include <span>

namespace slab::daemon {

// A phase of a job's band as one worker knows it, ready to fill tiles. Built from the bind order alone.
class TileRun {
  public:
    TileRun(const BindOrder& order, std::byte* volume, std::span<std::byte> scratch);

    void fill(std::int64_t tile) const;

  private:
    BindOrder order_;
    std::byte* volume_;
    std::span<std::byte> scratch_;
    std::array<ConstArrayView, most_inputs> inputs_;
    std::array<ConstArrayView, most_workspaces> workspaces_;
    ArrayView target_;
};

}  // namespace slab::daemon
