#include "tests/speed/read_and_stream.hpp"

#include "tests/speed/warm_region.hpp"

#include <algorithm>
#include <cstdint>

namespace slab::speed {
namespace {

// Returns a sum of all, so that nothing is left out.
std::uint64_t read_lines(const std::byte* from, std::size_t bytes) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i + 64 <= bytes; i += 64) {
        sum += *reinterpret_cast<const volatile std::uint64_t*>(from + i);
    }
    return sum;
}

// The same bytes of rows that lie apart: every line of the cache that a row has a part of.
void read_part_of_rows(const std::byte* from, std::size_t begin, std::size_t end, const ReadRows& rows) {
    for (std::size_t row = (begin + rows.bytes - 1) / rows.bytes; row * rows.bytes < end; ++row) {
        const std::size_t first = row * rows.pitch / 64 * 64;
        read_lines(from + first, (row * rows.pitch + rows.bytes - first + 63) / 64 * 64);
    }
}

}  // namespace

void read_and_stream(const std::byte* from, std::size_t read_bytes, std::byte* to, std::size_t written_bytes,
                     const ReadRows& rows) {
    // About 64 KiB in a turn of whichever is more; each part whole lines.
    const std::size_t turns = std::max<std::size_t>(1, std::max(read_bytes, written_bytes) / 65536);
    const auto part = [turns](std::size_t bytes, std::size_t turn) {
        return static_cast<std::size_t>(static_cast<double>(bytes) * static_cast<double>(turn) /
                                        static_cast<double>(turns)) /
               256 * 256;
    };
    for (std::size_t turn = 0; turn < turns; ++turn) {
        if (rows.bytes == 0) {
            read_lines(from + part(read_bytes, turn), part(read_bytes, turn + 1) - part(read_bytes, turn));
        } else {
            read_part_of_rows(from, part(read_bytes, turn), part(read_bytes, turn + 1), rows);
        }
        stream_pattern(to + part(written_bytes, turn),
                       part(written_bytes, turn + 1) - part(written_bytes, turn));
    }
}

}  // namespace slab::speed
