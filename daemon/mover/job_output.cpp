#include "daemon/mover/job_output.hpp"

#include "common/pausing/fault_point.hpp"
#include "common/recording/write_recording.hpp"
#include "daemon/mover/transfer_queue.hpp"

#include <cerrno>
#include <span>
#include <unistd.h>

namespace slab::daemon {

int JobOutput::seal(std::string_view header) const {
    const int failure = sync();
    if (failure != 0 || header.empty()) {
        return failure;
    }
    const ssize_t count = ::pwrite(descriptor_, header.data(), header.size(), 0);
    if (count != static_cast<ssize_t>(header.size())) {
        return count < 0 ? errno : ENOSPC;
    }
    record_write(descriptor_, 0, std::as_bytes(std::span(header)));
    return sync();
}

int JobOutput::sync() const {
    if (const int fault = fault_point("mover-sync"); fault != 0) {
        return fault;
    }
    const std::uint64_t begun = record_sync_begin();
    if (::fdatasync(descriptor_) != 0) {
        return is_sequential_ && (errno == EINVAL || errno == EROFS) ? 0 : errno;
    }
    record_sync(descriptor_, begun);
    return 0;
}

void JobOutput::empty() const {
    if (!is_sequential_) {
        clear_direct(descriptor_);
        [[maybe_unused]] const int ignored = ::ftruncate(descriptor_, 0);
    }
}

Error cannot_be_written(int error_number) {
    return {ErrorKind::failed, "the output cannot be written",
            error_number == EPIPE ? "its reader has gone" : errno_text(error_number),
            error_number == ENOSPC ? "Free space there, or write to another disk." : ""};
}

}  // namespace slab::daemon
