#pragma once

#include "client/command_line/job_arguments.hpp"
#include "client/command_line/job_output.hpp"
#include "client/motion/frame_motion.hpp"
#include "client/motion/series_statistics.hpp"

#include <optional>
#include <string>
#include <vector>

namespace slab {

// Of a series: three axes of space, and its frames.
inline constexpr int series_rank = 4;

// The images that go beside a series which was aligned: PREFIX_mean, its mean over time, and PREFIX_mask, 1 where all frames
// that converged have data; in the output's format and packed as it is. Opened before the job runs, as the output is.
class MotionImages {
  public:
    // Nothing where the job's output is no such series, or its format tells no shape.
    static Expected<std::optional<MotionImages>> open(const std::string& prefix, const PreparedJob& job,
                                                      const PlannedJob& plan);

    // Of the output's file, when it is complete. `job`: the same, with its inputs still open.
    Expected<void> write(const PreparedJob& job, const std::vector<FrameMotion>& motion,
                         const MotionGrid& grid);

    const std::vector<std::string>& paths() const { return paths_; }

    // Of the middle slice over time, in the units of the output. Before: of an input of the same shape.
    const std::optional<SliceImage>& deviation_before() const { return before_; }
    const std::optional<SliceImage>& deviation_after() const { return after_; }

  private:
    Expected<void> add(const std::string& path, const PreparedJob& job, std::string header);

    ArrayDescription series_;
    SeriesLayout layout_;
    std::optional<std::size_t> source_;  // the input that the series was
    std::vector<std::string> paths_;     // the mean, the mask
    std::vector<std::string> headers_;
    std::vector<JobOutput> files_;
    std::optional<SliceImage> before_;
    std::optional<SliceImage> after_;
};

}  // namespace slab
