#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"
#include "daemon/journal/journal_contents.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace slab::daemon {

// The open journal of a folder. One process at a time may have one: the supervisor before it starts the journal's
// child, then the child. The folder's descriptor stays the caller's and must outlive the writer.
class JournalWriter {
  public:
    JournalWriter(int folder, UniqueDescriptor file, std::int64_t end, std::uint64_t next_sequence)
        : folder_(folder), file_(std::move(file)), end_(end), next_sequence_(next_sequence) {}

    // One pwrite and one fdatasync for all of them. 0: they are on disk. Otherwise an errno, and none of them may be
    // taken for written: after a failed sync the kernel drops the pages and calls the next sync a success, so that
    // every append fails with that errno until a rewrite has succeeded.
    // EMSGSIZE: a record is empty or above longest_payload; nothing was written, and the writer is as it was.
    int append(std::span<const std::string> records);

    // These records in place of all others: a new file, synced, renamed over the old one. 0: it is so, on disk.
    // Otherwise an errno, and the old file still stands (or, when the folder could not be synced, one of the two).
    int rewrite(std::span<const std::string> records);

    // Puts on disk what a dead process may have left half-way: its last append, its last rename. 0 or an errno.
    int sync();

    int failure() const { return failure_; }     // 0, or why every append fails
    std::int64_t bytes() const { return end_; }  // how long the file is: what a rewrite might save

  private:
    int folder_;
    UniqueDescriptor file_;
    std::int64_t end_;
    std::uint64_t next_sequence_;
    int failure_ = 0;
};

struct OpenedJournal {
    JournalWriter writer;
    JournalContents contents;  // all on disk, once this was returned
    std::string damaged_copy;  // the name in the folder of what a damaged journal was; empty: it was not
};

// Opens "journal" in the folder, or creates it. A torn end is cut off; a damaged file is first copied to
// "journal.damaged-UNIXTIME". After a failed sync only a rewrite makes sure that what was read is on disk: whoever
// opens the journal for good rewrites it.
Expected<OpenedJournal> open_journal(int folder);

}  // namespace slab::daemon
