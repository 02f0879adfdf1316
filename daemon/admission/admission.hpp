#pragma once

#include "daemon/admission/job.hpp"
#include "daemon/settings/settings.hpp"

namespace slab::daemon {

// Whether a job can ever run here, and how. Reads nothing but the request and the settings; reserves nothing.
class Admission {
  public:
    Admission(const Settings& settings, std::int64_t volume_bytes)
        : settings_(&settings), volume_bytes_(volume_bytes) {}

    Expected<JobPlan> plan(const JobRequest& request) const;

  private:
    const Settings* settings_;
    std::int64_t volume_bytes_;  // of all extents
};

}  // namespace slab::daemon
