#pragma once

#include "daemon/journal/journal_replay.hpp"
#include "daemon/supervisor/child_process.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace slab::daemon {

// The supervisor's side of the journal: gives records to the child that writes them, and tells when they are on disk.
// Without a folder (the embedded instance, a folder that cannot be written) nothing is kept and everything is told at
// once, as not durable.
class JournalKeeper {
  public:
    enum class Kept : std::uint8_t { on_disk, not_kept };
    using Then = std::function<void(Kept)>;

    // `known`: what the journal held at the start. It is written anew, with at most `history` ended jobs.
    JournalKeeper(ChildSpawner& spawner, UniqueDescriptor folder, ReplayedJournal known, int history);

    void start();
    void stop();
    bool is_there() const { return static_cast<bool>(folder_); }

    // In the order of the calls. `then` is called when the record is on disk, or at once when nothing is kept.
    void append(const Json& record, Then then = {});

    void set_history(int history) { history_ = history; }
    pid_t pid() const { return child_ ? child_->pid() : -1; }

  private:
    struct Waiting {
        std::uint64_t ticket = 0;
        std::string record;  // empty: a rewrite
        Then then;
    };

    void spawn();
    void send(const Waiting& waiting);
    void reported(Packet&& packet);
    void died(const std::string& how);
    void rewrite();
    std::vector<std::string> snapshot() const;

    ChildSpawner& spawner_;
    UniqueDescriptor folder_;
    ReplayedJournal known_;
    int history_;
    std::shared_ptr<ChildProcess> child_;
    std::deque<Waiting> waiting_;
    std::uint64_t next_ticket_ = 1;
    std::size_t since_rewrite_ = 0;
    std::size_t bytes_since_rewrite_ = 0;
    int quick_deaths_ = 0;
    bool failing_ = false;
    bool stopping_ = false;
};

}  // namespace slab::daemon
