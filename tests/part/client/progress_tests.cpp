#include "client/command_line/job_report.hpp"
#include "client/command_line/progress_display.hpp"
#include "client/command_line/table.hpp"

#include <doctest/doctest.h>

using namespace slab;

namespace {

JobStatus running_job() {
    JobStatus job;
    job.id = 12;
    job.kernel = "zoom";
    job.state = JobStatus::State::running;
    job.tiles = 100;
    job.tiles_done = 25;
    job.bytes_out = 4'000'000'000;
    return job;
}

}  // namespace

TEST_CASE("the progress line tells the rate of what is written and the time that is left") {
    CHECK(progress_text(running_job(), 0.5, 79) ==
          "job 12 zoom running [#######----------------------]  25 %  2.0 GB/s  1.5 s left");
}

TEST_CASE("the progress line fits any width") {
    for (std::size_t width = 0; width < 120; ++width) {
        CHECK(progress_text(running_job(), 0.5, width).size() <= width);
    }
}

TEST_CASE("a queued job tells what it waits for") {
    JobStatus job = running_job();
    job.state = JobStatus::State::queued;
    job.reason = "needs 2.0 GB of the volume";
    CHECK(progress_text(job, 0, 79) == "job 12 zoom queued: needs 2.0 GB of the volume");
}

TEST_CASE("the summary of a job is one line") {
    JobStatus job = running_job();
    job.state = JobStatus::State::ended;
    job.outcome = JobStatus::Outcome::done;
    job.output = ArrayDescription{DType::boolean, Shape{2048, 2048, 1024}, MemoryOrder::c};
    job.wall_s = 1.32;
    job.compute_s = 0.104;
    CHECK(summary_of(job, "out.npy") ==
          "done: job 12, zoom, out.npy (2048, 2048, 1024) bool, 4.0 GB in 1.320 s (compute 0.104 s)");
}

TEST_CASE("the exit code of a job is that of its error") {
    JobStatus job = running_job();
    CHECK(exit_code_of(job) == 0);
    job.state = JobStatus::State::ended;
    job.outcome = JobStatus::Outcome::cancelled;
    CHECK(exit_code_of(job) == 130);
    job.outcome = JobStatus::Outcome::failed;
    CHECK(exit_code_of(job) == 1);
    job.error = Error{ErrorKind::usage, "no", "", ""};
    CHECK(exit_code_of(job) == 2);
}

TEST_CASE("a table's columns are aligned and its lines end without spaces") {
    Table table({"ID", "NAME"});
    table.add({"7", "zoom"});
    table.add({"1234", ""});
    CHECK(table.text() == "  ID  NAME\n   7  zoom\n1234\n");
}
