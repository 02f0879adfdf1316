#include "daemon/mover/gzip_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <unistd.h>
#include <utility>

namespace slab::daemon {
namespace {

constexpr std::size_t read_ahead_bytes = std::size_t{1} << 20;

// RFC 1952, 2.3.1.
constexpr std::uint8_t magic[] = {0x1f, 0x8b};
constexpr std::uint8_t method_deflate = 8;
constexpr std::uint8_t has_header_checksum = 1 << 1;
constexpr std::uint8_t has_extra = 1 << 2;
constexpr std::uint8_t has_name = 1 << 3;
constexpr std::uint8_t has_comment = 1 << 4;
constexpr std::uint8_t reserved_flags = 0xe0;

}  // namespace

struct GzipReader::State {
    inflate_state inflate;
    std::array<std::byte, read_ahead_bytes> input;
    std::array<std::byte, std::size_t{256} << 10> skipped;  // each call of ISA-L copies a window of 32 KiB
};

GzipReader::GzipReader(int descriptor, std::function<bool()> goes_on)
    : descriptor_(descriptor), goes_on_(std::move(goes_on)), state_(std::make_unique_for_overwrite<State>()) {
}

GzipReader::~GzipReader() = default;

std::int64_t GzipReader::compressed_position() const {
    return file_offset_ - static_cast<std::int64_t>(end_ - next_);
}

std::unexpected<GzipError> GzipReader::problem(GzipProblem problem) const {
    return std::unexpected(GzipError{problem, compressed_position(), 0});
}

GzipReader::Step GzipReader::refill() {
    if (goes_on_ && !goes_on_()) {
        return problem(GzipProblem::stopped);
    }
    ssize_t count = -1;
    do {
        count = ::pread(descriptor_, state_->input.data(), state_->input.size(), file_offset_);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return std::unexpected(GzipError{GzipProblem::cannot_read, file_offset_, errno});
    }
    next_ = 0;
    end_ = static_cast<std::size_t>(count);
    file_offset_ += count;
    file_ended_ = count == 0;
    return {};
}

std::expected<std::optional<std::uint8_t>, GzipError> GzipReader::next_byte() {
    if (next_ == end_) {
        if (const Step filled = refill(); !filled) {
            return std::unexpected(filled.error());
        }
        if (file_ended_) {
            return std::nullopt;
        }
    }
    return std::to_integer<std::uint8_t>(state_->input[next_++]);
}

std::expected<std::uint8_t, GzipError> GzipReader::header_byte() {
    const auto byte = next_byte();
    if (!byte) {
        return std::unexpected(byte.error());
    }
    if (!*byte) {
        return problem(GzipProblem::ends_early);
    }
    const std::uint8_t value = **byte;
    header_checksum_ = ::crc32_gzip_refl(header_checksum_, &value, 1);
    return value;
}

GzipReader::Step GzipReader::skip_text() {
    while (true) {
        const auto byte = header_byte();
        if (!byte) {
            return std::unexpected(byte.error());
        }
        if (*byte == 0) {
            return {};
        }
    }
}

// At a member's first byte, which is there.
GzipReader::Step GzipReader::read_header() {
    header_checksum_ = 0;
    std::array<std::uint8_t, 10> fixed{};
    for (std::size_t i = 0; i < fixed.size(); ++i) {
        const auto byte = header_byte();
        if (!byte) {
            return std::unexpected(byte.error());
        }
        fixed[i] = *byte;
        if (i < std::size(magic) && *byte != magic[i]) {
            --next_;
            return problem(first_member_ ? GzipProblem::not_gzip : GzipProblem::damaged);
        }
    }
    const std::uint8_t flags = fixed[3];
    if (fixed[2] != method_deflate || (flags & reserved_flags) != 0) {
        return problem(first_member_ ? GzipProblem::not_gzip : GzipProblem::damaged);
    }
    if ((flags & has_extra) != 0) {
        std::size_t length = 0;
        for (std::size_t i = 0; i < 2 + length; ++i) {
            const auto byte = header_byte();
            if (!byte) {
                return std::unexpected(byte.error());
            }
            if (i < 2) {
                length |= std::size_t{*byte} << (8 * i);
            }
        }
    }
    for (const std::uint8_t text : {has_name, has_comment}) {
        if ((flags & text) != 0) {
            if (const Step skipped = skip_text(); !skipped) {
                return skipped;
            }
        }
    }
    if ((flags & has_header_checksum) != 0) {
        const std::uint32_t expected = header_checksum_ & 0xffff;
        std::uint32_t stored = 0;
        for (unsigned i = 0; i < 2; ++i) {
            const auto byte = header_byte();
            if (!byte) {
                return std::unexpected(byte.error());
            }
            stored |= std::uint32_t{*byte} << (8 * i);
        }
        if (stored != expected) {
            return problem(GzipProblem::damaged);
        }
    }
    return {};
}

// After a zero where a member could begin: zeros to the file's end, or it is no padding.
GzipReader::Step GzipReader::pass_padding() {
    while (true) {
        const auto found = std::find_if(state_->input.begin() + static_cast<std::ptrdiff_t>(next_),
                                        state_->input.begin() + static_cast<std::ptrdiff_t>(end_),
                                        [](std::byte byte) { return byte != std::byte{0}; });
        next_ = static_cast<std::size_t>(found - state_->input.begin());
        if (next_ != end_) {
            return problem(GzipProblem::damaged);
        }
        if (const Step filled = refill(); !filled || file_ended_) {
            return filled;
        }
    }
}

GzipReader::Step GzipReader::begin_member() {
    const auto first = next_byte();
    if (!first) {
        return std::unexpected(first.error());
    }
    if (!*first) {
        if (first_member_) {
            return problem(GzipProblem::ends_early);
        }
        place_ = Place::end;
        return {};
    }
    if (**first == 0 && !first_member_) {
        place_ = Place::end;
        return pass_padding();
    }
    --next_;
    if (const Step header = read_header(); !header) {
        return header;
    }
    first_member_ = false;
    place_ = Place::in_member;
    ::isal_inflate_init(&state_->inflate);
    // Our own header reader: ISA-L's forgets the flags of a header that its input cuts in two.
    state_->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
    return {};
}

std::expected<std::size_t, GzipError> GzipReader::inflate_piece(std::span<std::byte> to) {
    if (next_ == end_ && !file_ended_) {
        if (const Step filled = refill(); !filled) {
            return std::unexpected(filled.error());
        }
    }
    inflate_state& inflate = state_->inflate;
    const std::size_t wanted = std::min(to.size(), std::size_t{1} << 30);  // ISA-L counts with 32 bits
    inflate.next_in = reinterpret_cast<std::uint8_t*>(state_->input.data()) + next_;
    inflate.avail_in = static_cast<std::uint32_t>(end_ - next_);
    inflate.next_out = reinterpret_cast<std::uint8_t*>(to.data());
    inflate.avail_out = static_cast<std::uint32_t>(wanted);
    const int answer = ::isal_inflate(&inflate);
    const bool moved_on = inflate.avail_in != end_ - next_ || inflate.avail_out != wanted;
    next_ = end_ - inflate.avail_in;
    if (answer != ISAL_DECOMP_OK) {
        return problem(GzipProblem::damaged);
    }
    if (inflate.block_state == ISAL_BLOCK_FINISH) {
        place_ = Place::before_member;
    } else if (!moved_on && file_ended_) {
        return problem(GzipProblem::ends_early);
    }
    return wanted - inflate.avail_out;
}

std::expected<std::int64_t, GzipError> GzipReader::read(std::span<std::byte> to) {
    std::size_t done = 0;
    while (done < to.size() && place_ != Place::end && !failure_) {
        if (place_ == Place::before_member) {
            if (const Step begun = begin_member(); !begun) {
                failure_ = begun.error();
            }
        } else if (const auto count = inflate_piece(to.subspan(done))) {
            done += *count;
        } else {
            failure_ = count.error();
        }
    }
    if (failure_) {
        position_ += static_cast<std::int64_t>(done);
        failure_->good_bytes = position_;
        return std::unexpected(*failure_);
    }
    position_ += static_cast<std::int64_t>(done);
    return static_cast<std::int64_t>(done);
}

std::expected<std::int64_t, GzipError> GzipReader::skip(std::int64_t bytes) {
    std::int64_t done = 0;
    while (done < bytes) {
        const auto piece = std::min(bytes - done, static_cast<std::int64_t>(state_->skipped.size()));
        const auto count = read(std::span(state_->skipped).first(static_cast<std::size_t>(piece)));
        if (!count) {
            return count;
        }
        done += *count;
        if (*count < piece) {
            break;
        }
    }
    return done;
}

Error to_error(const GzipError& error, std::string_view name) {
    switch (error.problem) {
    case GzipProblem::not_gzip:
        return {ErrorKind::usage, fmt::format("{} is not a gzip file", name),
                "it does not begin with the bytes 1f 8b 08",
                "Give it without a codec if it is not compressed."};
    case GzipProblem::damaged:
        return {ErrorKind::usage, fmt::format("{} is a damaged gzip file", name),
                fmt::format("invalid data or a wrong checksum, noticed at compressed byte {}",
                            error.compressed_offset),
                "Compare it with its source: gzip --test says whether a copy is whole."};
    case GzipProblem::ends_early:
        return {ErrorKind::usage, fmt::format("{} is cut short", name),
                fmt::format("its compressed data goes on after byte {}, where the file ends; {} bytes of "
                            "its content are good",
                            error.compressed_offset, error.good_bytes),
                "Compare it with its source: gzip --test says whether a copy is whole."};
    case GzipProblem::cannot_read:
        return {ErrorKind::failed, fmt::format("{} cannot be read", name),
                fmt::format("{} at byte {}", errno_text(error.code), error.compressed_offset), ""};
    case GzipProblem::stopped: break;
    }
    return {ErrorKind::cancelled, fmt::format("{} was not read to its end", name), "", ""};
}

}  // namespace slab::daemon
