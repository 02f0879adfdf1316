#include "daemon/mover/band_loads.hpp"

#include "daemon/mover/byte_swap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace slab::daemon {

void BandLoads::start_job(std::span<const UniqueDescriptor> files, const MoverOrder& check,
                          std::function<bool()> goes_on) {
    clear();
    files_ = files;
    goes_on_ = std::move(goes_on);
    inflaters_.resize(check.input_count);
    for (std::size_t i = 0; i < check.input_count; ++i) {
        ends_[i] = check.inputs[i].file_offset + check.inputs[i].bytes;
    }
}

void BandLoads::clear() {
    loads_.clear();
    inflaters_.clear();
}

void BandLoads::begin(const MoverOrder& order, std::uint64_t first_tag) {
    Load load{order, 0, std::vector<std::string>(order.input_count)};
    for (std::size_t i = 0; i < order.input_count; ++i) {
        const InputBytes& input = order.inputs[i];
        const std::int64_t fresh = input.bytes - input.copy_bytes;
        const bool overlaps = input.copy_bytes > 0 && input.copy_from < input.volume_offset + input.bytes &&
                              input.volume_offset < input.copy_from + input.copy_bytes;
        if (overlaps) {
            load.stashed[i].assign(reinterpret_cast<const char*>(at(input.copy_from)),
                                   static_cast<std::size_t>(input.copy_bytes));
        }
        if (fresh > 0) {
            queue_.add({.tag = first_tag + i,
                        .descriptor = files_[i].get(),
                        .direction = Direction::read,
                        .file_offset = input.file_offset + input.copy_bytes,
                        .memory = at(input.volume_offset + input.copy_bytes),
                        .bytes = fresh,
                        .inflater = inflater_for(i, input)});
            ++load.under_way;
        }
    }
    loads_.push_back(std::move(load));
}

// One for the whole job, since it cannot go back; a new one when it has to.
GzipReader* BandLoads::inflater_for(std::size_t i, const InputBytes& input) {
    if (input.codec != Codec::gzip) {
        return nullptr;
    }
    std::unique_ptr<GzipReader>& inflater = inflaters_[i];
    if (!inflater || next_inflated_[i] > input.file_offset + input.copy_bytes) {
        inflater = std::make_unique<GzipReader>(files_[i].get(), goes_on_);
    }
    next_inflated_[i] = input.file_offset + input.bytes;
    return inflater.get();
}

std::optional<Error> BandLoads::take(std::int64_t band, std::size_t input, const EndedTransfer& ended) {
    if (ended.error_number == 0) {
        --std::ranges::find(loads_, band, [](const Load& load) { return load.order.band; })->under_way;
        method_ = ended.method;
        return std::nullopt;
    }
    const bool is_packed = !ended.trouble.empty();
    return Error{ErrorKind::failed,
                 fmt::format("input {} cannot be {}", input + 1, is_packed ? "inflated (gzip)" : "read"),
                 is_packed                       ? ended.trouble
                 : ended.error_number == ENODATA ? "it became shorter while it was read"
                                                 : errno_text(ended.error_number),
                 ""};
}

Expected<std::optional<BandLoads::Loaded>> BandLoads::take_loaded() {
    if (loads_.empty() || loads_.front().under_way > 0) {
        return std::nullopt;
    }
    const Load load = std::move(loads_.front());
    loads_.pop_front();
    for (std::size_t i = 0; i < load.order.input_count; ++i) {
        const InputBytes& input = load.order.inputs[i];
        swap_bytes(at(input.volume_offset + input.copy_bytes), input.bytes - input.copy_bytes,
                   input.swap_unit);
        // Last: the read of the rest began with the whole block before it.
        const void* const shared = load.stashed[i].empty() ? static_cast<const void*>(at(input.copy_from))
                                                           : static_cast<const void*>(load.stashed[i].data());
        std::memcpy(at(input.volume_offset), shared, static_cast<std::size_t>(input.copy_bytes));
    }
    if (auto problem = check_ends(load)) {
        return std::unexpected(std::move(*problem));
    }
    return Loaded{load.order.band, method_};
}

// With the last byte of its array a gzip file is asked once more: only then its checksum has been compared.
std::optional<Error> BandLoads::check_ends(const Load& load) {
    for (std::size_t i = 0; i < load.order.input_count; ++i) {
        const InputBytes& input = load.order.inputs[i];
        const bool is_last = input.bytes > 0 && input.file_offset + input.bytes == ends_[i];
        if (input.codec != Codec::gzip || !is_last || !inflaters_[i]) {
            continue;
        }
        if (const auto rest = inflaters_[i]->skip(1); !rest) {
            return to_error(rest.error(), fmt::format("input {}", i + 1));
        }
    }
    return std::nullopt;
}

}  // namespace slab::daemon
