#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace slab {

// Packs with gzip what somebody writes into a pipe, on all CPUs that this process may use (8 at most): each MiB is a member
// of its own (RFC 1952, section 2.2), which every reader of gzip files takes for one stream.
//
// A thread reads a block, packs it, and writes it when all blocks before are written. What is written when packing fails, or
// is given up, is a part.
class GzipOutput {
  public:
    // The packed bytes go to `sink`, from its position on; it stays the caller's and open until this has ended. `name` is for
    // errors.
    static Expected<std::unique_ptr<GzipOutput>> start(int sink, const std::string& name);

    GzipOutput(const GzipOutput&) = delete;
    GzipOutput& operator=(const GzipOutput&) = delete;
    ~GzipOutput();  // gives up what is not finished, whoever still holds the pipe

    // The pipe's end for the writer, who may hold copies of it.
    int descriptor() const { return entrance_.get(); }

    // Closes this process's descriptor, and returns when the other copies are closed and everything is written.
    Expected<void> finish();

    // Why packing has ended early: the writer has seen a broken pipe then.
    std::optional<Error> failure() const;

  private:
    struct Block;

    GzipOutput(int sink, std::string name) : sink_(sink), name_(std::move(name)) {}

    void pack_blocks();
    bool read_block(Block& block);
    void write_block(const Block& block);
    bool wait_for(int descriptor, short events) const;
    void fail(std::string what, std::string because);
    void stop();

    int sink_;
    std::string name_;
    UniqueDescriptor entrance_;
    UniqueDescriptor exit_;
    UniqueDescriptor stop_event_;

    std::mutex reading_;  // held by the one thread that reads
    bool has_ended_ = false;
    std::uint64_t next_read_ = 0;

    mutable std::mutex writing_;
    std::condition_variable turn_;
    std::uint64_t next_written_ = 0;
    std::optional<Error> failure_;
    std::atomic<bool> is_stopped_ = false;

    std::atomic<std::size_t> running_ = 0;  // the last one closes exit_
    std::vector<std::jthread> threads_;
};

}  // namespace slab
