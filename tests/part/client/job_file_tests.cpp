#include "client/command_line/job_file.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

using namespace slab;
using slab::test::ScratchFolder;

namespace {

Error error_for(const std::string& text) {
    const ScratchFolder folder;
    const auto job = read_job_file(folder.write("job.toml", text));
    REQUIRE_FALSE(job);
    CHECK(job.error().kind == ErrorKind::usage);
    return job.error();
}

}  // namespace

TEST_CASE("a job file says all that the command line can say") {
    const ScratchFolder folder;
    const auto job = read_job_file(folder.write("job.toml", R"(
kernel = "zoom"
inputs = ["in.npy", {path = "/data/b.dat", dtype = "uint16", shape = [64, 32], order = "F", offset = 352}]
output = "out.npy"
overwrite = true
keep = true
priority = -3
max_memory = "6GiB"
tile_bytes = 65536
name = "monday"
[parameters]
factor = [2, 2, 1]
scale = [1.5, 2]
convention = "round"
cval = 0.5
order = 1
)"));
    REQUIRE(job);
    CHECK(job->kernel == "zoom");
    REQUIRE(job->inputs.size() == 2);
    CHECK(job->inputs[0].path == folder / "in.npy");
    CHECK(job->inputs[1].path == "/data/b.dat");
    CHECK(job->inputs[1].raw.dtype == "uint16");
    CHECK(job->inputs[1].raw.shape == "64,32");
    CHECK(job->inputs[1].raw.order == "F");
    CHECK(job->inputs[1].raw.offset == 352);
    CHECK(job->output == folder / "out.npy");
    CHECK(job->overwrite);
    CHECK(job->keep);
    CHECK(job->priority == -3);
    CHECK(job->max_memory == "6GiB");
    CHECK(job->tile_bytes == "65536");
    CHECK(job->name == "monday");
    CHECK(job->parameters.at("factor") == ParameterValue(std::vector<std::int64_t>{2, 2, 1}));
    CHECK(job->parameters.at("scale") == ParameterValue(std::vector<double>{1.5, 2}));
    CHECK(job->parameters.at("convention") == ParameterValue(std::string("round")));
    CHECK(job->parameters.at("cval") == ParameterValue(0.5));
    CHECK(job->parameters.at("order") == ParameterValue(std::int64_t{1}));
}

TEST_CASE("an unknown key is an error with its line and the nearest name") {
    const Error error = error_for("kernel = \"zoom\"\n\nprioritty = 3\n");
    CHECK(error.what.find("line 3: 'prioritty' is no key here") != std::string::npos);
    CHECK(error.remedy == "Did you mean 'priority'?");
    CHECK(error_for("inputs = [{path = 'a', dtyp = 'u2'}]").remedy == "Did you mean 'dtype'?");
}

TEST_CASE("of several faults the first in the file is told") {
    CHECK(error_for("zzz = 1\naaa = 2\n").what.find("line 1: 'zzz'") != std::string::npos);
}

TEST_CASE("values of the wrong type and broken TOML are errors with their line") {
    CHECK(error_for("kernel = 3").what.find("line 1: 'kernel' must be a text") != std::string::npos);
    CHECK(error_for("keep = 'yes'").what.find("line 1") != std::string::npos);
    CHECK(error_for("\n[parameters]\nmatrix = [[1, 0], [0, 1]]").what.find("line 3") != std::string::npos);
    CHECK(error_for("kernel = \"zoom\"\nkeep = = 3").what.find("line 2: is no TOML") != std::string::npos);
    CHECK_FALSE(read_job_file("/nonexistent/job.toml"));
}
