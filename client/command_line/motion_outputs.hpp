#pragma once

#include "client/command_line/job_arguments.hpp"
#include "client/command_line/motion_images.hpp"
#include "client/formats/output_file.hpp"
#include "client/motion/frame_motion.hpp"
#include "client/motion/parameter_file.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace slab {

// Which files about the motion of a series somebody wants.
struct MotionOptions {
    std::optional<std::string> prefix;  // "none": none
    std::string parameters;             // "spm,fsl"

    void declare(CLI::App& app);
    // The job file's, where the command line says nothing.
    void complete(const JobArguments& arguments);
    bool are_given() const { return !parameters.empty() || (prefix && *prefix != "none"); }
};

// The files that go beside a result whose job tells motion: PREFIX_desc-confounds_timeseries.tsv and .json, a
// plot of them (.png), the mean and the mask of the aligned series, and the parameters as other packages write them. Opened before the job runs, so that what cannot be written is refused then;
// under their names when the result is.
class MotionOutputs {
  public:
    // Nothing where the job tells no motion, or no file of it is wanted: unless told otherwise, the prefix is the output's
    // name without its endings, and a stream has none. Errors of kind usage: wanted, and there is no motion, or no prefix;
    // a file that exists; parameters that cannot be told in this grid.
    static Expected<std::optional<MotionOutputs>> open(const MotionOptions& options, const PreparedJob& job,
                                                       const PlannedJob& plan);

    // Of the job's result, when its output is under its name.
    Expected<void> write(const PreparedJob& job, const std::string& result);

    // Lines for the terminal: of the motion, known even when a file could not be written, and of the files that were.
    const std::string& summary() const { return summary_; }

    const std::vector<std::string>& paths() const { return paths_; }

  private:
    Expected<void> add(const std::string& path, ExistingFile existing);

    MotionGrid grid_;
    std::vector<ParameterFile> parameters_;
    std::vector<std::string> paths_;  // the tsv, the json, the png, the parameters, then the images
    std::vector<OutputFile> files_;
    std::optional<MotionImages> images_;
    std::string summary_;
};

// The step of a pipeline that tells the motion; of another job the plan itself.
const PlannedJob& motion_step(const PlannedJob& plan);

// Where the frames of the job's series lie, as that step takes them: the parameters affine or voxel_size, else what its
// NIfTI file tells. Those parameters, and batch, mean the same in every kernel that knows mm.
Expected<MotionGrid> motion_grid_of(const PreparedJob& job, const PlannedJob& plan);

// A path without .gz and the ending of a format.
std::string without_endings(const std::string& path);

}  // namespace slab
