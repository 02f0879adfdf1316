#include "daemon/volume/reader_locks.hpp"

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <unistd.h>

using namespace slab;
using namespace slab::daemon;

namespace {

UniqueDescriptor memory(std::int64_t bytes) {
    UniqueDescriptor descriptor(::memfd_create("volume", MFD_CLOEXEC));
    REQUIRE(::ftruncate(descriptor.get(), bytes) == 0);
    return descriptor;
}

}  // namespace

TEST_CASE("the lock lasts as long as a descriptor or a mapping of it, and no longer") {
    const UniqueDescriptor volume = memory(1 << 20);
    auto reader = open_with_read_lock(volume.get(), {4096, 8192});
    REQUIRE(reader.has_value());
    CHECK(locked_parts(volume.get(), {0, 1 << 20}) == std::vector<ByteRange>{{4096, 8192}});
    void* const view = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, reader->get(), 4096);
    REQUIRE(view != MAP_FAILED);
    reader->reset();
    CHECK(locked_parts(volume.get(), {0, 1 << 20}).size() == 1);
    ::munmap(view, 4096);
    CHECK(locked_parts(volume.get(), {0, 1 << 20}).empty());
}

TEST_CASE("all locks of several readers are found, also those that overlap") {
    const UniqueDescriptor volume = memory(1 << 20);
    const auto a = open_with_read_lock(volume.get(), {100, 200});
    const auto b = open_with_read_lock(volume.get(), {150, 300});
    const auto c = open_with_read_lock(volume.get(), {9000, 9001});
    std::int64_t bytes = 0;
    for (const ByteRange& part : locked_parts(volume.get(), {0, 1 << 20})) {
        bytes += part.end - part.begin;
    }
    CHECK(bytes == 201);
    CHECK(locked_parts(volume.get(), {300, 9000}).empty());
}

TEST_CASE("the descriptor is read-only") {
    const UniqueDescriptor volume = memory(4096);
    const auto reader = open_with_read_lock(volume.get(), {0, 4096});
    CHECK(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, reader->get(), 0) == MAP_FAILED);
}
