#pragma once

#include "client/library/job_request.hpp"
#include "client/library/job_status.hpp"
#include "common/array/box.hpp"
#include "common/errors/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slab {

// An array that this program's own threads or processes (guests) fill, tile by tile, as a job of the daemon: it
// shares the tiles out, gives those of a guest that dies to others, and writes the file where there is one.
struct GuestRequest {
    std::string name;                       // of what is computed, for lists
    ArrayDescription output;                // C order, this machine's byte order
    std::vector<std::int64_t> tile = {};    // a tile's extents, slowest axis first; empty: the daemon cuts
    std::optional<OutputTarget> file = {};  // then the output streams there, and may be larger than memory
    int priority = 0;                       // -20 to 19, 19 last, as nice
    std::string max_memory = {};            // "512MiB": bounds what of the output is in memory at one time
    std::string tile_bytes = {};            // how large a tile is, where `tile` is empty
};

// A part of the output that one guest is to fill, all of it, and always with the same: it may be done twice.
struct GuestTile {
    Box box;  // of the whole output
    std::byte* data = nullptr;
    std::array<std::int64_t, max_rank> strides{};  // in bytes, of each axis

    // The element at indices counted from the box's beginning, in the order of the axes.
    template <typename T, typename... Indices>
    T& at(Indices... indices) const {
        std::size_t axis = 0;
        std::int64_t offset = 0;
        ((offset += strides[axis++] * static_cast<std::int64_t>(indices)), ...);
        return *reinterpret_cast<T*>(data + offset);
    }
};

// One guest: for one thread, or for one process forked after it was made (then every other process has to drop
// its copy, or the daemon does not see this one's end). Movable.
class Guest {
  public:
    Guest(Guest&&) noexcept;
    Guest& operator=(Guest&&) noexcept;
    ~Guest();

    // Says that the tile before is filled, and waits for another. Nothing: the job has ended, and no memory of
    // it may be written any more. Errors: the daemon's words make no sense.
    Expected<std::optional<GuestTile>> next_tile();

    // The tile cannot be filled: the job fails with this, and so ends for all guests.
    void fail(std::string_view what, std::string_view because = {});

    int cpu() const;  // where the daemon would have it run: nobody else's guest does

  private:
    friend class Connection;
    struct State;
    explicit Guest(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

// A job whose guests are this program's. It is cancelled when the connection closes.
struct GuestJob {
    std::int64_t id = 0;
    std::vector<Guest>
        guests;  // to be moved into threads; with the last the job has nobody to fill its tiles
    // The output, valid when Connection::wait says that the job is done, and as long as this lives. Empty of a job
    // with a file.
    std::span<std::byte> output;
    std::shared_ptr<void> memory;  // unmapped with its last owner; guests are owners
};

}  // namespace slab
