#include "client/command_line/job_file.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

#include <cmath>

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
antialias = true
matrix = [[1, 0.5], [0, nan]]
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
    CHECK(job->parameters.at("antialias") == ParameterValue(true));
    const auto& matrix = std::get<NumberTable>(job->parameters.at("matrix"));
    CHECK(matrix.rows == 2);
    CHECK(matrix.columns == 2);
    CHECK(std::vector(matrix.values.begin(), matrix.values.begin() + 3) == std::vector<double>{1, 0.5, 0});
    CHECK(std::isnan(matrix.values[3]));
    CHECK(job->folder == folder / "");
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
    const Error ragged = error_for("\n[parameters]\nmatrix = [[1, 0],\n [0]]");
    CHECK(ragged.what.find("line 4: the rows of 'matrix' differ in length") != std::string::npos);
    CHECK(ragged.because == "row 2 has 1 number where the others have 2");
    for (const char* rows : {"[[1], 2]", "[['a']]", "[[]]", "[[[1]]]", "[{a = 1}]", "[true]"}) {
        CAPTURE(rows);
        CHECK(error_for(std::string("\n[parameters]\nmatrix = ") + rows).what.find("line 3") !=
              std::string::npos);
    }
    CHECK(error_for("kernel = \"zoom\"\nkeep = = 3").what.find("line 2: is no TOML") != std::string::npos);
    CHECK_FALSE(read_job_file("/nonexistent/job.toml"));
}
