#pragma once

#include "common/errors/error.hpp"
#include "daemon/volume/volume_space.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slab::daemon {

enum class DamageKind : std::uint8_t {
    torn,  // the end is missing: power or process went while it was written. Nobody was told that it is on disk
    damaged,  // bytes have changed, or bytes in the middle are missing: confirmed records may be lost
};

struct JournalDamage {
    DamageKind kind = DamageKind::torn;
    std::int64_t offset = 0;  // of the first byte that is not used
    std::int64_t bytes = 0;   // from there on, all unused
    std::vector<std::uint64_t>
        later_records;              // sequence numbers of whole records behind it: readable, not used
    std::vector<JobId> later_jobs;  // whose they are
};

struct JournalContents {
    std::vector<std::string> records;  // the good prefix
    std::int64_t good_bytes = 0;       // of the file; 0 when not even its head is whole
    std::int64_t lost_bytes = 0;
    std::uint64_t next_sequence = 1;
    bool head_is_good = false;  // the file's head: when it alone is damaged the records still stand
    std::optional<JournalDamage> damage;
};

// Reads only. An error: not a journal, or another version's, or it cannot be read.
Expected<JournalContents> read_journal(int descriptor);

// For people, with all three texts. `copy`: where the damaged file was kept; empty: nowhere.
Error damage_report(const JournalDamage& damage, std::string_view copy);

}  // namespace slab::daemon
