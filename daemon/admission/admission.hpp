#pragma once

#include "daemon/admission/job.hpp"
#include "daemon/settings/settings.hpp"

namespace slab::daemon {

// Whether a job can ever run here, and how. Reads nothing but the request and the settings; reserves nothing.
class Admission {
  public:
    // `prefers_ring`: jobs stream although they would fit, because the memory is new and has to be touched.
    Admission(const Settings& settings, std::int64_t volume_bytes, std::int64_t guest_bytes,
              bool prefers_ring)
        : settings_(&settings), volume_bytes_(volume_bytes), guest_bytes_(guest_bytes),
          prefers_ring_(prefers_ring) {}

    // For::showing: for somebody who wants to know also how little would do.
    enum class For : std::uint8_t { running, showing };
    Expected<JobPlan> plan(const JobRequest& request, For purpose = For::running) const;

  private:
    const Settings* settings_;
    std::int64_t volume_bytes_;  // of all extents
    std::int64_t guest_bytes_;   // the most that outputs of guests may have in memory
    bool prefers_ring_;
};

}  // namespace slab::daemon
