#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"
#include "daemon/mover/gzip_reader.hpp"
#include "daemon/mover/mover_messages.hpp"
#include "daemon/mover/transfer_queue.hpp"

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace slab::daemon {

// The inputs of bands on their way into the volume. The files of several bands are read at once and in any order; what
// follows (bytes swapped, what a band shares with the one before copied from there) is done band after band.
class BandLoads {
  public:
    BandLoads(std::byte* volume, TransferQueue& queue) : volume_(volume), queue_(queue) {}

    // A new job. `goes_on` is asked while a gzip file is inflated. The files stay the caller's.
    void start_job(std::span<const UniqueDescriptor> files, const MoverOrder& check,
                   std::function<bool()> goes_on);
    void clear();

    // Gives the queue the transfers of a load order; the tag of input i's is first_tag + i.
    void begin(const MoverOrder& order, std::uint64_t first_tag);

    // One of them has ended.
    std::optional<Error> take(std::int64_t band, std::size_t input, const EndedTransfer& ended);

    // The next band whose inputs are all there, made ready; nothing when that is still to come.
    struct Loaded {
        std::int64_t band = 0;
        std::string_view method;
    };
    Expected<std::optional<Loaded>> take_loaded();

  private:
    struct Load {
        MoverOrder order;
        std::size_t under_way = 0;
        std::vector<std::string> stashed;  // shared with the band before, where that one's memory is reused
    };

    GzipReader* inflater_for(std::size_t i, const InputBytes& input);
    std::optional<Error> check_ends(const Load& load);
    std::byte* at(std::int64_t offset) const { return volume_ + offset; }

    std::byte* volume_;
    TransferQueue& queue_;
    std::span<const UniqueDescriptor> files_;
    std::function<bool()> goes_on_;
    std::deque<Load> loads_;
    std::vector<std::unique_ptr<GzipReader>> inflaters_;
    std::array<std::int64_t, most_mover_inputs> ends_{};  // of the arrays, in their files
    std::array<std::int64_t, most_mover_inputs>
        next_inflated_{};  // where each stands when its orders are done
    std::string_view method_;
};

}  // namespace slab::daemon
