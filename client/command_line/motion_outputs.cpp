#include "client/command_line/motion_outputs.hpp"

#include "client/motion/confounds_file.hpp"
#include "client/motion/motion_plot.hpp"
#include "client/motion/motion_summary.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace slab {
namespace {

constexpr std::string_view no_files = "none";

std::unexpected<Error> refuse(std::string what, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)});
}

// Empty: no files.
std::string prefix_of(const MotionOptions& options, const PreparedJob& job) {
    if (options.prefix) {
        return *options.prefix == no_files ? std::string() : *options.prefix;
    }
    const bool is_file = job.format && job.place == OutputPlace::file;
    return is_file ? without_endings(job.output_path) : std::string();
}

}  // namespace

std::string without_endings(const std::string& path) {
    std::string name = path;
    for (const std::string_view ending : {".gz", ".nii", ".npy", ".raw", ".bin"}) {
        const bool is_all = name.size() == ending.size() || name.ends_with(fmt::format("/{}", ending));
        if (name.ends_with(ending) && !is_all) {
            name.erase(name.size() - ending.size());
        }
    }
    return name;
}

void MotionOptions::declare(CLI::App& app) {
    app.add_option("--motion-out", prefix,
                   "Of a job that finds motion: PREFIX_desc-confounds_timeseries.tsv and .json (BIDS), a "
                   "plot of it, .png, and the aligned series' mean and the mask of voxels that all frames "
                   "have. Unless given, the output's name without its ending; none: no such files")
        ->type_name("PREFIX|none");
    app.add_option(
           "--write-params", parameters,
           "The motion as other packages write it, with commas: spm (PREFIX_spm.txt, as rp_*.txt), fsl "
           "(_fsl.par), afni (_afni.1D), itk (_itk.txt), matrix (_matrix.txt)")
        ->type_name("LIST");
}

void MotionOptions::complete(const JobArguments& arguments) {
    prefix = prefix ? prefix : arguments.motion_out;
    parameters = parameters.empty() ? arguments.write_params : parameters;
}

Expected<std::optional<MotionOutputs>> MotionOutputs::open(const MotionOptions& options,
                                                           const PreparedJob& job, const PlannedJob& plan) {
    std::vector<ParameterFile> parameters;
    if (!options.parameters.empty()) {
        auto named = parameter_files_named(options.parameters);
        if (!named) {
            return std::unexpected(named.error());
        }
        parameters = std::move(*named);
    }
    const bool tells_motion = std::ranges::find(plan.tables, motion_table_name) != plan.tables.end();
    if (!tells_motion && options.are_given()) {
        return refuse(fmt::format("{} tells no motion", plan.kernel),
                      "--motion-out and --write-params are for jobs that find it", "Leave them away.");
    }
    const std::string prefix = prefix_of(options, job);
    if (prefix.empty() && !parameters.empty()) {
        return refuse("the parameters have nowhere to go", "there is no file whose name they could bear",
                      "Give --motion-out PREFIX too.");
    }
    if (!tells_motion || prefix.empty()) {
        return std::nullopt;
    }
    auto grid = motion_grid_of(job, plan);
    if (!grid) {
        return std::unexpected(grid.error());
    }
    MotionOutputs outputs;
    outputs.grid_ = *grid;
    outputs.parameters_ = std::move(parameters);
    std::vector<std::string> paths{prefix + "_desc-confounds_timeseries.tsv",
                                   prefix + "_desc-confounds_timeseries.json",
                                   prefix + "_desc-confounds_timeseries.png"};
    for (const ParameterFile file : outputs.parameters_) {
        if (auto possible = check_parameters(file, *grid); !possible) {
            return std::unexpected(possible.error());
        }
        paths.push_back(fmt::format("{}{}", prefix, ending_of(file)));
    }
    for (const std::string& path : paths) {
        if (auto added = outputs.add(path, job.existing); !added) {
            return std::unexpected(added.error());
        }
    }
    // What other steps have made of the aligned series is not that.
    const bool writes_series = plan.steps.empty() || &motion_step(plan) == &plan.steps.back();
    if (writes_series) {
        auto images = MotionImages::open(prefix, job, plan);
        if (!images) {
            return std::unexpected(images.error());
        }
        outputs.images_ = std::move(*images);
    }
    if (outputs.images_) {
        const auto& more = outputs.images_->paths();
        outputs.paths_.insert(outputs.paths_.end(), more.begin(), more.end());
    }
    return outputs;
}

Expected<void> MotionOutputs::add(const std::string& path, ExistingFile existing) {
    Expected<OutputFile> file = OutputFile::create(path, existing);
    if (!file) {
        return std::unexpected(file.error());
    }
    paths_.push_back(path);
    files_.push_back(std::move(*file));
    return {};
}

Expected<void> MotionOutputs::write(const PreparedJob& job, const std::string& result) {
    const auto motion = motion_in(result);
    if (!motion) {
        return std::unexpected(motion.error());
    }
    const auto confounds = confounds_of(*motion, centre_of(grid_));
    ConfoundsFacts facts{
        .centre = centre_of(grid_), .fsl_centre = {}, .not_converged = frames_not_converged(*motion)};
    if (std::ranges::find(parameters_, ParameterFile::fsl) != parameters_.end()) {
        facts.fsl_centre = fsl_centre(grid_);
    }
    SeriesDeviation deviation;
    Expected<void> images_written;
    if (images_) {
        images_written = images_->write(job, *motion, grid_);
        deviation = {images_->deviation_before(), images_->deviation_after()};
    }
    summary_ = motion_summary(*motion, confounds, deviation);
    if (!images_written) {
        return images_written;
    }
    Expected<std::string> plot = motion_plot(*motion, confounds, deviation).png();
    if (!plot) {
        return std::unexpected(plot.error());
    }
    std::vector<std::string> texts{confounds_tsv(confounds), confounds_json(facts), std::move(*plot)};
    for (const ParameterFile file : parameters_) {
        texts.push_back(parameter_text(file, *motion, grid_));
    }
    for (std::size_t i = 0; i < files_.size(); ++i) {
        if (auto written = files_[i].write_header(texts[i]); !written) {
            return std::unexpected(written.error());
        }
        if (auto committed = files_[i].commit(); !committed) {
            return std::unexpected(committed.error());
        }
    }
    summary_ += fmt::format("  in {}\n", fmt::join(paths_, ", "));
    return {};
}

}  // namespace slab
