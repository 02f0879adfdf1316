#include "daemon/journal/journal_contents.hpp"

#include "common/protocol/message.hpp"
#include "daemon/journal/journal_frame.hpp"
#include "daemon/journal/whole_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slab::daemon {
namespace {

Error not_ours(int descriptor, const ParsedFileHead& head) {
    const std::string path = path_of(descriptor);
    const std::string remedy = fmt::format(
        "move it away (mv '{0}' '{0}.old'): a new one is begun, and the jobs in it are not known.", path);
    if (head.state == FileHeadState::other_version) {
        return {ErrorKind::failed, fmt::format("the journal '{}' was written by another slabd", path),
                fmt::format("it has version {}, this slabd reads version {}", head.version, journal_version),
                "Start the slabd that wrote it, or " + remedy};
    }
    return {ErrorKind::failed, fmt::format("'{}' is not a journal of slabd", path),
            "it does not begin with 'slabjrnl'; it was left as it is", "Look at what it is, or " + remedy};
}

// A file system may give a file its new length before its new bytes: whole sectors at the end are then zeros. The
// padding of a whole last frame never reaches a sector's border.
bool ends_in_unwritten_sectors(std::string_view file, std::size_t place) {
    constexpr std::size_t sector = 512;
    const std::size_t last = file.find_last_not_of('\0');
    const std::size_t used = last == std::string_view::npos ? 0 : last + 1;
    return used <= place || (used + sector - 1) / sector * sector < file.size();
}

// Whole frames behind the first byte that is not good. JSON holds no byte below 9, so that no place inside a payload
// reads as a length: the search is linear.
void find_later_records(std::string_view file, std::size_t place, JournalDamage& damage) {
    while (place < file.size()) {
        const ParsedFrame frame = parse_frame(file.substr(place));
        if (frame.state != FrameState::whole) {
            place += 8;
            continue;
        }
        place += frame.bytes;
        damage.later_records.push_back(frame.sequence);
        const Json record = Json::parse(frame.payload, nullptr, false);
        if (const auto job = record.find("job"); job != record.end() && job->is_number_unsigned()) {
            damage.later_jobs.push_back(job->get<JobId>());
        }
    }
    std::ranges::sort(damage.later_jobs);
    const auto repeated = std::ranges::unique(damage.later_jobs);
    damage.later_jobs.erase(repeated.begin(), repeated.end());
}

JournalDamage judge(std::string_view file, std::size_t place, FrameState state) {
    JournalDamage damage{DamageKind::damaged,
                         static_cast<std::int64_t>(place),
                         static_cast<std::int64_t>(file.size() - place),
                         {},
                         {}};
    find_later_records(file, place, damage);
    // A flipped bit in a length makes a frame reach past the end, too: then others follow it.
    const bool is_torn = state == FrameState::cut_short || ends_in_unwritten_sectors(file, place);
    if (is_torn && damage.later_records.empty()) {
        damage.kind = DamageKind::torn;
    }
    return damage;
}

// "3, 4, 5 and 17 more"
std::string listed(const std::vector<std::uint64_t>& numbers) {
    constexpr std::size_t most = 20;
    const std::size_t shown = std::min(most, numbers.size());
    std::string text =
        fmt::format("{}", fmt::join(numbers.begin(), numbers.begin() + static_cast<long>(shown), ", "));
    if (shown < numbers.size()) {
        text += fmt::format(" and {} more", numbers.size() - shown);
    }
    return text;
}

}  // namespace

Expected<JournalContents> read_journal(int descriptor) {
    const auto read = whole_file(descriptor);
    if (!read) {
        return std::unexpected(Error{ErrorKind::failed,
                                     fmt::format("the journal '{}' cannot be read", path_of(descriptor)),
                                     errno_text(read.error()),
                                     "Look at the disk and at the rights on the file: slabd does not start "
                                     "without knowing its jobs."});
    }
    const std::string_view file = *read;
    const auto size = static_cast<std::int64_t>(file.size());
    JournalContents contents;
    const ParsedFileHead head = parse_file_head(file);
    switch (head.state) {
    case FileHeadState::not_a_journal:
    case FileHeadState::other_version: return std::unexpected(not_ours(descriptor, head));
    case FileHeadState::cut_short:
        contents.lost_bytes = size;
        if (size > 0) {
            contents.damage = JournalDamage{DamageKind::torn, 0, size, {}, {}};
        }
        return contents;
    case FileHeadState::good:
    case FileHeadState::damaged: contents.head_is_good = head.state == FileHeadState::good;
    }

    std::size_t place = sizeof(FileHead);
    while (place < file.size()) {
        const ParsedFrame frame = parse_frame(file.substr(place));
        const bool in_order = contents.records.empty() || frame.sequence == contents.next_sequence;
        if (frame.state != FrameState::whole || !in_order) {
            contents.damage = judge(file, place, frame.state);
            break;
        }
        contents.records.emplace_back(frame.payload);
        contents.next_sequence = frame.sequence + 1;
        place += frame.bytes;
    }
    contents.good_bytes = static_cast<std::int64_t>(place);
    contents.lost_bytes = size - contents.good_bytes;
    if (!contents.head_is_good) {
        if (!contents.damage) {
            contents.damage = JournalDamage{DamageKind::damaged, 0, sizeof(FileHead), {}, {}};
        }
        contents.damage->kind = DamageKind::damaged;
    }
    return contents;
}

Error damage_report(const JournalDamage& damage, std::string_view copy) {
    if (damage.kind == DamageKind::torn) {
        return {
            ErrorKind::failed, "the journal ended inside a record",
            fmt::format("its last {} bytes, from byte {} on, were not yet confirmed to anybody when slabd or "
                        "the machine stopped",
                        damage.bytes, damage.offset),
            ""};
    }
    std::string because = fmt::format("{} bytes from byte {} on have changed since they were written",
                                      damage.bytes, damage.offset);
    if (damage.later_records.empty()) {
        because += "; no record behind them can be read";
    } else {
        because += fmt::format("; {} later records can be read but are not used (numbers {})",
                               damage.later_records.size(), listed(damage.later_records));
    }
    if (!damage.later_jobs.empty()) {
        because += fmt::format(", of the jobs {}", listed(damage.later_jobs));
    }
    return {ErrorKind::failed, "the journal is damaged: what jobs did last may be unknown", because,
            copy.empty() ? "Keep a copy of it, and check the disk."
                         : fmt::format("Check the disk; the damaged journal is kept as '{}'.", copy)};
}

}  // namespace slab::daemon
