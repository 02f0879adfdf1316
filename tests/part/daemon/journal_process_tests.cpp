#include "common/protocol/message.hpp"
#include "common/recording/write_recording.hpp"
#include "daemon/journal/journal_frame.hpp"
#include "daemon/journal/journal_main.hpp"
#include "daemon/journal/journal_orders.hpp"
#include "daemon/process/plain_record.hpp"
#include "tests/part/daemon/journal_under_test.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

using namespace slab;
using namespace slab::daemon;
using namespace slab::test;

namespace {

// A journal process on a folder, and the supervisor's end of its socket.
class JournalChild {
  public:
    explicit JournalChild(const JournalFolder& folder) {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        socket_.reset(ends[0]);
        UniqueDescriptor far(ends[1]);
        pid_ = ::fork();
        if (pid_ == 0) {
            socket_.reset();
            run_journal(UniqueDescriptor(::dup(folder.descriptor.get())), std::move(far));
            std::_Exit(EXIT_SUCCESS);
        }
        REQUIRE(pid_ > 0);
    }
    JournalChild(const JournalChild&) = delete;
    JournalChild& operator=(const JournalChild&) = delete;
    ~JournalChild() { kill(); }

    pid_t pid() const { return pid_; }

    void append(std::uint64_t ticket, std::string_view record) { send(append_order(ticket, record).value()); }
    void rewrite(std::uint64_t ticket, const Records& records) {
        send(rewrite_order(ticket, records).value());
    }
    void send(const OutgoingPacket& packet) {
        REQUIRE(send_packet(socket_.get(), packet) == Transfer::moved);
    }

    JournalReport report() {
        pollfd wait{socket_.get(), POLLIN, 0};
        REQUIRE(::poll(&wait, 1, 60'000) == 1);
        Packet packet;
        REQUIRE(receive_packet(socket_.get(), packet) == Transfer::moved);
        return record_of<JournalReport>(packet.bytes);
    }
    // Of a process that has ended.
    std::vector<JournalReport> remaining_reports() {
        std::vector<JournalReport> reports;
        for (Packet packet; receive_packet(socket_.get(), packet) == Transfer::moved;) {
            reports.push_back(record_of<JournalReport>(packet.bytes));
        }
        return reports;
    }

    void wait_until_stopped() const {
        int status = 0;
        REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
        REQUIRE(WIFSTOPPED(status));
    }
    void go_on() const { ::kill(pid_, SIGCONT); }
    void kill() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(std::exchange(pid_, -1), nullptr, 0);
        }
    }
    int close_and_wait() {
        socket_.reset();
        int status = -1;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return status;
    }

  private:
    UniqueDescriptor socket_;
    pid_t pid_ = -1;
};

void arm(const std::string& point) {
    std::ofstream(std::string(std::getenv("SLABD_PAUSE_DIR")) + "/" + point + ".armed") << "";
}

void disarm(const std::string& point) {
    std::filesystem::remove(std::string(std::getenv("SLABD_PAUSE_DIR")) + "/" + point + ".armed");
}

std::string record(int number) {
    return fmt::format(R"({{"record":"submitted","job":{}}})", number);
}

// How many frames of each kind a process has recorded.
int recorded(pid_t pid, RecordedKind kind) {
    std::ifstream log(fmt::format("{}/{}.log", std::getenv("SLABD_RECORD_DIR"), pid), std::ios::binary);
    int count = 0;
    RecordedFrame frame{};
    while (log.read(reinterpret_cast<char*>(&frame), sizeof(frame))) {
        count += frame.kind == static_cast<std::uint32_t>(kind) ? 1 : 0;
        log.ignore(frame.name_bytes + (frame.kind == 1 ? frame.length : 0));
    }
    return count;
}

}  // namespace

TEST_CASE("the journal process answers each order once it is on disk, and ends with its supervisor") {
    const JournalFolder folder;
    JournalChild child(folder);
    const JournalReport ready = child.report();
    CHECK(ready.ticket == 0);
    CHECK(ready.error_number == 0);
    Records sent;
    for (int i = 1; i <= 20; ++i) {
        sent.push_back(record(i));
        child.append(static_cast<std::uint64_t>(i), sent.back());
        const JournalReport report = child.report();
        CHECK(report.ticket == static_cast<std::uint64_t>(i));
        CHECK(report.error_number == 0);
    }
    child.append(21, record(21));  // not waited for
    sent.push_back(record(21));
    CHECK(child.close_and_wait() == 0);
    CHECK(folder.records() == sent);
}

TEST_CASE("orders that wait together cost one write and one sync") {
    const JournalFolder folder;
    JournalChild child(folder);
    child.report();
    arm("journal-before-report");
    child.append(1, record(1));
    child.wait_until_stopped();
    const int syncs = recorded(child.pid(), RecordedKind::sync);
    const int writes = recorded(child.pid(), RecordedKind::write);
    Records sent{record(1)};
    for (int i = 2; i <= 51; ++i) {
        sent.push_back(record(i));
        child.append(static_cast<std::uint64_t>(i), sent.back());
    }
    child.go_on();
    for (std::uint64_t ticket = 1; ticket <= 51; ++ticket) {
        const JournalReport report = child.report();
        CHECK(report.ticket == ticket);
        CHECK(report.error_number == 0);
    }
    CHECK(recorded(child.pid(), RecordedKind::sync) == syncs + 1);
    CHECK(recorded(child.pid(), RecordedKind::write) == writes + 1);
    child.kill();
    CHECK(folder.records() == sent);
}

TEST_CASE("large records and rewrites come in memory, between appends, in order") {
    const JournalFolder folder;
    JournalChild child(folder);
    child.report();
    const std::string large = "\"" + std::string(900'000, 'l') + "\"";
    const std::string medium = "\"" + std::string(longest_record_in_packet - 2, 'm') + "\"";
    child.append(1, record(1));
    child.rewrite(2, {record(7), large});
    child.append(3, large);
    child.append(4, medium);
    child.rewrite(5, {});
    child.append(6, medium);
    child.append(7, record(2));
    for (std::uint64_t ticket = 1; ticket <= 7; ++ticket) {
        const JournalReport report = child.report();
        CHECK(report.ticket == ticket);
        CHECK(report.error_number == 0);
    }
    child.kill();
    CHECK(folder.records() == Records{medium, record(2)});
}

TEST_CASE("an order that makes no sense concerns nobody else") {
    const JournalFolder folder;
    JournalChild child(folder);
    child.report();
    arm("journal-before-report");
    child.append(1, record(1));
    child.wait_until_stopped();
    child.append(2, record(2));
    child.append(3, std::string(longest_payload + 1, 'x'));
    const JournalOrder no_memory{JournalOrderKind::rewrite, 1, 4};
    child.send({std::string(bytes_of(no_memory)), {}});
    child.append(5, record(5));
    child.go_on();
    CHECK(child.report().error_number == 0);
    CHECK(child.report().error_number == 0);
    CHECK(child.report().error_number == EMSGSIZE);
    CHECK(child.report().error_number == EBADMSG);
    CHECK(child.report().error_number == 0);
    child.kill();
    CHECK(folder.records() == Records{record(1), record(2), record(5)});
}

TEST_CASE("what was confirmed is there after the journal process was killed at any point") {
    for (const std::string point : {"journal-before-write", "journal-before-sync", "journal-before-report"}) {
        CAPTURE(point);
        const JournalFolder folder;
        JournalChild child(folder);
        child.report();
        Records sent;
        for (int i = 1; i <= 3; ++i) {
            sent.push_back(record(i));
            child.append(static_cast<std::uint64_t>(i), sent.back());
            REQUIRE(child.report().error_number == 0);
        }
        arm(point);
        for (int i = 4; i <= 6; ++i) {
            sent.push_back(record(i));
            child.append(static_cast<std::uint64_t>(i), sent.back());
        }
        child.wait_until_stopped();
        child.kill();
        const std::size_t confirmed = 3 + child.remaining_reports().size();

        const Records found = folder.records();
        CHECK(found.size() >= confirmed);
        CHECK(is_prefix(found, sent));

        JournalChild next(folder);
        REQUIRE(next.report().error_number == 0);
        next.append(1, record(99));
        REQUIRE(next.report().error_number == 0);
        next.kill();
        Records continued = found;
        continued.push_back(record(99));
        CHECK(folder.records() == continued);
    }
}

TEST_CASE("a rewrite that is killed at any point leaves all of the old records or all of the new") {
    for (const std::string point :
         {"journal-before-write", "journal-before-rename", "journal-before-report"}) {
        CAPTURE(point);
        const JournalFolder folder;
        JournalChild child(folder);
        child.report();
        child.append(1, record(1));
        child.append(2, record(2));
        child.report();
        child.report();
        arm(point);
        child.rewrite(3, {record(8), record(9)});
        child.wait_until_stopped();
        child.kill();
        CHECK(child.remaining_reports().empty());
        const bool is_new = point == "journal-before-report";
        CHECK(folder.records() == (is_new ? Records{record(8), record(9)} : Records{record(1), record(2)}));
        CHECK(folder.files.file_count() == 1);
        disarm(point);
    }
}

TEST_CASE("a journal of another version is not written, and every order is told so") {
    const JournalFolder folder;
    folder.files.write("journal", "something that somebody may still want");
    JournalChild child(folder);
    CHECK(child.report().error_number == journal_not_open);
    child.append(1, record(1));
    CHECK(child.report().error_number == journal_not_open);
    child.rewrite(2, {record(1)});
    CHECK(child.report().error_number == journal_not_open);
    CHECK(folder.files.read("journal") == "something that somebody may still want");
    std::filesystem::remove(folder.files / "journal");
    child.append(3, record(3));
    CHECK(child.report().error_number == 0);
    child.kill();
    CHECK(folder.records() == Records{record(3)});
}
