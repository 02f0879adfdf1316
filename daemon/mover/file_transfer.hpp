#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string_view>

#include <liburing.h>

namespace slab::daemon {

enum class Direction : std::uint8_t { read, write };

// Moves bytes between a file and the volume's memory. With io_uring where the kernel allows it and the file can be
// opened around the page cache (O_DIRECT), else with pread and pwrite.
struct FileTransfer {
    int descriptor = -1;
    Direction direction = Direction::read;
    std::int64_t file_offset = 0;
    std::byte* memory = nullptr;  // congruent to file_offset modulo 4096, or the transfer is buffered
    std::int64_t bytes = 0;
    // Called after each piece with the bytes moved so far; false: stop when nothing is under way.
    std::function<bool(std::int64_t)> moved;
};

enum class TransferEnd : std::uint8_t { complete, stopped };

struct TransferResult {
    TransferEnd end = TransferEnd::complete;
    std::string_view method;
};

// The ring of one mover; without a ring when the kernel forbids it.
class TransferRing {
  public:
    TransferRing();
    ~TransferRing();
    TransferRing(const TransferRing&) = delete;
    TransferRing& operator=(const TransferRing&) = delete;

    io_uring* get() { return available_ ? &ring_ : nullptr; }

    // Measured on NVMe: 8 requests of 4 MiB reach the rate of 32 of 1 MiB, with less to account for.
    static constexpr unsigned depth = 8;
    static constexpr std::int64_t piece_bytes = std::int64_t{4} << 20;

  private:
    io_uring ring_{};
    bool available_ = false;
};

// An errno value on failure; ENODATA when the file ends too early. Null: without a ring.
std::expected<TransferResult, int> move_bytes(io_uring* maybe_ring, const FileTransfer& transfer);

// O_DIRECT stays set on a description that is shared with the client: it is cleared before anybody writes to the
// file through the page cache.
void clear_direct(int descriptor);

}  // namespace slab::daemon
