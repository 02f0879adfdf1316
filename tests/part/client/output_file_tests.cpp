#include "client/formats/output_file.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>

using namespace slab;
using slab::test::ScratchFolder;

namespace {

OutputFile created(const std::string& path, ExistingFile existing = ExistingFile::refuse) {
    auto file = OutputFile::create(path, existing);
    REQUIRE(file);
    REQUIRE(::pwrite(file->descriptor(), "new", 3, 0) == 3);
    return std::move(*file);
}

}  // namespace

TEST_CASE("a file appears under its name with commit, and nothing is beside it") {
    const ScratchFolder folder;
    OutputFile file = created(folder / "out.npy");
    CHECK(folder.file_count() == 0);
    REQUIRE(file.commit());
    CHECK(folder.read("out.npy") == "new");
    CHECK(folder.file_count() == 1);
}

TEST_CASE("a file that is not committed leaves nothing") {
    const ScratchFolder folder;
    { const OutputFile file = created(folder / "out.npy"); }
    CHECK(folder.file_count() == 0);
}

TEST_CASE("an existing file is refused at the start and stays as it is") {
    const ScratchFolder folder;
    folder.write("out.npy", "old");
    const auto file = OutputFile::create(folder / "out.npy", ExistingFile::refuse);
    REQUIRE_FALSE(file);
    CHECK(file.error().kind == ErrorKind::usage);
    CHECK(folder.read("out.npy") == "old");
}

TEST_CASE("a file that came into being meanwhile is refused at commit and stays as it is") {
    const ScratchFolder folder;
    {
        OutputFile file = created(folder / "out.npy");
        folder.write("out.npy", "other");
        CHECK_FALSE(file.commit());
    }
    CHECK(folder.read("out.npy") == "other");
    CHECK(folder.file_count() == 1);
}

TEST_CASE("an existing file that may be replaced is, and only at commit") {
    const ScratchFolder folder;
    folder.write("out.npy", "old");
    OutputFile file = created(folder / "out.npy", ExistingFile::replace);
    CHECK(folder.read("out.npy") == "old");
    REQUIRE(file.commit());
    CHECK(folder.read("out.npy") == "new");
    CHECK(folder.file_count() == 1);
}

TEST_CASE("replacing a link replaces the file behind it") {
    const ScratchFolder folder;
    folder.write("real.npy", "old");
    std::filesystem::create_symlink(folder / "real.npy", folder / "link.npy");
    OutputFile file = created(folder / "link.npy", ExistingFile::replace);
    REQUIRE(file.commit());
    CHECK(folder.read("real.npy") == "new");
    CHECK(std::filesystem::is_symlink(folder / "link.npy"));
}

TEST_CASE("folders, devices and paths without a folder are refused") {
    const ScratchFolder folder;
    std::filesystem::create_directory(folder / "sub.npy");
    CHECK_FALSE(OutputFile::create(folder / "sub.npy", ExistingFile::replace));
    CHECK_FALSE(OutputFile::create("/dev/null", ExistingFile::replace));
    CHECK_FALSE(OutputFile::create(folder / "missing/out.npy", ExistingFile::refuse));
    CHECK_FALSE(OutputFile::create(folder / "", ExistingFile::refuse));
}

TEST_CASE("an output has the permissions of any new file") {
    const ScratchFolder folder;
    const mode_t before = ::umask(027);
    OutputFile file = created(folder / "out.npy");
    REQUIRE(file.commit());
    ::umask(before);
    struct stat status {};
    REQUIRE(::stat((folder / "out.npy").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("a file in place is there at once, exclusively, and goes unless its name is kept") {
    const ScratchFolder folder;
    {
        const auto file = OutputFile::create_in_place(folder / "out.npy", ExistingFile::refuse);
        REQUIRE(file);
        CHECK(folder.file_count() == 1);
        CHECK_FALSE(OutputFile::create_in_place(folder / "out.npy", ExistingFile::refuse));
    }
    CHECK(folder.file_count() == 0);
    {
        auto file = OutputFile::create_in_place(folder / "out.npy", ExistingFile::refuse);
        REQUIRE(file);
        REQUIRE(file->commit_name());
    }
    CHECK(folder.file_count() == 1);
}

TEST_CASE("a header is written to a descriptor on which O_DIRECT was left") {
    const ScratchFolder folder;
    OutputFile file = created(folder / "out.npy");
    ::fcntl(file.descriptor(), F_SETFL, ::fcntl(file.descriptor(), F_GETFL) | O_DIRECT);
    REQUIRE(file.write_header("odd"));
    REQUIRE(file.commit());
    CHECK(folder.read("out.npy") == "odd");
}
