#pragma once

#include "client/motion/confounds.hpp"

#include <optional>
#include <string>

namespace slab {

// BIDS derivatives' *_desc-confounds_timeseries.tsv: a header, a row for each frame, n/a where there is no value. Numbers
// read back to the very same.
std::string confounds_tsv(const std::vector<FrameConfounds>& confounds);

// Its sidecar: what each column means, and what the columns cannot tell.
struct ConfoundsFacts {
    Point centre{};                   // mm of the world
    std::optional<Point> fsl_centre;  // FSL's scaled mm; where its parameters are written
    std::vector<std::size_t> not_converged;
};
std::string confounds_json(const ConfoundsFacts& facts);

}  // namespace slab
