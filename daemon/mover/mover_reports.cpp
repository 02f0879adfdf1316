#include "daemon/mover/mover_reports.hpp"

#include <algorithm>
#include <cstddef>

namespace slab::daemon {
namespace {

template <std::size_t Size>
void put(std::array<char, Size>& place, std::string_view text) {
    const std::size_t count = std::min(Size - 1, text.size());
    std::copy_n(text.begin(), count, place.begin());
    place[count] = '\0';
}

}  // namespace

MoverReport ready_report(const io_uring* maybe_ring) {
    MoverReport report{.kind = MoverReportKind::ready};
    if (maybe_ring != nullptr) {
        const io_uring& ring = *maybe_ring;
        const auto* const mapped = static_cast<const std::byte*>(ring.sq.ring_ptr);
        report.ring = {
            ring.ring_fd, static_cast<std::uint32_t>(ring.sq.ring_sz),
            static_cast<std::uint32_t>(reinterpret_cast<const std::byte*>(ring.sq.khead) - mapped),
            static_cast<std::uint32_t>(reinterpret_cast<const std::byte*>(ring.cq.ktail) - mapped)};
    }
    return report;
}

MoverReport moved_report(MoverReportKind kind, JobId job, std::int64_t band, std::string_view method) {
    MoverReport report{.kind = kind, .job = job, .band = band};
    put(report.method, method);
    return report;
}

MoverReport with_error(MoverReport report, const Error& error) {
    report.error_kind = static_cast<std::uint8_t>(error.kind);
    put(report.what, error.what);
    put(report.because, error.because);
    put(report.remedy, error.remedy);
    return report;
}

}  // namespace slab::daemon
