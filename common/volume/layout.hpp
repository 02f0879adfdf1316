#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace slab {

/*
   The volume's bytes. The supervisor alone writes the first region; workers map it read-only.

   0                    64        data_offset (a multiple of 2 MiB)
   +--------------------+---------------------+-----------+-----------+----
   | VolumeHeader       | ExtentRecord [n]    | extent 0  | extent 1  | ...      2 MiB each
   +--------------------+---------------------+-----------+-----------+----
     256 bytes            16 bytes each

   The table mirrors the supervisor's own (private) list, for the supervisor that starts after this one died: it
   reads there which extents have memory behind them. Nobody decides anything by it while a supervisor lives.
*/
inline constexpr std::uint32_t layout_version = 1;
inline constexpr std::int64_t extent_bytes = std::int64_t{2} << 20;
inline constexpr std::array<char, 8> volume_magic{'s', 'l', 'a', 'b', 'v', 'o', 'l', '\n'};

struct VolumeHeader {
    std::array<char, 8> magic;
    std::uint32_t layout;
    std::uint32_t header_bytes;  // sizeof(VolumeHeader)
    std::array<char, 64> instance;
    std::int64_t volume_bytes;
    std::int64_t extent_count;
    std::int64_t data_offset;
    std::array<std::byte, 152> reserved;
};
static_assert(sizeof(VolumeHeader) == 256 && std::is_trivially_copyable_v<VolumeHeader>);
static_assert(offsetof(VolumeHeader, volume_bytes) == 80);

enum class Backing : std::uint8_t {
    none,         // no memory yet, or given back by trim
    small_pages,  // populated with 4 KiB pages
    huge_pages,   // populated with one 2 MiB page
};

struct ExtentRecord {
    std::uint64_t job;  // the job that holds it; 0: nobody
    Backing backing;
    std::array<std::byte, 7> reserved;
};
static_assert(sizeof(ExtentRecord) == 16 && std::is_trivially_copyable_v<ExtentRecord>);

constexpr std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

// Where the first extent starts in a volume of so many extents.
constexpr std::int64_t data_offset_of(std::int64_t extent_count) {
    return round_up(static_cast<std::int64_t>(sizeof(VolumeHeader)) +
                        extent_count * static_cast<std::int64_t>(sizeof(ExtentRecord)),
                    extent_bytes);
}

// How many extents fit into a volume of that size, the header's region subtracted; 0 or less: none.
constexpr std::int64_t extent_count_of(std::int64_t volume_bytes) {
    std::int64_t count = volume_bytes / extent_bytes - 1;
    while (count > 0 && data_offset_of(count) + count * extent_bytes > volume_bytes) {
        --count;
    }
    return count;
}

}  // namespace slab
