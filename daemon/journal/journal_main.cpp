#include "daemon/journal/journal_main.hpp"

#include "common/pausing/pause_point.hpp"
#include "common/protocol/packet.hpp"
#include "daemon/journal/journal_file.hpp"
#include "daemon/journal/journal_frame.hpp"
#include "daemon/journal/journal_messages.hpp"
#include "daemon/journal/journal_orders.hpp"
#include "daemon/process/plain_record.hpp"

#include <cerrno>
#include <deque>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace slab::daemon {
namespace {

class JournalProcess {
  public:
    JournalProcess(int folder, int socket) : folder_(folder), socket_(socket) {}

    void serve() {
        report(0, open_if_needed());
        while (!closed_ || !orders_.empty()) {
            take_orders();
            while (!orders_.empty()) {
                carry_out_next();
            }
        }
    }

  private:
    // Waits for one order, then takes those behind it that are there already.
    void take_orders() {
        pollfd wait{socket_, POLLIN, 0};
        ::poll(&wait, 1, -1);
        // Only a bound on memory: what a socket holds is far less, but orders may have memfds.
        constexpr std::size_t most_records_at_once = 256;
        while (orders_.size() < most_records_at_once &&
               ::recv(socket_, nullptr, 0, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC) >= 0) {
            Packet packet;
            if (receive_packet(socket_, packet) != Transfer::moved) {
                closed_ = true;
                return;
            }
            orders_.push_back(receive_order(packet));
            if (const ReceivedOrder& last = orders_.back();
                last.order.kind == JournalOrderKind::append && last.error_number == 0 &&
                (last.records.front().empty() || last.records.front().size() > longest_payload)) {
                orders_.back().error_number = EMSGSIZE;  // on its own, not with those it is written with
            }
        }
    }

    void carry_out_next() {
        const ReceivedOrder& next = orders_.front();
        if (next.error_number != 0) {
            answer(1, next.error_number);
        } else if (next.order.kind == JournalOrderKind::rewrite) {
            int error = open_if_needed();
            if (error == 0) {
                error = journal_->rewrite(next.records);
            }
            answer(1, error);
        } else {
            append_waiting();
        }
    }

    void append_waiting() {
        std::vector<std::string> records;
        for (ReceivedOrder& order : orders_) {
            if (order.error_number != 0 || order.order.kind != JournalOrderKind::append) {
                break;
            }
            records.push_back(std::move(order.records.front()));
        }
        int error = open_if_needed();
        if (error == 0) {
            error = journal_->append(records);
        }
        answer(records.size(), error);
    }

    void answer(std::size_t count, int error) {
        pause_point("journal-before-report");
        for (std::size_t i = 0; i < count; ++i) {
            report(orders_.front().order.ticket, error);
            orders_.pop_front();
        }
    }

    void report(std::uint64_t ticket, int error) {
        const JournalReport words{ticket, error};
        if (send_packet(socket_, bytes_of(words)) != Transfer::moved) {
            closed_ = true;
        }
    }

    // A full disk at the start may have been emptied by the next order.
    int open_if_needed() {
        if (!journal_) {
            auto opened = open_journal(folder_);
            if (!opened) {
                return journal_not_open;
            }
            journal_ = std::move(opened->writer);
        }
        return 0;
    }

    int folder_, socket_;
    std::optional<JournalWriter> journal_;
    std::deque<ReceivedOrder> orders_;
    bool closed_ = false;
};

}  // namespace

void run_journal(UniqueDescriptor folder, UniqueDescriptor supervisor) {
    JournalProcess(folder.get(), supervisor.get()).serve();
}

}  // namespace slab::daemon
