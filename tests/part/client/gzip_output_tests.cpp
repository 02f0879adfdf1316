#include "client/formats/gzip_beginning.hpp"
#include "client/formats/gzip_output.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <thread>

using namespace slab;
using slab::test::ScratchFolder;

namespace {

std::string noise(std::size_t bytes) {
    std::string text(bytes, '\0');
    std::uint32_t state = 1;
    for (char& byte : text) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<char>(state >> 24);
    }
    return text;
}

bool write_all(int descriptor, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
        if (count <= 0) {
            return false;
        }
        done += static_cast<std::size_t>(count);
    }
    return true;
}

}  // namespace

TEST_CASE("what is packed comes back, whatever its size") {
    constexpr std::size_t block = std::size_t{1} << 20;
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{1}, block - 1, block, block + 1, 9 * block + 17}) {
        for (const bool is_noise : {false, true}) {
            CAPTURE(bytes);
            const ScratchFolder folder;
            const std::string path = folder.write("out.gz", "");
            const std::string plain = is_noise ? noise(bytes) : std::string(bytes, 'x');
            const UniqueDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
            auto output = GzipOutput::start(file.get(), path);
            REQUIRE(output);

            CHECK(write_all((*output)->descriptor(), plain));
            CHECK((*output)->finish());

            const auto back = inflate_beginning(file.get(), bytes + 1, path);
            REQUIRE(back);
            CHECK(*back == plain);
            CHECK((is_noise || bytes < 1000 || folder.read("out.gz").size() < bytes / 50));
        }
    }
}

TEST_CASE("a sink without room is an error, and the writer sees a broken pipe") {
    std::signal(SIGPIPE, SIG_IGN);
    const UniqueDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    auto output = GzipOutput::start(full.get(), "full");
    REQUIRE(output);

    CHECK_FALSE(write_all((*output)->descriptor(), noise(std::size_t{64} << 20)));

    const auto finished = (*output)->finish();
    REQUIRE_FALSE(finished);
    CHECK(finished.error().because == "No space left on device");
    std::signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("packing that is given up ends, whoever holds the pipe, and whoever does not read") {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const UniqueDescriptor nobody_reads(ends[0]);
    const UniqueDescriptor sink(ends[1]);
    auto output = GzipOutput::start(sink.get(), "pipe");
    REQUIRE(output);
    const UniqueDescriptor held(::fcntl((*output)->descriptor(), F_DUPFD_CLOEXEC, 0));
    CHECK(write_all(held.get(), noise(std::size_t{3} << 20)));

    output->reset();

    CHECK(held);
}
