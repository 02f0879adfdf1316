#include "daemon/mover/byte_swap.hpp"
#include "daemon/mover/transfer_queue.hpp"

#include "common/files/unique_descriptor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <new>
#include <random>
#include <unistd.h>
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

enum class Ring : bool { used, unused };

EndedTransfer move_all(TransferRing& ring, Ring use, const FileTransfer& transfer) {
    TransferQueue queue(ring);
    queue.allow_ring(use == Ring::used);
    queue.add(transfer);
    while (queue.busy()) {
        queue.step();
    }
    const auto ended = queue.take_ended();
    REQUIRE(ended.has_value());
    return *ended;
}

}  // namespace

TEST_CASE("what is written is read back the same, with a ring and without, aligned and not") {
    TransferRing ring;
    const PageMemory source(9'000'000 + 3 * 4096);
    for (const Ring use : {Ring::used, Ring::unused}) {
        for (const std::int64_t offset : {0, 4096, 128, 4095}) {
            for (const std::int64_t bytes : {1, 4095, 262'144, 8'999'999}) {
                CAPTURE(offset);
                CAPTURE(bytes);
                const std::int64_t lead = offset % 4096;
                const UniqueDescriptor file = nameless_file();
                const auto written = move_all(ring, use,
                                              {.tag = 7,
                                               .descriptor = file.get(),
                                               .direction = Direction::write,
                                               .file_offset = offset,
                                               .memory = source.bytes + lead,
                                               .bytes = bytes});
                CHECK(written.error_number == 0);
                CHECK(written.tag == 7);
                CHECK(::lseek(file.get(), 0, SEEK_END) == offset + bytes);
                CHECK((::fcntl(file.get(), F_GETFL) & O_DIRECT) == 0);
                PageMemory target(source.count);
                const auto read = move_all(ring, use,
                                           {.descriptor = file.get(),
                                            .file_offset = offset,
                                            .memory = target.bytes + lead,
                                            .bytes = bytes});
                CHECK(read.error_number == 0);
                CHECK(std::memcmp(target.bytes + lead, source.bytes + lead,
                                  static_cast<std::size_t>(bytes)) == 0);
            }
        }
    }
}

TEST_CASE("bands that share blocks of a file do not overwrite each other") {
    TransferRing ring;
    const std::int64_t total = 12'345'678;
    const PageMemory source(static_cast<std::size_t>(total) + 8192);
    const UniqueDescriptor file = nameless_file();
    TransferQueue queue(ring);
    queue.allow_ring(true);
    constexpr std::int64_t header = 100;
    constexpr std::int64_t band = 1'000'001;
    // Each band lies where its place in the page is that of the file, in memory of its own.
    std::vector<std::unique_ptr<PageMemory>> slots;
    for (std::int64_t begin = 0; begin < total; begin += band) {
        const std::int64_t bytes = std::min(band, total - begin);
        slots.push_back(std::make_unique<PageMemory>(static_cast<std::size_t>(bytes) + 8192));
        std::byte* const memory = slots.back()->bytes + (header + begin) % 4096;
        std::memcpy(memory, source.bytes + begin, static_cast<std::size_t>(bytes));
        queue.add({.descriptor = file.get(),
                   .direction = Direction::write,
                   .file_offset = header + begin,
                   .memory = memory,
                   .bytes = bytes});
    }
    while (queue.busy()) {
        queue.step();
    }
    std::vector<std::byte> back(static_cast<std::size_t>(total));
    REQUIRE(::pread(file.get(), back.data(), back.size(), header) == total);
    CHECK(std::memcmp(back.data(), source.bytes, back.size()) == 0);
}

TEST_CASE("a file that ends too early is an error, not a short array") {
    TransferRing ring;
    const UniqueDescriptor file = nameless_file();
    REQUIRE(::ftruncate(file.get(), 1'000'000) == 0);
    PageMemory target(2'000'896);
    for (const Ring use : {Ring::used, Ring::unused}) {
        CHECK(move_all(ring, use, {.descriptor = file.get(), .memory = target.bytes, .bytes = 2'000'000})
                  .error_number == ENODATA);
    }
}

TEST_CASE("a transfer that is told to stop stops with nothing under way") {
    TransferRing ring;
    const UniqueDescriptor file = nameless_file();
    const PageMemory source(100 << 20);
    TransferQueue queue(ring);
    queue.allow_ring(true);
    queue.add({.descriptor = file.get(),
               .direction = Direction::write,
               .memory = source.bytes,
               .bytes = 100 << 20});
    queue.step();
    queue.stop();
    while (queue.busy()) {
        queue.step();
    }
    CHECK(queue.take_ended()->error_number == ECANCELED);
    CHECK(queue.bytes_written() < (100 << 20));
}

TEST_CASE("bytes are swapped by units, at any address") {
    std::vector<unsigned char> bytes{0, 1, 2, 3, 4, 5, 6, 7, 8};
    swap_bytes(reinterpret_cast<std::byte*>(bytes.data() + 1), 8, 4);
    CHECK(bytes == std::vector<unsigned char>{0, 4, 3, 2, 1, 8, 7, 6, 5});
}
