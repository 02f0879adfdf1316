#include "client/command_line/job_options.hpp"

#include "client/command_line/job_file.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slab {

void JobOptions::declare(CLI::App& app) {
    app.add_option("KERNEL", kernel_, "A kernel (slab kernels lists them), or a job file ending in .toml");
    app.add_option("INPUT", inputs_,
                   "Files: .npy, .nii, or raw with --input-dtype and --input-shape; each may be packed: "
                   ".npy.gz, .nii.gz, .gz");
    app.add_option("-o,--output", output_,
                   "The result's file; its ending chooses the format: .npy, .nii, .raw, .bin. run: also "
                   "packed, with .gz behind that; an existing pipe; - for the standard output")
        ->type_name("FILE");
    app.add_option("--output-format", output_format_,
                   "Its format, whatever its name: npy (for pipes, too), nii, raw, npy.gz, ...")
        ->type_name("npy|nii|raw[.gz]");
    app.add_flag("--overwrite", overwrite_, "Replace the output if it exists");
    app.add_flag("--keep", keep_, "Leave the result in the daemon's volume, to attach or fetch it later");
    app.add_flag("--wait-for-space", wait_for_space_,
                 "Wait while the output's disk is too full, instead of being refused");
    app.add_option("--name", name_, "A text for slab ps")->type_name("TEXT");
    app.add_option("--priority", priority_, "-20 (first) to 19 (last); 0 unless given")->type_name("N");
    app.add_option("--max-memory", max_memory_, "Bounds what the job may hold of the volume: 6GiB, 50%")
        ->type_name("SIZE");
    app.add_option("--tile-bytes", tile_bytes_, "How large a tile is: 512KiB")->type_name("SIZE");
    app.add_option("--input-dtype", raw_.dtype, "Element type of raw inputs: uint16, >f4")
        ->type_name("DTYPE");
    app.add_option("--input-shape", raw_.shape, "Their shape, slowest axis first: 64,64,32")
        ->type_name("N,N,...");
    app.add_option("--input-order", raw_.order, "Their memory order: C (default) or F")->type_name("C|F");
    app.add_option("--input-offset", raw_.offset, "Bytes before their first element")->type_name("BYTES");
}

Expected<JobArguments> JobOptions::resolve() const {
    JobArguments job;
    if (kernel_.ends_with(".toml")) {
        Expected<JobArguments> from_file = read_job_file(kernel_);
        if (!from_file) {
            return from_file;
        }
        job = std::move(*from_file);
    } else {
        job.kernel = kernel_;
    }
    if (job.kernel.empty() && job.steps.empty()) {
        return std::unexpected(
            Error{ErrorKind::usage, "no kernel is named", "",
                  "Name one, for instance: slab run zoom in.npy -o out.npy --factor 2 --order 0. The list: "
                  "slab kernels."});
    }
    override_inputs(job);
    job.output = output_.value_or(job.output);
    job.overwrite = job.overwrite || overwrite_;
    job.output_format = output_format_.value_or(job.output_format);
    job.keep = job.keep || keep_;
    job.wait_for_space = job.wait_for_space || wait_for_space_;
    job.priority = priority_.value_or(job.priority);
    job.max_memory = max_memory_.value_or(job.max_memory);
    job.tile_bytes = tile_bytes_.value_or(job.tile_bytes);
    job.name = name_.value_or(job.name);
    job.words = parameter_words_;
    job.raw = raw_;
    return job;
}

void JobOptions::override_inputs(JobArguments& job) const {
    if (!inputs_.empty()) {
        job.inputs.clear();
        job.inputs_from = JobArguments::InputsFrom::command_line;
        for (const std::string& path : inputs_) {
            job.inputs.push_back({path, {}});
        }
    }
    for (JobArguments::Input& input : job.inputs) {
        input.raw.dtype = raw_.dtype.empty() ? input.raw.dtype : raw_.dtype;
        input.raw.shape = raw_.shape.empty() ? input.raw.shape : raw_.shape;
        input.raw.order = raw_.order.empty() ? input.raw.order : raw_.order;
        input.raw.offset = raw_.offset ? raw_.offset : input.raw.offset;
    }
}

}  // namespace slab
