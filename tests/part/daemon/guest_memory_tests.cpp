#include "daemon/volume/guest_memory.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace slab;
using namespace slab::daemon;

namespace {

constexpr std::int64_t MiB = 1 << 20;
constexpr uid_t ada = 12345;
constexpr uid_t bob = 23456;

std::shared_ptr<GuestSegment> reserved(GuestMemory& memory, uid_t owner, std::int64_t bytes) {
    auto segment = memory.reserve(owner, bytes);
    REQUIRE(segment.has_value());
    return *segment;
}

}  // namespace

TEST_CASE("a segment that was given back is its user's next one, and nobody else's") {
    GuestMemory memory(64 * MiB);
    const auto first = reserved(memory, ada, 3 * MiB);
    CHECK(first->bytes == 4 * MiB);
    memory.release(first);
    CHECK(reserved(memory, bob, 3 * MiB) != first);
    CHECK(reserved(memory, ada, 3 * MiB) == first);
    CHECK(reserved(memory, ada, 3 * MiB) != first);
}

TEST_CASE("a segment that is mapped somewhere is given to nobody until that mapping is gone") {
    GuestMemory memory(64 * MiB);
    const auto segment = reserved(memory, ::geteuid(), 2 * MiB);
    auto opened = GuestMemory::open_for_guests(*segment);
    REQUIRE(opened.has_value());
    void* const view = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, opened->get(), 0);
    REQUIRE(view != MAP_FAILED);
    opened->reset();
    memory.release(segment);
    CHECK(memory.use().lingering == 2 * MiB);
    CHECK(reserved(memory, ::geteuid(), 2 * MiB) != segment);
    ::munmap(view, 4096);
    CHECK(memory.use().idle == 2 * MiB);
    CHECK(reserved(memory, ::geteuid(), 2 * MiB) == segment);
}

TEST_CASE("what is idle makes room for others, what is held does not") {
    GuestMemory memory(8 * MiB);
    const auto held = reserved(memory, ada, 4 * MiB);
    const auto idle = reserved(memory, ada, 4 * MiB);
    memory.release(idle);
    CHECK(reserved(memory, bob, 6 * MiB) == nullptr);
    CHECK(reserved(memory, bob, 4 * MiB) != nullptr);
    CHECK(memory.use().held == 8 * MiB);
}

TEST_CASE("a much larger segment is not wasted on a small output") {
    GuestMemory memory(64 * MiB);
    const auto large = reserved(memory, ada, 32 * MiB);
    memory.release(large);
    CHECK(reserved(memory, ada, 2 * MiB) != large);
    CHECK(reserved(memory, ada, 16 * MiB) == large);
}

TEST_CASE("idle memory is dropped when it has been idle long enough") {
    GuestMemory memory(64 * MiB);
    const auto segment = reserved(memory, ada, 4 * MiB);
    memory.release(segment);
    CHECK(memory.drop_idle(segment->released - std::chrono::seconds(1)) == 0);
    CHECK(memory.drop_idle(segment->released) == 4 * MiB);
    CHECK_FALSE(memory.has_segments());
}

TEST_CASE("nobody shrinks or grows a segment, and only its owner may open it") {
    GuestMemory memory(64 * MiB);
    const auto segment = reserved(memory, ::geteuid(), 2 * MiB);
    CHECK(::ftruncate(segment->descriptor.get(), 4096) != 0);
    CHECK(::ftruncate(segment->descriptor.get(), 4 * MiB) != 0);
    CHECK(::fcntl(segment->descriptor.get(), F_ADD_SEALS, F_SEAL_WRITE) != 0);
    struct stat facts {};
    REQUIRE(::fstat(segment->descriptor.get(), &facts) == 0);
    CHECK((facts.st_mode & 07777) == 0600);
    CHECK(facts.st_uid == ::geteuid());
}
