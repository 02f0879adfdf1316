#include "common/files/memory_seals.hpp"

#include "common/files/unique_descriptor.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace {

constexpr std::size_t page = 4096;

slab::UniqueDescriptor memory_of_a_page() {
    slab::UniqueDescriptor memfd(::memfd_create("seals", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(memfd);
    REQUIRE(::ftruncate(memfd.get(), page) == 0);
    return memfd;
}

}  // namespace

TEST_CASE("sealed memory can be neither changed nor made shorter or longer") {
    const auto memfd = memory_of_a_page();

    REQUIRE(slab::seal_memory(memfd.get()));

    CHECK(::pwrite(memfd.get(), "x", 1, 0) < 0);
    CHECK(::ftruncate(memfd.get(), 0) < 0);
    CHECK(::ftruncate(memfd.get(), 2 * page) < 0);
}

TEST_CASE("memory that is busy for a moment is sealed after it") {
    const auto memfd = memory_of_a_page();
    void* const mapped = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, memfd.get(), 0);
    REQUIRE(mapped != MAP_FAILED);
    std::thread busy([mapped] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        ::munmap(mapped, page);
    });

    CHECK(slab::seal_memory(memfd.get()));

    busy.join();
}

TEST_CASE("what cannot be sealed says why") {
    const slab::UniqueDescriptor memfd(::memfd_create("seals", MFD_CLOEXEC));

    CHECK_FALSE(slab::seal_memory(memfd.get()));
    CHECK(errno == EPERM);
}
