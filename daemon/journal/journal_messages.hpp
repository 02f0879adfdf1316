#pragma once

#include "common/protocol/packet.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace slab::daemon {

// What supervisor and journal say to each other: plain records, one a packet.

enum class JournalOrderKind : std::uint32_t {
    append,   // one record: behind the order, or the content of the memfd beside it
    rewrite,  // these records in place of all: the content of the memfd, each as u32 length and bytes
};

// journal_orders.hpp makes the packets.
struct JournalOrder {
    JournalOrderKind kind = JournalOrderKind::append;
    std::uint32_t is_in_memfd = 0;
    std::uint64_t ticket = 0;  // the supervisor's, from 1 on; comes back in the report
};

// One for each order, in the order in which they came. 0: it is on disk. Otherwise it is not, and concerns that order
// alone when it is EMSGSIZE, EBADMSG or a rewrite's; after any other of an append, appends fail until a rewrite succeeds.
struct JournalReport {
    std::uint64_t ticket = 0;  // 0: the first report of a new child: whether the journal is open
    int error_number = 0;
};

// The journal cannot be opened (it is not one, or another version's): rewrites, too, answer so.
inline constexpr int journal_not_open = ENOTRECOVERABLE;

inline constexpr std::size_t longest_record_in_packet = longest_packet - sizeof(JournalOrder);

}  // namespace slab::daemon
