#include "daemon/journal/checksum.hpp"
#include "daemon/journal/journal_file.hpp"
#include "daemon/journal/journal_frame.hpp"
#include "tests/part/daemon/journal_under_test.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <random>
#include <sys/resource.h>

using namespace slab;
using namespace slab::daemon;
using namespace slab::test;

namespace {

const Records five{R"({"record":"ids","next":3})", R"({"record":"submitted","job":3})",
                   R"({"record":"submitted","job":41,"kernel":"zoom"})", R"({"record":"ended","job":3})",
                   R"({"record":"ended","job":41})"};

std::string bytes_of_journal(const Records& records) {
    std::string bytes = file_head();
    for (std::size_t i = 0; i < records.size(); ++i) {
        append_frame(bytes, i + 1, records[i]);
    }
    return bytes;
}

// Where each frame begins, and the end.
std::vector<std::size_t> borders_of(const Records& records) {
    std::vector<std::size_t> borders{16};
    for (const std::string& record : records) {
        borders.push_back(borders.back() + 16 + (record.size() + 7) / 8 * 8);
    }
    return borders;
}

Expected<JournalContents> read_bytes(const JournalFolder& folder, const std::string& bytes) {
    const std::string path = folder.files.write("journal", bytes);
    const UniqueDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return read_journal(file.get());
}

// No file of this process may grow beyond so many bytes, as on a full disk.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(std::int64_t bytes) {
        ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{static_cast<rlim_t>(bytes), before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

  private:
    rlimit before_{};
};

}  // namespace

TEST_CASE("the checksum is CRC-32C") {
    CHECK(crc32c("123456789") == 0xe3069283);            // the check value of the catalogue of CRCs
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);  // RFC 3720, B.4
    CHECK(crc32c("6789", crc32c("12345")) == 0xe3069283);
}

TEST_CASE("frames of every length up to some sizes are read back as they were written") {
    for (const std::size_t length : {1, 7, 8, 9, 511, 512, 100'000, 1 << 20}) {
        CAPTURE(length);
        const std::string payload(length, 'x');
        std::string bytes;
        append_frame(bytes, 12, payload);
        CHECK(bytes.size() % 8 == 0);
        const std::string with_more = bytes + "next";
        const ParsedFrame frame = parse_frame(with_more);
        REQUIRE(frame.state == FrameState::whole);
        CHECK(frame.payload == payload);
        CHECK(frame.sequence == 12);
        CHECK(frame.bytes == bytes.size());
    }
}

TEST_CASE("what was appended is there after reopening, in order, also over a rewrite") {
    const JournalFolder folder;
    {
        OpenedJournal journal = folder.open();
        CHECK(journal.contents.records.empty());
        CHECK_FALSE(journal.contents.damage);
        CHECK(journal.writer.append(std::span(five).first(2)) == 0);
        CHECK(journal.writer.append(std::span(five).subspan(2)) == 0);
    }
    CHECK(folder.records() == five);
    {
        OpenedJournal journal = folder.open();
        CHECK(journal.contents.next_sequence == 6);
        CHECK(journal.writer.rewrite(std::span(five).first(1)) == 0);
        CHECK(journal.writer.append(std::span(five).subspan(1, 1)) == 0);
    }
    CHECK(folder.records() == Records{five[0], five[1]});
    CHECK(folder.files.file_count() == 1);
}

TEST_CASE("a journal that ends at any byte is a good prefix, and goes on from there") {
    const JournalFolder folder;
    const std::string whole = bytes_of_journal(five);
    const auto borders = borders_of(five);
    REQUIRE(borders.back() == whole.size());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        const auto contents = read_bytes(folder, whole.substr(0, size));
        REQUIRE(contents.has_value());
        const auto past = std::ranges::upper_bound(borders, size);
        const auto expected = static_cast<std::size_t>(std::max(past - borders.begin(), 1L)) - 1;
        REQUIRE(contents->records.size() == expected);
        CHECK(is_prefix(contents->records, five));
        CHECK(contents->good_bytes + contents->lost_bytes == static_cast<std::int64_t>(size));
        CHECK(contents->damage.has_value() == (contents->lost_bytes > 0));
        if (contents->damage) {
            CHECK(contents->damage->kind == DamageKind::torn);
        }

        CHECK(folder.open().writer.append(std::span(five).last(1)) == 0);
        Records continued(five.begin(), five.begin() + static_cast<long>(expected));
        continued.push_back(five.back());
        CHECK(folder.records() == continued);
        CHECK(folder.files.file_count() == 1);
    }
}

TEST_CASE("one flipped bit never makes a wrong record, and what it costs is told") {
    const JournalFolder folder;
    const std::string whole = bytes_of_journal(five);
    const auto borders = borders_of(five);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        CAPTURE(bit);
        std::string bytes = whole;
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
        const auto contents = read_bytes(folder, bytes);
        if (bit / 8 < 8) {
            CHECK_FALSE(contents.has_value());
            continue;
        }
        REQUIRE(contents.has_value());
        REQUIRE(is_prefix(contents->records, five));
        if (bit / 8 < 16) {
            CHECK(contents->records == five);
            CHECK(contents->damage->kind == DamageKind::damaged);
        } else if (contents->records != five) {
            REQUIRE(contents->damage);
            const bool length_of_last = bit / 8 - borders[4] < 4;
            CHECK((contents->damage->kind == DamageKind::damaged || length_of_last));
            CHECK(contents->records.size() + 1 + contents->damage->later_records.size() == five.size());
        } else {
            CHECK(whole[bit / 8] == '\0');  // padding
        }
    }
}

TEST_CASE("bytes overwritten at random leave a prefix") {
    const JournalFolder folder;
    const std::string whole = bytes_of_journal(five);
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
        CAPTURE(round);
        std::string bytes = whole;
        const std::size_t first = 16 + random() % (bytes.size() - 16);
        const std::size_t last = first + random() % (bytes.size() - first);
        std::generate(bytes.begin() + static_cast<long>(first), bytes.begin() + static_cast<long>(last),
                      [&random] { return static_cast<char>(random() % 4 == 0 ? random() : 0); });
        const auto contents = read_bytes(folder, bytes);
        REQUIRE(contents.has_value());
        CHECK(is_prefix(contents->records, five));
    }
}

TEST_CASE("sectors at the end that were never written are a torn end, not damage") {
    const JournalFolder folder;
    Records records = five;
    records.push_back("\"" + std::string(3000, 'x') + "\"");
    const std::string whole = bytes_of_journal(records);
    for (const std::size_t from :
         {std::size_t{512}, std::size_t{1024}, std::size_t{3072}, borders_of(five).back()}) {
        CAPTURE(from);
        std::string bytes = whole.substr(0, from);
        bytes.resize(whole.size(), '\0');
        const auto contents = read_bytes(folder, bytes);
        REQUIRE(contents.has_value());
        CHECK(contents->records == five);
        CHECK(contents->damage->kind == DamageKind::torn);
    }
    const auto contents = read_bytes(folder, bytes_of_journal(five) + std::string(4096, '\0'));
    CHECK(contents->records == five);
    CHECK(contents->damage->kind == DamageKind::torn);
}

TEST_CASE("a damaged journal is kept aside, and the report names what is not used") {
    const JournalFolder folder;
    std::string bytes = bytes_of_journal(five);
    bytes[borders_of(five)[1] + 20] ^= 1;
    folder.files.write("journal", bytes);
    const OpenedJournal journal = folder.open();
    CHECK(journal.contents.records == Records{five[0]});
    REQUIRE(journal.damaged_copy.starts_with("journal.damaged-"));
    CHECK(folder.files.read(journal.damaged_copy) == bytes);
    CHECK(folder.files.read("journal") == bytes.substr(0, borders_of(five)[1]));
    REQUIRE(journal.contents.damage);
    CHECK(journal.contents.damage->later_records == std::vector<std::uint64_t>{3, 4, 5});
    CHECK(journal.contents.damage->later_jobs == std::vector<JobId>{3, 41});
    const Error report = damage_report(*journal.contents.damage, journal.damaged_copy);
    CHECK(report.because.find("3, 4, 5") != std::string::npos);
    CHECK(report.because.find("jobs 3, 41") != std::string::npos);
    CHECK(report.remedy.find(journal.damaged_copy) != std::string::npos);
    CHECK_FALSE(folder.open().contents.damage);
}

TEST_CASE("two damaged journals within a second are both kept") {
    const JournalFolder folder;
    for (int round = 0; round < 2; ++round) {
        std::string bytes = bytes_of_journal(five);
        bytes[40] ^= 1;
        folder.files.write("journal", bytes);
        folder.open();
    }
    CHECK(folder.files.file_count() == 3);
}

TEST_CASE("a damaged head costs no record") {
    const JournalFolder folder;
    std::string bytes = bytes_of_journal(five);
    bytes[9] ^= 4;
    folder.files.write("journal", bytes);
    const OpenedJournal journal = folder.open();
    CHECK(journal.contents.records == five);
    CHECK(folder.files.read(journal.damaged_copy) == bytes);
    CHECK(folder.records() == five);
    CHECK(folder.files.file_count() == 2);
}

TEST_CASE("another version's journal, and a file that is none, are left as they are") {
    const JournalFolder folder;
    std::string newer = bytes_of_journal(five);
    newer[8] = 2;
    const std::uint32_t checksum = crc32c(newer.substr(0, 12));
    std::memcpy(newer.data() + 12, &checksum, sizeof(checksum));
    for (const std::string& bytes :
         {newer, std::string("a letter to mother, rather long"), std::string("abc")}) {
        folder.files.write("journal", bytes);
        const auto opened = open_journal(folder.descriptor.get());
        REQUIRE_FALSE(opened.has_value());
        CHECK_FALSE(opened.error().what.empty());
        CHECK(opened.error().remedy.find("mv '") != std::string::npos);
        CHECK(folder.files.read("journal") == bytes);
        CHECK(folder.files.file_count() == 1);
    }
}

TEST_CASE("a new file that was not finished is removed") {
    const JournalFolder folder;
    CHECK(folder.open().writer.append(five) == 0);
    folder.files.write("journal.new", "half");
    CHECK(folder.records() == five);
    CHECK(folder.files.file_count() == 1);
}

TEST_CASE("after a failed write nothing is taken for written until a rewrite succeeded") {
    const JournalFolder folder;
    OpenedJournal journal = folder.open();
    REQUIRE(journal.writer.append(std::span(five).first(1)) == 0);
    {
        const FileSizeLimit full(journal.writer.bytes() + 100);
        CHECK(journal.writer.append(Records{std::string(5000, 'x')}) == EFBIG);
        CHECK(journal.writer.append(std::span(five).first(1)) == EFBIG);
        CHECK(journal.writer.rewrite(Records{std::string(5000, 'x')}) == EFBIG);
        CHECK_FALSE(std::filesystem::exists(folder.files / "journal.new"));
    }
    CHECK(journal.writer.append(std::span(five).first(1)) == EFBIG);
    CHECK(journal.writer.rewrite(std::span(five).first(3)) == 0);
    CHECK(journal.writer.append(std::span(five).subspan(3)) == 0);
    CHECK(folder.records() == five);
}

TEST_CASE("a rewrite that fails leaves a writer that can still append") {
    const JournalFolder folder;
    OpenedJournal journal = folder.open();
    REQUIRE(journal.writer.append(std::span(five).first(4)) == 0);
    {
        const FileSizeLimit full(journal.writer.bytes() + 1000);
        CHECK(journal.writer.rewrite(Records{std::string(5000, 'x')}) == EFBIG);
        CHECK(journal.writer.append(std::span(five).last(1)) == 0);
    }
    CHECK(folder.records() == five);
}

TEST_CASE("a record that is too long is refused and harms nothing") {
    const JournalFolder folder;
    OpenedJournal journal = folder.open();
    CHECK(journal.writer.append(Records{std::string(longest_payload + 1, 'x')}) == EMSGSIZE);
    CHECK(journal.writer.append(Records{""}) == EMSGSIZE);
    CHECK(journal.writer.append(five) == 0);
    CHECK(folder.records() == five);
}

// For test_write_replay.py: after each call that succeeded, the time and the records that are then on disk.
TEST_SUITE("recorded life") {
    TEST_CASE("a journal lives while every write is recorded" * doctest::skip()) {
        const char* const path = std::getenv("SLABD_JOURNAL_DIR");
        REQUIRE(path != nullptr);
        const UniqueDescriptor folder(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        Records confirmed;
        const auto tell = [&confirmed] {
            timespec now{};
            ::clock_gettime(CLOCK_MONOTONIC, &now);
            std::printf("confirmed %lld", static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
            for (const std::string& record : confirmed) {
                std::printf(" %s", record.c_str());
            }
            std::printf("\n");
        };
        std::mt19937 random(11);
        for (int life = 0; life < 3; ++life) {
            auto journal = open_journal(folder.get());
            REQUIRE(journal.has_value());
            REQUIRE(journal->contents.records == confirmed);
            for (int i = 0; i < 10; ++i) {
                Records records;
                for (std::size_t count = 1 + random() % 4; count > 0; --count) {
                    records.emplace_back(1 + random() % 700, static_cast<char>('a' + random() % 26));
                }
                if (random() % 4 == 0) {
                    REQUIRE(journal->writer.rewrite(records) == 0);
                    confirmed = records;
                } else {
                    REQUIRE(journal->writer.append(records) == 0);
                    confirmed.insert(confirmed.end(), records.begin(), records.end());
                }
                tell();
            }
        }
    }
}
