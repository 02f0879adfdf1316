#include "daemon/supervisor/journal_keeper.hpp"

#include "common/errors/error.hpp"
#include "daemon/journal/journal_messages.hpp"
#include "daemon/journal/journal_orders.hpp"
#include "daemon/process/plain_record.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace slab::daemon {
namespace {

constexpr std::size_t records_between_rewrites = 4000;
constexpr std::size_t bytes_between_rewrites = std::size_t{64} << 20;  // jobs may bring tables of megabytes
constexpr int most_quick_deaths = 5;

}  // namespace

JournalKeeper::JournalKeeper(ChildSpawner& spawner, UniqueDescriptor folder, ReplayedJournal known,
                             int history)
    : spawner_(spawner), folder_(std::move(folder)), known_(std::move(known)), history_(history) {}

void JournalKeeper::start() {
    if (folder_) {
        spawn();
        rewrite();
    }
}

void JournalKeeper::stop() {
    stopping_ = true;
    if (child_) {
        child_->channel().close();  // it ends when it has written what it was given
    }
}

void JournalKeeper::spawn() {
    child_ = spawner_.spawn({.kind = ChildKind::journal});
    if (!child_) {
        died("it could not be forked");
        return;
    }
    child_->start([this](Packet&& packet) { reported(std::move(packet)); },
                  [this](const std::string& how) { died(how); });
    const int folder = folder_.get();
    child_->channel().send_plain("folder", {&folder, 1});
}

void JournalKeeper::append(const Json& record, Then then) {
    std::string text = record.dump(-1, ' ', false, Json::error_handler_t::replace);
    apply_record(known_, text);  // what is known follows the records: a rewrite can be made at any time
    if (!folder_ || stopping_) {
        if (then) {
            then(Kept::not_kept);
        }
        return;
    }
    bytes_since_rewrite_ += text.size();
    waiting_.push_back({next_ticket_++, std::move(text), std::move(then)});
    send(waiting_.back());
    if (bytes_since_rewrite_ > bytes_between_rewrites ||
        ++since_rewrite_ > records_between_rewrites + static_cast<std::size_t>(history_)) {
        rewrite();
    }
}

std::vector<std::string> JournalKeeper::snapshot() const {
    return compacted(known_.jobs, known_.next_id, static_cast<std::size_t>(history_));
}

void JournalKeeper::rewrite() {
    since_rewrite_ = bytes_since_rewrite_ = 0;
    const std::vector<std::string> kept = snapshot();
    known_ = replay(kept);
    waiting_.push_back({next_ticket_++, {}, {}});
    send(waiting_.back());
}

void JournalKeeper::send(const Waiting& waiting) {
    if (!child_) {
        return;
    }
    auto order = waiting.record.empty() ? rewrite_order(waiting.ticket, snapshot())
                                        : append_order(waiting.ticket, waiting.record);
    if (!order) {
        spdlog::error("journal: no memory for an order: {}", errno_text(order.error()));
        child_->kill();  // its successor is sent everything again
        return;
    }
    child_->channel().send(std::move(order->bytes), std::move(order->descriptors));
}

void JournalKeeper::reported(Packet&& packet) {
    const auto report = record_of<JournalReport>(packet.bytes);
    if (report.ticket == 0) {
        if (report.error_number != 0) {
            spdlog::error("the journal cannot be opened: {}; jobs will not survive a restart",
                          errno_text(report.error_number));
        }
        return;
    }
    quick_deaths_ = 0;
    const auto found = std::ranges::find(waiting_, report.ticket, &Waiting::ticket);
    if (found == waiting_.end()) {
        return;
    }
    const Waiting answered = std::move(*found);
    waiting_.erase(found);
    if (report.error_number != 0 && !failing_) {
        spdlog::error("the journal cannot be written: {}; jobs will not survive a restart until it can",
                      errno_text(report.error_number));
        failing_ = true;
        rewrite();  // the only way back after a failed sync
    } else if (report.error_number != 0 && answered.record.empty()) {
        failing_ = false;  // the next failure tries again
    } else if (report.error_number == 0 && answered.record.empty() && failing_) {
        spdlog::info("the journal can be written again");
        failing_ = false;
    }
    if (answered.then) {
        answered.then(report.error_number == 0 ? Kept::on_disk : Kept::not_kept);
    }
}

void JournalKeeper::died(const std::string& how) {
    child_.reset();
    if (stopping_) {
        return;
    }
    spdlog::warn("journal died: {}", how);
    if (++quick_deaths_ > most_quick_deaths) {
        spdlog::error("the journal dies again and again: jobs will not survive a restart");
        folder_.reset();
        for (const Waiting& waiting : std::exchange(waiting_, {})) {
            if (waiting.then) {
                waiting.then(Kept::not_kept);
            }
        }
        return;
    }
    // What it had written and not reported is written twice, which says nothing new.
    spawn();
    for (const Waiting& waiting : waiting_) {
        send(waiting);
    }
}

}  // namespace slab::daemon
