#include "client/motion/motion_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

namespace slab {
namespace {

// Above it frames are often left out of an analysis (Power et al. 2012).
constexpr double noticed_displacement_mm = 0.5;

using Measure = std::optional<double> FrameConfounds::*;

std::string extremes(const std::vector<FrameConfounds>& confounds, std::size_t first, double unit) {
    std::vector<std::string> parts;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        double low = 0.0;
        double high = 0.0;
        for (const FrameConfounds& frame : confounds) {
            low = std::min(low, unit * frame.motion[first + axis]);
            high = std::max(high, unit * frame.motion[first + axis]);
        }
        parts.push_back(fmt::format("{} {:.3f} to {:.3f}", "xyz"[axis], low, high));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string distribution(const std::vector<FrameConfounds>& confounds, Measure measure) {
    std::vector<double> values;
    double sum = 0.0;
    std::size_t worst = 0;
    for (std::size_t frame = 0; frame < confounds.size(); ++frame) {
        if (const auto& value = confounds[frame].*measure) {
            worst = values.empty() || *value > *(confounds[worst].*measure) ? frame : worst;
            values.push_back(*value);
            sum += *value;
        }
    }
    if (values.empty()) {
        return "none";
    }
    std::ranges::sort(values);
    const double median = (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2.0;
    return fmt::format("mean {:.3f}, median {:.3f}, largest {:.3f} in frame {}",
                       sum / static_cast<double>(values.size()), median, *(confounds[worst].*measure), worst);
}

}  // namespace

std::string motion_summary(const std::vector<FrameMotion>& motion,
                           const std::vector<FrameConfounds>& confounds, const SeriesDeviation& deviation) {
    constexpr double degrees = 180.0 / std::numbers::pi;
    const auto above = std::ranges::count_if(confounds, [](const FrameConfounds& frame) {
        return frame.framewise_displacement.value_or(0.0) > noticed_displacement_mm;
    });
    std::string text = fmt::format("motion of {} frames, about the volume's centre\n", motion.size());
    text += fmt::format("  translation, mm             {}\n", extremes(confounds, 0, 1.0));
    text += fmt::format("  rotation, degrees           {}\n", extremes(confounds, 3, degrees));
    text += fmt::format("  framewise displacement, mm  {}; {} above {} mm\n",
                        distribution(confounds, &FrameConfounds::framewise_displacement), above,
                        noticed_displacement_mm);
    text += fmt::format("  rmsd, mm                    {}\n", distribution(confounds, &FrameConfounds::rmsd));
    text +=
        fmt::format("  DVARS                       {}\n", distribution(confounds, &FrameConfounds::dvars));
    text += fmt::format("  standardised DVARS          {}\n",
                        distribution(confounds, &FrameConfounds::std_dvars));
    if (deviation.before && deviation.after) {
        text += fmt::format("  deviation, middle slice     mean {:.4g} before, {:.4g} after\n",
                            mean_of(*deviation.before), mean_of(*deviation.after));
    }
    const auto lost = frames_not_converged(motion);
    text += lost.empty() ? "  all frames converged\n"
                         : fmt::format("  NOT converged: {} of {} frames: {}\n", lost.size(), motion.size(),
                                       fmt::join(lost, ", "));
    if (lost.size() == motion.size()) {
        text += "  try: look at the series, the reference and the mask, if one was given. Where they show "
                "nothing, or\n"
                "       not the same, there is nothing to go by.\n";
    }
    return text;
}

}  // namespace slab
