#include "client/command_line/job_note.hpp"
#include "client/command_line/plan_text.hpp"
#include "client/formats/output_stream.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace slab;
using slab::test::ScratchFolder;

TEST_CASE("a note reads back as what it was made of, 64-bit inodes too") {
    const JobNote note{.command = JobNote::Command::submit,
                       .inputs = {"/data/in.npy", ""},
                       .output = "/data/out.npy",
                       .output_file = FileIdentity{2049, UINT64_MAX},
                       .format = OutputFormat::npy,
                       .existing = ExistingFile::replace};
    const auto read = job_note_from(to_json(note));
    REQUIRE(read);
    CHECK(read->command == note.command);
    CHECK(read->inputs == note.inputs);
    CHECK(read->output == note.output);
    CHECK(read->output_file == note.output_file);
    CHECK(read->format == note.format);
    CHECK(read->existing == note.existing);
}

TEST_CASE("the notes of other programs, and what is no note, are nobody's") {
    for (const char* text : {"", "{}", "[]", "null", R"({"client": "other", "command": "run"})",
                             R"({"client": "slab", "command": "fly"})", R"({"client": "slab"})"}) {
        CAPTURE(text);
        CHECK_FALSE(job_note_from(text));
    }
}

TEST_CASE("a note longer than the protocol allows is left away") {
    CHECK(to_json({.inputs = std::vector<std::string>(16, std::string(4000, 'x'))}).empty());
}

TEST_CASE("a dash is stdout, a pipe a pipe, and everything else a file") {
    const ScratchFolder folder;
    REQUIRE(::mkfifo((folder / "pipe.npy").c_str(), 0600) == 0);
    CHECK(output_place_of("-") == OutputPlace::standard_output);
    CHECK(output_place_of(folder / "pipe.npy") == OutputPlace::pipe);
    CHECK(output_place_of(folder / "missing.npy") == OutputPlace::file);
    CHECK(output_place_of(folder.write("a.npy", "")) == OutputPlace::file);
}

TEST_CASE("a plan in bands tells the bands, what is held and what would do") {
    PlannedJob plan;
    plan.kernel = "zoom";
    plan.bands = 12;
    plan.streams = true;
    plan.band_shape = Shape{64, 512};
    plan.tiles = 96;
    plan.tile = Shape{8, 512};
    plan.holds_bytes = 2'000'000'000;
    plan.least_bytes = 500'000'000;
    const std::string text = plan_text(plan);
    CHECK(text.find("holds   2.0 GB of the volume; 500.0 MB would do: --max-memory\n") != std::string::npos);
    CHECK(text.find("work    12 bands of (64, 512) through a ring in the volume, 96 tiles of (8, 512)\n") !=
          std::string::npos);
}
