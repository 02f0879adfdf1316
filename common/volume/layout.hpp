#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace slab {

/*
   The volume's bytes. The supervisor alone writes the first region; workers map it read-only.

   0                                                                            data_offset (a multiple of 2 MiB)
   +--------------+------------------+-----------------------+-------------------+-----------+-----------+----
   | VolumeHeader | ExtentRecord [n] | JobRecord [128]       | tile bits [8]     | extent 0  | extent 1  | ...
   +--------------+------------------+-----------------------+-------------------+-----------+-----------+----
     256 bytes      16 bytes each      4096 bytes each         128 KiB each        2 MiB each

   All of it is for the supervisor that starts after this one died: which extents have memory behind them, which results
   can be attached to, how far running jobs had come. Nobody decides anything by it while a supervisor lives.
*/
inline constexpr std::uint32_t layout_version = 4;
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
    std::uint64_t last_job;  // the highest number that was given to a job
    std::array<std::byte, 144> reserved;
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

// What a job holds that outlives its supervisor. Written field by field, `job` last when it begins and first (0) when it
// ends; a supervisor that dies between two stores leaves a record that says less than there is, never more.
enum class RecordUse : std::uint8_t {
    nothing,
    running,  // with what it has computed
    kept,     // ended, and its result stays
    ended,    // and the journal may not know it yet: a successor must not compute it again
};

struct RecordedRun {
    std::int64_t begin;
    std::int64_t end;  // 0: none
};

struct RecordedSlot {
    std::int64_t band;
    std::uint32_t stage;  // BandStage; only loaded and computed mean anything to a successor
    std::uint32_t phase;  // loaded: the phases before this one are done, the tile bits are this one's
};

inline constexpr std::size_t most_recorded_inputs = 16;
inline constexpr std::size_t most_recorded_slots = 4;

struct JobRecord {
    std::uint64_t job;  // 0: the record is free
    RecordUse use;
    std::uint8_t inputs_loaded;     // running: the inputs that are there whole have arrived
    std::uint8_t workspaces_ready;  // running: the workspaces that are there whole are computed
    std::byte reserved;
    std::int32_t bit_area;    // running: its tile bits; negative: none
    double submitted_at;      // with the number, which job it is
    std::uint64_t plan;       // running: JobPlan::fingerprint
    std::int64_t bands_done;  // running: these have left their slots
    RecordedRun output;
    RecordedRun ring;
    RecordedRun work;
    std::array<RecordedRun, most_recorded_inputs> inputs;
    std::array<RecordedSlot, most_recorded_slots> slots;
    std::uint32_t status_bytes;  // kept and ended: JOB of the protocol, JSON text
    std::array<char, 3684> status;
};
static_assert(sizeof(JobRecord) == 4096 && std::is_trivially_copyable_v<JobRecord>);

inline constexpr std::int64_t job_record_count = 128;
inline constexpr std::int64_t bit_area_count = 8;
inline constexpr std::int64_t bit_area_bytes = 128 << 10;

constexpr std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

constexpr std::int64_t job_records_offset_of(std::int64_t extent_count) {
    return round_up(static_cast<std::int64_t>(sizeof(VolumeHeader)) +
                        extent_count * static_cast<std::int64_t>(sizeof(ExtentRecord)),
                    static_cast<std::int64_t>(sizeof(JobRecord)));
}

constexpr std::int64_t tile_bits_offset_of(std::int64_t extent_count) {
    return job_records_offset_of(extent_count) +
           job_record_count * static_cast<std::int64_t>(sizeof(JobRecord));
}

// Where the first extent starts in a volume of so many extents.
constexpr std::int64_t data_offset_of(std::int64_t extent_count) {
    return round_up(tile_bits_offset_of(extent_count) + bit_area_count * bit_area_bytes, extent_bytes);
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
