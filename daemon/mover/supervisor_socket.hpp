#pragma once

#include "common/protocol/packet.hpp"
#include "daemon/mover/mover_messages.hpp"

#include <deque>

namespace slab::daemon {

// The mover's end of the socket to the supervisor: orders come in and wait until they can be begun, reports go out.
class SupervisorSocket {
  public:
    explicit SupervisorSocket(int descriptor) : descriptor_(descriptor) {}

    // Takes in the orders that have come, without waiting. Whether a cancel is among them.
    bool take_in();
    // Waits for something to take in; the end of the socket is something, too.
    void wait() const;
    bool is_closed() const { return is_closed_; }

    // The orders that wait, the oldest first.
    bool has_order() const { return !orders_.empty(); }
    MoverOrder next_order() const;
    Packet take_order();
    bool has_cancel() const;

    void send(const MoverReport& report);

  private:
    int descriptor_;
    std::deque<Packet> orders_;
    bool is_closed_ = false;
};

}  // namespace slab::daemon
