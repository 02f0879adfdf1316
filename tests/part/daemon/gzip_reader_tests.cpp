#include "daemon/mover/gzip_reader.hpp"

#include "common/files/unique_descriptor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include <zlib.h>

using namespace slab;
using namespace slab::daemon;

namespace {

UniqueDescriptor file_of(std::string_view bytes) {
    UniqueDescriptor file(::memfd_create("gzip", MFD_CLOEXEC));
    REQUIRE(file);
    REQUIRE(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    return file;
}

// One member, by zlib. maybe_header: name, comment, extra field and header checksum.
std::string member_of(std::string_view content, int level = 6, gz_header* maybe_header = nullptr) {
    z_stream stream{};
    REQUIRE(::deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    if (maybe_header != nullptr) {
        REQUIRE(::deflateSetHeader(&stream, maybe_header) == Z_OK);
    }
    std::string compressed(content.size() + content.size() / 1000 + 8'000'000, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
    stream.avail_out = static_cast<uInt>(compressed.size());
    REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    compressed.resize(stream.total_out);
    ::deflateEnd(&stream);
    return compressed;
}

std::string noise(std::size_t bytes) {
    std::mt19937 random(3);
    std::string content(bytes, '\0');
    std::ranges::generate(content, [&random] { return static_cast<char>(random()); });
    return content;
}

std::string smooth(std::size_t bytes) {
    std::string content(bytes, '\0');
    for (std::size_t i = 0; i + 2 <= bytes; i += 2) {
        const auto value = static_cast<std::int16_t>(2000 * std::sin(static_cast<double>(i) / 900));
        std::memcpy(content.data() + i, &value, 2);
    }
    return content;
}

// All of it, in pieces of a size.
std::expected<std::string, GzipError> content_of(int descriptor, std::size_t piece = 1 << 20) {
    GzipReader reader(descriptor);
    std::string content;
    std::string part(piece, '\0');
    while (true) {
        const auto count = reader.read(std::as_writable_bytes(std::span(part)));
        if (!count) {
            return std::unexpected(count.error());
        }
        content.append(part, 0, static_cast<std::size_t>(*count));
        CHECK(reader.position() == static_cast<std::int64_t>(content.size()));
        if (*count < static_cast<std::int64_t>(piece)) {
            return content;
        }
    }
}

std::expected<std::string, GzipError> content_of(const std::string& file) {
    return content_of(file_of(file).get());
}

GzipProblem problem_of(const std::string& file) {
    const auto content = content_of(file);
    REQUIRE_FALSE(content.has_value());
    return content.error().problem;
}

}  // namespace

TEST_CASE("what zlib compressed comes back, at every level and in pieces of any size") {
    const std::string content = smooth(3'000'001) + noise(1'200'000);
    for (const int level : {0, 1, 6, 9}) {
        const UniqueDescriptor file = file_of(member_of(content, level));
        for (const std::size_t piece :
             {std::size_t{997}, std::size_t{65536}, std::size_t{1} << 20, content.size()}) {
            CAPTURE(level);
            CAPTURE(piece);
            const auto read = content_of(file.get(), piece);
            REQUIRE(read.has_value());
            CHECK(*read == content);
        }
    }
}

TEST_CASE("members follow one another, wherever the read-ahead buffer ends between or within them") {
    // The second member begins from 40 bytes before to 40 bytes after the first MiB: its header with all fields, and the
    // first one's trailer, are cut at each of their bytes.
    std::string name = "volume.raw";
    std::string comment = "a comment";
    std::string extra = "extra field";
    gz_header header{};
    header.name = reinterpret_cast<Bytef*>(name.data());
    header.comment = reinterpret_cast<Bytef*>(comment.data());
    header.extra = reinterpret_cast<Bytef*>(extra.data());
    header.extra_len = static_cast<uInt>(extra.size());
    header.hcrc = 1;
    const std::string random = noise(1 << 20);
    const std::string second_content = smooth(100'000);
    const std::string second = member_of(second_content, 6, &header);
    const std::string third = member_of("");
    for (std::size_t shorter = 0; shorter < 500; shorter += shorter < 300 ? 50 : 1) {
        const std::string first_content = random.substr(0, random.size() - shorter);
        const std::string first = member_of(first_content, 0);
        const auto read = content_of(first + second + third + second);
        REQUIRE(read.has_value());
        CHECK(*read == first_content + second_content + second_content);
    }
}

TEST_CASE("a header with a wrong checksum of its own is damage") {
    gz_header header{};
    std::string name = "volume.raw";
    header.name = reinterpret_cast<Bytef*>(name.data());
    header.hcrc = 1;
    std::string file = member_of("content", 6, &header);
    CHECK(content_of(file).has_value());
    file[12] = 'X';
    CHECK(problem_of(file) == GzipProblem::damaged);
}

TEST_CASE("zeros after the last member are padding, anything else is damage") {
    const std::string member = member_of("content");
    CHECK(content_of(member + std::string(3'000'000, '\0')) == "content");
    CHECK(problem_of(member + "garbage") == GzipProblem::damaged);
    CHECK(problem_of(member + '\x1f') == GzipProblem::ends_early);
    CHECK(problem_of(member + std::string(3'000'000, '\0') + "x") == GzipProblem::damaged);
    CHECK(problem_of(member + std::string(1, '\0') + member) == GzipProblem::damaged);
}

TEST_CASE("what is not gzip is said to be so, with the byte") {
    for (const std::string& file : {std::string("\x93NUMPY"), std::string("\x1f\x9d compress(1)"),
                                    std::string("\x1f\x8b\x07 another method"), std::string(100, '\0')}) {
        CHECK(problem_of(file) == GzipProblem::not_gzip);
    }
    CHECK(problem_of("") == GzipProblem::ends_early);
    CHECK(content_of("no").error().compressed_offset == 0);
}

TEST_CASE("a file cut at any byte ends early") {
    const std::string member = member_of(smooth(2000));
    for (std::size_t length = 1; length < member.size(); ++length) {
        CAPTURE(length);
        const auto read = content_of(member.substr(0, length));
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().problem == GzipProblem::ends_early);
        CHECK(read.error().compressed_offset == static_cast<std::int64_t>(length));
    }
}

TEST_CASE("any changed bit of data or trailer is noticed, at or after its place") {
    const std::string member = member_of(smooth(2000));
    for (std::size_t byte = 10; byte < member.size(); ++byte) {
        CAPTURE(byte);
        std::string changed = member;
        changed[byte] = static_cast<char>(changed[byte] ^ 0x10);
        const auto read = content_of(changed);
        REQUIRE_FALSE(read.has_value());
        CHECK((read.error().problem == GzipProblem::damaged ||
               read.error().problem == GzipProblem::ends_early));
        CHECK(read.error().compressed_offset >= static_cast<std::int64_t>(byte));
    }
}

TEST_CASE("a wrong checksum shows at the latest when the end of the content is passed, and stays") {
    for (const std::size_t bytes : {std::size_t{7}, std::size_t{5'000'000}}) {
        std::string file = member_of(smooth(bytes));
        file[file.size() - 5] = static_cast<char>(file[file.size() - 5] ^ 1);
        const UniqueDescriptor descriptor = file_of(file);
        GzipReader reader(descriptor.get());
        std::vector<std::byte> content(bytes);
        if (const auto read = reader.read(content)) {
            CHECK(*read == static_cast<std::int64_t>(bytes));
        }
        for (int times = 0; times < 2; ++times) {
            const auto skipped = reader.skip(1);
            REQUIRE_FALSE(skipped.has_value());
            CHECK(skipped.error().problem == GzipProblem::damaged);
        }
        CHECK(reader.read(content).error().problem == GzipProblem::damaged);
    }
}

TEST_CASE("skipping and reading take turns") {
    const std::string content = smooth(2'000'000);
    const UniqueDescriptor file =
        file_of(member_of(content.substr(0, 777'777)) + member_of(content.substr(777'777)));
    GzipReader reader(file.get());
    CHECK(reader.skip(700'001) == 700'001);
    std::string part(1'000'000, '\0');
    CHECK(reader.read(std::as_writable_bytes(std::span(part))) == 1'000'000);
    CHECK(part == content.substr(700'001, 1'000'000));
    CHECK(reader.skip(std::int64_t{1} << 40) == 299'999);
    CHECK(reader.skip(1) == 0);
    CHECK(reader.read(std::as_writable_bytes(std::span(part))) == 0);
    CHECK(reader.position() == 2'000'000);
}

TEST_CASE("reading stops when it is told to, also in a file without content") {
    std::string file;
    const std::string empty = member_of("");
    while (file.size() < 5'000'000) {
        file += empty;
    }
    const UniqueDescriptor descriptor = file_of(file);
    int asked = 0;
    GzipReader reader(descriptor.get(), [&asked] { return ++asked < 3; });
    const auto skipped = reader.skip(1);
    REQUIRE_FALSE(skipped.has_value());
    CHECK(skipped.error().problem == GzipProblem::stopped);
    CHECK(asked == 3);
}

TEST_CASE("a descriptor that cannot be read says why") {
    const UniqueDescriptor directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto content = content_of(directory.get());
    REQUIRE_FALSE(content.has_value());
    CHECK(content.error().problem == GzipProblem::cannot_read);
    CHECK(content.error().code == EISDIR);
    CHECK(to_error(content.error(), "input 2").because == "Is a directory at byte 0");
}

TEST_CASE("a member of more than 4 GiB is read, over the edge of 32-bit counters") {
    // The content has a period of 16 MiB, whose compressed form after a flush is the same each time, except the first.
    constexpr std::size_t period_bytes = std::size_t{16} << 20;
    constexpr std::int64_t periods = 257;
    std::string period = smooth(period_bytes);
    const std::string random =
        noise(20'000);  // matches at a distance near the window's size, also over the edge
    for (std::size_t at = 0; at < period_bytes; at += random.size()) {
        std::copy_n(random.begin(), std::min(random.size(), period_bytes - at),
                    period.begin() + static_cast<std::ptrdiff_t>(at));
    }
    std::string compressed(period_bytes, '\0');
    z_stream stream{};
    REQUIRE(::deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    const auto next_period = [&] {
        stream.next_in = reinterpret_cast<Bytef*>(period.data());
        stream.avail_in = static_cast<uInt>(period.size());
        stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
        stream.avail_out = static_cast<uInt>(compressed.size());
        REQUIRE(::deflate(&stream, Z_SYNC_FLUSH) == Z_OK);
        return compressed.substr(0, compressed.size() - stream.avail_out);
    };
    std::string file = next_period();
    next_period();
    const std::string repeated = next_period();
    ::deflateEnd(&stream);
    uLong checksum =
        ::crc32(0, reinterpret_cast<const Bytef*>(period.data()), static_cast<uInt>(period_bytes));
    const uLong one = checksum;
    for (std::int64_t i = 1; i < periods; ++i) {
        file += repeated;
        checksum = ::crc32_combine(checksum, one, static_cast<z_off_t>(period_bytes));
    }
    file += std::string("\x03\x00", 2);  // an empty last block
    const auto length = static_cast<std::uint32_t>(periods * std::int64_t{period_bytes});
    for (const auto value : {static_cast<std::uint32_t>(checksum), length}) {
        for (unsigned i = 0; i < 4; ++i) {
            file += static_cast<char>(value >> (8 * i));
        }
    }
    const UniqueDescriptor descriptor = file_of(file);
    GzipReader reader(descriptor.get());
    std::string part(period_bytes, '\0');
    for (std::int64_t i = 0; i < periods; ++i) {
        REQUIRE(reader.read(std::as_writable_bytes(std::span(part))) == std::int64_t{period_bytes});
        REQUIRE((part == period));
    }
    CHECK(reader.skip(1) == 0);
    CHECK(reader.position() == periods * std::int64_t{period_bytes});
}
