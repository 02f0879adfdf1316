#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <liburing.h>

namespace slab::daemon {

class GzipReader;

enum class Direction : std::uint8_t { read, write };

// Bytes to move between a file and the volume's memory.
struct FileTransfer {
    std::uint64_t tag = 0;  // the caller's
    int descriptor = -1;
    Direction direction = Direction::read;
    std::int64_t file_offset = 0;
    // Congruent to file_offset modulo 4096, or the transfer is buffered. A read may take whole blocks: up to 4095 bytes
    // before and behind the memory are overwritten.
    std::byte* memory = nullptr;
    std::int64_t bytes = 0;
    bool is_sequential = false;      // a pipe: no offsets
    GzipReader* inflater = nullptr;  // reads through this; file_offset is then in what it inflates to
};

struct EndedTransfer {
    std::uint64_t tag = 0;
    int error_number = 0;     // 0: complete; ECANCELED: stopped; ENODATA: the file ended too early
    std::string_view method;  // how the bytes moved, for people
    std::string trouble;      // of a gzip file: what is wrong with it
};

// The ring of one mover; without a ring when the kernel forbids it.
class TransferRing {
  public:
    TransferRing();
    ~TransferRing();
    TransferRing(const TransferRing&) = delete;
    TransferRing& operator=(const TransferRing&) = delete;

    io_uring* get() { return available_ ? &ring_ : nullptr; }

    // Measured on NVMe: 8 requests of 4 MiB reach the rate of 32 of 1 MiB, with less to account for. Twice as many, so
    // that loading and writing do not take turns.
    static constexpr unsigned depth = 16;
    static constexpr std::int64_t piece_bytes = std::int64_t{4} << 20;

  private:
    io_uring ring_{};
    bool available_ = false;
};

// Transfers under way: with io_uring where the kernel allows it and the file can be accessed around the page cache
// (O_DIRECT), else with pread and pwrite. Several files at once; the queue to the disk does not run empty between two
// transfers.
class TransferQueue {
  public:
    explicit TransferQueue(TransferRing& ring) : ring_(ring) {}

    // Without it only pread and pwrite are used.
    void allow_ring(bool allowed) { ring_allowed_ = allowed; }

    void add(const FileTransfer& transfer);
    bool busy() const { return !active_.empty(); }

    // Moves something: gives the disk as much as it takes and waits for at most one piece.
    void step();

    // Every transfer ends as soon as none of its requests is under way.
    void stop();

    std::optional<EndedTransfer> take_ended();

    std::int64_t bytes_read() const { return bytes_read_; }
    std::int64_t bytes_written() const { return bytes_written_; }
    void reset_counts() { bytes_read_ = bytes_written_ = 0; }

  private:
    struct Span {
        std::int64_t from = 0;
        std::int64_t to = 0;
    };
    struct Active {
        FileTransfer transfer;
        std::string_view method;
        Span direct;             // not yet submitted to the ring, or not yet moved by O_DIRECT calls
        std::deque<Span> plain;  // to be moved through the page cache
        unsigned under_way = 0;
        int error_number = 0;
        std::string trouble;
    };
    struct Piece {
        Active* owner = nullptr;
        Span span;
    };

    io_uring* ring() { return ring_allowed_ ? ring_.get() : nullptr; }
    void submit();
    bool submit_one(Active& active);
    void reap(bool wait);
    void completed(const Piece& piece, int result);
    bool move_plainly();
    void move_piece(Active& active, Span& span, bool around_the_cache);
    void inflate(Active& active, Span& span);
    void count(const Active& active, std::int64_t bytes);
    void retire();

    TransferRing& ring_;
    bool ring_allowed_ = false;
    std::list<Active> active_;
    std::deque<EndedTransfer> ended_;
    std::vector<Piece> pieces_ = std::vector<Piece>(TransferRing::depth);
    std::vector<std::size_t> free_;
    unsigned under_way_ = 0;
    std::int64_t bytes_read_ = 0;
    std::int64_t bytes_written_ = 0;
};

// O_DIRECT stays set on a description that is shared with the client: it is cleared before anybody writes to the
// file through the page cache.
void clear_direct(int descriptor);

}  // namespace slab::daemon
