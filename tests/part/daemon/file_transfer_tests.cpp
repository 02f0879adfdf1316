#include "daemon/mover/byte_swap.hpp"
#include "daemon/mover/file_transfer.hpp"

#include "common/files/unique_descriptor.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <random>
#include <vector>

using namespace slab;
using namespace slab::daemon;

namespace {

// On the disk of the working directory, so that O_DIRECT is tried where it exists.
UniqueDescriptor nameless_file() {
    UniqueDescriptor file(::open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    REQUIRE(file);
    return file;
}

struct PageMemory {
    explicit PageMemory(std::size_t size)
        : bytes(static_cast<std::byte*>(::operator new (size, std::align_val_t{4096}))), count(size) {
        std::mt19937 random(5);
        for (std::size_t i = 0; i < size; ++i) {
            bytes[i] = static_cast<std::byte>(random());
        }
    }
    ~PageMemory() { ::operator delete (bytes, std::align_val_t{4096}); }
    PageMemory(const PageMemory&) = delete;
    PageMemory& operator=(const PageMemory&) = delete;
    std::byte* bytes;
    std::size_t count;
};

bool all_wanted(std::int64_t) {
    return true;
}

}  // namespace

TEST_CASE("what is written is read back the same, with a ring and without, aligned and not") {
    TransferRing ring;
    const PageMemory source(9'000'000 + 8192);
    for (io_uring* const chosen : {ring.get(), static_cast<io_uring*>(nullptr)}) {
        for (const std::int64_t offset : {0, 4096, 128}) {
            for (const std::int64_t bytes : {1, 4095, 262'144, 8'999'999}) {
                CAPTURE(offset);
                CAPTURE(bytes);
                const UniqueDescriptor file = nameless_file();
                const auto written = move_bytes(
                    chosen, {file.get(), Direction::write, offset, source.bytes, bytes, all_wanted});
                REQUIRE(written.has_value());
                CHECK(::lseek(file.get(), 0, SEEK_END) == offset + bytes);
                CHECK((::fcntl(file.get(), F_GETFL) & O_DIRECT) == 0);
                PageMemory target(source.count);
                const std::int64_t lead = offset % 4096;
                const auto read = move_bytes(chosen, {file.get(), Direction::read, offset - lead,
                                                      target.bytes, bytes + lead, all_wanted});
                REQUIRE(read.has_value());
                CHECK(std::memcmp(target.bytes + lead, source.bytes, static_cast<std::size_t>(bytes)) == 0);
            }
        }
    }
}

TEST_CASE("a file that ends too early is an error, not a short array") {
    TransferRing ring;
    const UniqueDescriptor file = nameless_file();
    REQUIRE(::ftruncate(file.get(), 1'000'000) == 0);
    PageMemory target(2'000'896);
    const auto read =
        move_bytes(ring.get(), {file.get(), Direction::read, 0, target.bytes, 2'000'000, all_wanted});
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error() == ENODATA);
}

TEST_CASE("a transfer that is told to stop stops with nothing under way") {
    TransferRing ring;
    const UniqueDescriptor file = nameless_file();
    const PageMemory source(40 << 20);
    int told = 0;
    const auto result = move_bytes(ring.get(), {file.get(), Direction::write, 0, source.bytes, 40 << 20,
                                                [&told](std::int64_t) { return ++told < 1; }});
    REQUIRE(result.has_value());
    CHECK(result->end == TransferEnd::stopped);
}

TEST_CASE("bytes are swapped by units, at any address") {
    std::vector<unsigned char> bytes{0, 1, 2, 3, 4, 5, 6, 7, 8};
    swap_bytes(reinterpret_cast<std::byte*>(bytes.data() + 1), 8, 4);
    CHECK(bytes == std::vector<unsigned char>{0, 4, 3, 2, 1, 8, 7, 6, 5});
}
