#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace slab::daemon {

// The bytes of a journal, in this machine's byte order:
//
//   0   "slabjrnl" | u32 version | u32 crc32c of the 12 bytes before        the file's head: in every version so
//  16   u32 payload bytes | u32 checksum | u64 sequence number | payload | zeros up to a multiple of 8
//       and so on
//
// A frame's checksum is the crc32c of its length, sequence number and payload. Sequence numbers rise by one from frame
// to frame; the first is at least 1. The payload is JSON text: nothing here looks into it.

inline constexpr std::uint32_t journal_version = 1;
// The largest table in a request is 11 MB of base64. JSON's bytes, all above 8, never read as so small a length.
inline constexpr std::size_t longest_payload = std::size_t{1} << 24;

struct FileHead {
    std::array<char, 8> magic;
    std::uint32_t version;
    std::uint32_t checksum;
};
static_assert(sizeof(FileHead) == 16);

struct FrameHead {
    std::uint32_t payload_bytes;
    std::uint32_t checksum;
    std::uint64_t sequence;
};
static_assert(sizeof(FrameHead) == 16);

std::string file_head();

enum class FileHeadState : std::uint8_t {
    good,
    cut_short,      // the file ends inside the head
    damaged,        // the head of some journal, or zeros, but the checksum is wrong
    other_version,  // whole, and another version's
    not_a_journal,
};
struct ParsedFileHead {
    FileHeadState state = FileHeadState::not_a_journal;
    std::uint32_t version = 0;
};
ParsedFileHead parse_file_head(std::string_view file);

// The payload has 1 to longest_payload bytes.
void append_frame(std::string& frames, std::uint64_t sequence, std::string_view payload);

enum class FrameState : std::uint8_t {
    whole,      // every byte is there and the checksum is right
    cut_short,  // the bytes end before the frame does
    wrong,
};
struct ParsedFrame {
    FrameState state = FrameState::wrong;
    std::uint64_t sequence = 0;  // these three only of a whole frame
    std::string_view payload{};
    std::size_t bytes = 0;  // with head and padding
};
// The frame that starts at the first of these bytes. The padding is not checked: it means nothing.
ParsedFrame parse_frame(std::string_view bytes);

}  // namespace slab::daemon
