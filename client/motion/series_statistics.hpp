#pragma once

#include "client/formats/element_reader.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace slab {

// How a series of whole frames lies in memory.
struct SeriesLayout {
    std::int64_t frames = 1;
    std::int64_t slices = 1;  // of a frame, along its slowest axis
    std::int64_t height = 1;
    std::int64_t width = 1;  // along the fastest axis

    std::int64_t slice_voxels() const { return height * width; }
    std::int64_t frame_voxels() const { return slices * slice_voxels(); }
    std::int64_t middle_slice() const { return slices / 2; }
};

// One slice, row by row.
struct SliceImage {
    std::int64_t width = 0;
    std::int64_t height = 0;
    std::vector<float> values;
};

double mean_of(const SliceImage& image);

// Of a series' middle slice over time, before it was aligned and after.
struct SeriesDeviation {
    std::optional<SliceImage> before;
    std::optional<SliceImage> after;
};

// Over all frames; of numbers that are not finite nothing is.
struct SeriesStatistics {
    std::vector<float> mean;  // of each voxel, in memory order
    SliceImage deviation;     // of the middle slice: the standard deviation over time
};

// The reader stands before the first element.
Expected<SeriesStatistics> statistics_of(ElementReader& series, const SeriesLayout& layout);

// Of the middle slice alone, which is all that is read where the file is not packed.
Expected<SliceImage> middle_deviation(ElementReader& series, const SeriesLayout& layout);

}  // namespace slab
