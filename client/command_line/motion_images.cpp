#include "client/command_line/motion_images.hpp"

#include "client/command_line/motion_outputs.hpp"
#include "client/motion/valid_voxels.hpp"

#include <fmt/format.h>

#include <cmath>

namespace slab {
namespace {

// Frames are whole in memory: their axis is the slowest.
bool are_frames_first(const ArrayDescription& series) {
    return series.order == MemoryOrder::c;
}

SeriesLayout layout_of(const ArrayDescription& series) {
    const Shape& shape = series.shape;
    return are_frames_first(series) ? SeriesLayout{shape[0], shape[1], shape[2], shape[3]}
                                    : SeriesLayout{shape[3], shape[2], shape[1], shape[0]};
}

ArrayDescription frame_of(const ArrayDescription& series, DType dtype) {
    const Shape& shape = series.shape;
    const int first = are_frames_first(series) ? 1 : 0;
    return {dtype, Shape{shape[first], shape[first + 1], shape[first + 2]}, series.order};
}

// In the series' own origin the axis of the frames is gone.
NiftiOrigin frame_origin(const NiftiOrigin& series, const SeriesLayout& layout) {
    NiftiOrigin origin = series;
    origin.only_moves = false;
    if (origin.grid) {
        GridMap without = GridMap::same(series_rank);
        without.output_rank = series_rank - 1;
        without.at(series_rank - 1, series_rank - 1) = 0.0;
        without.offset[series_rank - 1] = static_cast<double>(layout.frames - 1) / 2.0;
        origin.grid = *origin.grid * without;
    }
    return origin;
}

// Of stored numbers.
double slope_of(const InputFile& file) {
    const auto scaling = file.nifti ? scaling_of(*file.nifti) : std::nullopt;
    return scaling ? std::abs(scaling->slope) : 1.0;
}

}  // namespace

Expected<std::optional<MotionImages>> MotionImages::open(const std::string& prefix, const PreparedJob& job,
                                                         const PlannedJob& plan) {
    const bool has_header = job.format && *job.format != OutputFormat::raw;
    if (!has_header || job.place != OutputPlace::file || !plan.output ||
        plan.output->shape.rank != series_rank) {
        return std::nullopt;
    }
    MotionImages images;
    images.series_ = *plan.output;
    images.layout_ = layout_of(*plan.output);
    const std::size_t source = plan.grid ? plan.grid->input : 0;
    if (source < job.files.size() && job.files[source].array.shape == plan.output->shape &&
        job.files[source].array.order == plan.output->order) {
        images.source_ = source;
    }
    const NiftiOrigin origin = frame_origin(nifti_origin(job, plan), images.layout_);
    const std::string ending = job.output_path.substr(without_endings(job.output_path).size());
    for (const auto& [name, dtype] : {std::pair("_mean", DType::float32), std::pair("_mask", DType::uint8)}) {
        const std::string path = prefix + name + ending;
        auto header = output_header(*job.format, frame_of(images.series_, dtype), origin, path);
        if (!header) {
            return std::unexpected(header.error());
        }
        if (auto added = images.add(path, job, std::move(*header)); !added) {
            return std::unexpected(added.error());
        }
    }
    return images;
}

Expected<void> MotionImages::add(const std::string& path, const PreparedJob& job, std::string header) {
    Expected<JobOutput> file = JobOutput::to_file(path, job.existing, job.packing);
    if (!file) {
        return std::unexpected(file.error());
    }
    paths_.push_back(path);
    headers_.push_back(std::move(header));
    files_.push_back(std::move(*file));
    return {};
}

Expected<void> MotionImages::write(const PreparedJob& job, const std::vector<FrameMotion>& motion,
                                   const MotionGrid& grid) {
    const auto output = open_input(job.output_path, {});
    if (!output) {
        return std::unexpected(output.error());
    }
    auto reader = ElementReader::open(*output, job.output_path);
    Expected<SeriesStatistics> statistics =
        reader ? statistics_of(*reader, layout_) : std::unexpected(reader.error());
    if (!statistics) {
        return std::unexpected(statistics.error());
    }
    after_ = std::move(statistics->deviation);
    if (source_) {
        const InputFile& file = job.files[*source_];
        auto input = ElementReader::open(file, "the input");
        Expected<SliceImage> before =
            input ? middle_deviation(*input, layout_) : std::unexpected(input.error());
        if (!before) {
            return std::unexpected(before.error());
        }
        for (float& value : before->values) {
            value *= static_cast<float>(slope_of(file));
        }
        before_ = std::move(*before);
    }
    const std::vector<std::uint8_t> mask = valid_voxels(motion, grid, series_.order);
    const std::array<std::span<const std::byte>, 2> payloads{
        std::as_bytes(std::span<const float>(statistics->mean)),
        std::as_bytes(std::span<const std::uint8_t>(mask))};
    for (std::size_t i = 0; i < files_.size(); ++i) {
        if (auto written = files_[i].write_whole(headers_[i], payloads[i]); !written) {
            return written;
        }
        if (auto committed = files_[i].commit(); !committed) {
            return committed;
        }
    }
    return {};
}

}  // namespace slab
