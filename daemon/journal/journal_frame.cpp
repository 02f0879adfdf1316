#include "daemon/journal/journal_frame.hpp"

#include "daemon/journal/checksum.hpp"
#include "daemon/process/plain_record.hpp"

#include <algorithm>
#include <cstddef>

namespace slab::daemon {
namespace {

constexpr std::array<char, 8> journal_magic{'s', 'l', 'a', 'b', 'j', 'r', 'n', 'l'};

std::size_t padded(std::size_t bytes) {
    return (bytes + 7) / 8 * 8;
}

std::uint32_t checksum_of(const FrameHead& head, std::string_view payload) {
    const std::string_view fields = bytes_of(head);
    std::uint32_t sum = crc32c(fields.substr(offsetof(FrameHead, payload_bytes), sizeof(head.payload_bytes)));
    sum = crc32c(fields.substr(offsetof(FrameHead, sequence), sizeof(head.sequence)), sum);
    return crc32c(payload, sum);
}

std::uint32_t checksum_of(const FileHead& head) {
    return crc32c(bytes_of(head).substr(0, offsetof(FileHead, checksum)));
}

}  // namespace

std::string file_head() {
    FileHead head{journal_magic, journal_version, 0};
    head.checksum = checksum_of(head);
    return std::string(bytes_of(head));
}

ParsedFileHead parse_file_head(std::string_view file) {
    const std::string_view start = file.substr(0, sizeof(FileHead));
    const bool zeros = std::ranges::all_of(start, [](char byte) { return byte == '\0'; });
    if (start.size() < sizeof(FileHead)) {
        return {zeros || file_head().starts_with(start) ? FileHeadState::cut_short
                                                        : FileHeadState::not_a_journal};
    }
    const auto head = record_of<FileHead>(start);
    if (zeros) {
        return {FileHeadState::damaged};
    }
    if (head.magic != journal_magic) {
        return {FileHeadState::not_a_journal};
    }
    if (head.checksum != checksum_of(head)) {
        return {FileHeadState::damaged};
    }
    return {head.version == journal_version ? FileHeadState::good : FileHeadState::other_version,
            head.version};
}

void append_frame(std::string& frames, std::uint64_t sequence, std::string_view payload) {
    FrameHead head{static_cast<std::uint32_t>(payload.size()), 0, sequence};
    head.checksum = checksum_of(head, payload);
    frames += bytes_of(head);
    frames += payload;
    frames.append(padded(payload.size()) - payload.size(), '\0');
}

ParsedFrame parse_frame(std::string_view bytes) {
    if (bytes.size() < sizeof(FrameHead)) {
        return {FrameState::cut_short};
    }
    const auto head = record_of<FrameHead>(bytes);
    if (head.payload_bytes == 0 || head.payload_bytes > longest_payload || head.sequence == 0) {
        return {FrameState::wrong};
    }
    const std::size_t whole = sizeof(FrameHead) + padded(head.payload_bytes);
    if (bytes.size() < whole) {
        return {FrameState::cut_short};
    }
    const std::string_view payload = bytes.substr(sizeof(FrameHead), head.payload_bytes);
    if (head.checksum != checksum_of(head, payload)) {
        return {FrameState::wrong};
    }
    return {FrameState::whole, head.sequence, payload, whole};
}

}  // namespace slab::daemon
