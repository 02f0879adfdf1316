#include "client/motion/series_statistics.hpp"

#include <algorithm>
#include <cmath>

namespace slab {
namespace {

// Sums from the first frame on, and relative to it, so that squares do not cancel.
class Deviation {
  public:
    explicit Deviation(const SeriesLayout& layout)
        : layout_(layout), first_(static_cast<std::size_t>(layout.slice_voxels())), sums_(first_.size()),
          squares_(first_.size()) {}

    void add(const float* slice) {
        for (std::size_t i = 0; i < first_.size(); ++i) {
            first_[i] = frames_ == 0 ? slice[i] : first_[i];
            const double change = static_cast<double>(slice[i]) - static_cast<double>(first_[i]);
            sums_[i] += change;
            squares_[i] += change * change;
        }
        ++frames_;
    }

    SliceImage image() const {
        SliceImage image{layout_.width, layout_.height, std::vector<float>(first_.size())};
        const double share = 1.0 / static_cast<double>(frames_);
        for (std::size_t i = 0; i < first_.size(); ++i) {
            const double mean = sums_[i] * share;
            image.values[i] = static_cast<float>(std::sqrt(std::max(squares_[i] * share - mean * mean, 0.0)));
        }
        return image;
    }

  private:
    const SeriesLayout& layout_;
    std::vector<float> first_;
    std::vector<double> sums_;
    std::vector<double> squares_;
    std::int64_t frames_ = 0;
};

}  // namespace

double mean_of(const SliceImage& image) {
    double sum = 0.0;
    for (const float value : image.values) {
        sum += std::isfinite(value) ? static_cast<double>(value) : 0.0;
    }
    return image.values.empty() ? 0.0 : sum / static_cast<double>(image.values.size());
}

Expected<SeriesStatistics> statistics_of(ElementReader& series, const SeriesLayout& layout) {
    const auto voxels = static_cast<std::size_t>(layout.frame_voxels());
    std::vector<float> frame(voxels);
    std::vector<double> sums(voxels);
    Deviation deviation(layout);
    for (std::int64_t t = 0; t < layout.frames; ++t) {
        if (auto read = series.read(frame); !read) {
            return std::unexpected(read.error());
        }
        for (std::size_t i = 0; i < voxels; ++i) {
            sums[i] += static_cast<double>(frame[i]);
        }
        deviation.add(frame.data() + layout.middle_slice() * layout.slice_voxels());
    }
    const double share = 1.0 / static_cast<double>(layout.frames);
    for (std::size_t i = 0; i < voxels; ++i) {
        frame[i] = static_cast<float>(sums[i] * share);
    }
    return SeriesStatistics{std::move(frame), deviation.image()};
}

Expected<SliceImage> middle_deviation(ElementReader& series, const SeriesLayout& layout) {
    const std::int64_t before = layout.middle_slice() * layout.slice_voxels();
    std::vector<float> slice(static_cast<std::size_t>(layout.slice_voxels()));
    Deviation deviation(layout);
    for (std::int64_t t = 0; t < layout.frames; ++t) {
        if (auto skipped = series.skip(t == 0 ? before : layout.frame_voxels() - layout.slice_voxels());
            !skipped) {
            return std::unexpected(skipped.error());
        }
        if (auto read = series.read(slice); !read) {
            return std::unexpected(read.error());
        }
        deviation.add(slice.data());
    }
    return deviation.image();
}

}  // namespace slab
