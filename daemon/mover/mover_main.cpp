#include "daemon/mover/mover_main.hpp"

#include "common/pausing/pause_point.hpp"
#include "common/volume/aligned_mapping.hpp"
#include "daemon/mover/band_loads.hpp"
#include "daemon/mover/file_checks.hpp"
#include "daemon/mover/job_output.hpp"
#include "daemon/mover/mover_messages.hpp"
#include "daemon/mover/mover_reports.hpp"
#include "daemon/mover/sandbox.hpp"
#include "daemon/mover/supervisor_socket.hpp"
#include "daemon/mover/transfer_queue.hpp"
#include "daemon/process/process_title.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace slab::daemon {
namespace {

using Clock = std::chrono::steady_clock;

class Mover {
  public:
    Mover(const VolumeSegment& volume, int socket)
        : volume_(volume), supervisor_(socket), loads_(volume.data(), queue_) {}

    void serve() {
        ::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an answer, not our end
        // Without it nothing of a client's is touched: the sandbox is what keeps a bad file's harm inside.
        if (const auto entered = enter_mover_sandbox(); !entered) {
            std::fputs(("slabd: mover: " + to_text(entered.error()) + "\n").c_str(), stderr);
            return;
        }
        send(ready_report(ring_.get()));
        while (!supervisor_.is_closed()) {
            take_orders();
            begin_orders();
            if (queue_.busy()) {
                queue_.step();
                take_ended();
                tell_progress();
            } else if (!supervisor_.has_order() && !supervisor_.is_closed()) {
                supervisor_.wait();
            }
        }
    }

  private:
    // A transfer's tag: which band, which file of it.
    static constexpr std::uint64_t output_file = most_mover_inputs;
    static constexpr std::uint64_t header_file = most_mover_inputs + 1;
    static constexpr std::uint64_t files = most_mover_inputs + 2;

    void send(MoverReport report) {
        report.bytes_loaded = queue_.bytes_read();
        report.bytes_written = queue_.bytes_written();
        supervisor_.send(report);
    }

    void take_orders() {
        if (supervisor_.take_in()) {
            cancelling_ = true;
            queue_.stop();
        }
    }

    // As many as can be begun now: transfers at once, the others when nothing is under way.
    void begin_orders() {
        while (supervisor_.has_order() && !supervisor_.is_closed()) {
            const MoverOrder order = supervisor_.next_order();
            const bool is_transfer =
                order.kind == MoverOrderKind::load || order.kind == MoverOrderKind::write;
            if (queue_.busy() && (!is_transfer || cancelling_)) {
                return;
            }
            begin(order, supervisor_.take_order());
        }
    }

    void begin(const MoverOrder& order, Packet packet) {
        queue_.allow_ring(order.may_use_ring != 0);
        const bool is_void = failed_ || cancelling_;
        const std::string_view header = std::string_view(packet.bytes).substr(sizeof(MoverOrder));
        switch (order.kind) {
        case MoverOrderKind::check: start_job(order, std::move(packet.descriptors)); break;
        case MoverOrderKind::load:
            if (!is_void) {
                load(order);
            }
            break;
        case MoverOrderKind::write:
            if (!is_void) {
                write(order, header);
            }
            break;
        case MoverOrderKind::seal:
            if (!is_void) {
                seal(header);
            }
            break;
        case MoverOrderKind::segment:
            if (!is_void) {
                map_segment(order, packet.descriptors);
            }
            break;
        case MoverOrderKind::cancel: end_cancelled(); break;
        case MoverOrderKind::finish: finish(); break;
        }
    }

    void start_job(const MoverOrder& order, std::vector<UniqueDescriptor> descriptors) {
        if (!descriptors.empty()) {  // without: the same files are looked at again
            set_process_title(fmt::format("slabd: mover {}", order.job));
            job_ = order.job;
            next_progress_ = Clock::now() + std::chrono::milliseconds(100);
            files_ = std::move(descriptors);
            loads_.start_job(files_, order, [this] {
                take_orders();
                return !cancelling_ && !supervisor_.is_closed();
            });
            output_.reset();
            if (order.has_output != 0) {
                output_.emplace(files_.back().get(), order.output);
            }
            queue_.reset_counts();
        }
        failed_ = false;
        pause_point("mover-before-check");
        MoverReport report{.kind = MoverReportKind::checked, .job = job_};
        for (std::size_t i = 0; i < order.input_count; ++i) {
            const auto found = check_input(files_[i].get(), order.inputs[i], i);
            if (!found) {
                fail(found.error());
                return;
            }
            report.inputs[i] = *found;
        }
        if (output_) {
            const auto found = reserve_output(output_->descriptor(), order.output);
            if (!found) {
                refuse(found.error());
                return;
            }
            report.output = *found;
        }
        check_report_ = report;
        if (!loads_next(order)) {
            tell_checked();
        }
    }

    // Nothing was written yet. The files stay open: the order may be given again.
    void refuse(const OutputTrouble& trouble) {
        if (trouble.shortage == Shortage::none) {
            fail(trouble.error);
            return;
        }
        empty_output();
        failed_ = true;
        send(with_error({.kind = MoverReportKind::no_space, .job = job_}, trouble.error));
    }

    void tell_checked() {
        if (check_report_) {
            send(*check_report_);
            check_report_.reset();
        }
    }

    // The load of a small job is here already: "loaded" will say both, and wake the supervisor once.
    bool loads_next(const MoverOrder& check) {
        constexpr std::int64_t small = 1 << 20;
        std::int64_t bytes = 0;
        for (std::size_t i = 0; i < check.input_count; ++i) {
            bytes += std::min(small, check.inputs[i].bytes);
        }
        take_orders();
        return bytes < small && supervisor_.has_order() &&
               supervisor_.next_order().kind == MoverOrderKind::load;
    }

    // Of a job of guests: sealed against shrinking, so that its owner cannot make us fault.
    void map_segment(const MoverOrder& order, std::span<const UniqueDescriptor> descriptors) {
        auto mapped = descriptors.empty() ? std::unexpected(Error{})
                                          : map_aligned(descriptors.front().get(), MappingAccess::read_only,
                                                        0, order.output.bytes);
        if (!mapped) {
            fail({ErrorKind::failed, "the guests' output cannot be read", mapped.error().because, ""});
            return;
        }
        segment_ = std::move(*mapped);
    }

    std::byte* memory_at(std::int64_t offset) const {
        auto* const segment = static_cast<std::byte*>(segment_.get_address());
        return (segment != nullptr ? segment : volume_.data()) + offset;
    }

    static std::uint64_t tag_of(std::int64_t band, std::uint64_t file) {
        return static_cast<std::uint64_t>(band) * files + file;
    }

    void load(const MoverOrder& order) {
        pause_point("mover-before-load");
        loads_.begin(order, tag_of(order.band, 0));
        tell_loaded();
    }

    void write(const MoverOrder& order, std::string_view header) {
        pause_point("mover-before-flush");
        if (!header.empty()) {
            header_ = header;
            queue_.add({.tag = tag_of(order.band, header_file),
                        .descriptor = output_->descriptor(),
                        .direction = Direction::write,
                        .memory = reinterpret_cast<std::byte*>(header_.data()),
                        .bytes = static_cast<std::int64_t>(header_.size()),
                        .is_sequential = true});
        }
        queue_.add({.tag = tag_of(order.band, output_file),
                    .descriptor = output_->descriptor(),
                    .direction = Direction::write,
                    .file_offset = order.output.file_offset,
                    .memory = memory_at(order.output.volume_offset),
                    .bytes = order.output.bytes,
                    .is_sequential = output_->is_sequential()});
    }

    void take_ended() {
        while (const auto ended = queue_.take_ended()) {
            const auto band = static_cast<std::int64_t>(ended->tag / files);
            const auto file = static_cast<std::size_t>(ended->tag % files);
            if (failed_ || cancelling_) {
                continue;
            }
            if (file == output_file || (file == header_file && ended->error_number != 0)) {
                end_write(band, *ended);
            } else if (file != header_file) {
                if (const auto problem = loads_.take(band, file, *ended)) {
                    fail(*problem);
                }
            }
        }
        tell_loaded();
    }

    void tell_loaded() {
        while (!failed_ && !cancelling_) {
            const auto loaded = loads_.take_loaded();
            if (!loaded) {
                fail(loaded.error());
            } else if (!*loaded) {
                return;
            } else {
                pause_point("mover-before-report");
                tell_checked();
                send(moved_report(MoverReportKind::loaded, job_, (*loaded)->band, (*loaded)->method));
            }
        }
    }

    void end_write(std::int64_t band, const EndedTransfer& ended) {
        const bool full = ended.error_number == ENOSPC || ended.error_number == EDQUOT;
        if (full && !output_->is_sequential()) {
            send(with_error({.kind = MoverReportKind::no_space, .job = job_, .band = band},
                            ran_full(output_->descriptor())));
        } else if (ended.error_number != 0) {
            fail(cannot_be_written(ended.error_number));
        } else {
            pause_point("mover-before-report");
            send(moved_report(MoverReportKind::written, job_, band, ended.method));
        }
    }

    void seal(std::string_view header) {
        pause_point("mover-before-header");
        if (const int failure = output_->seal(header); failure != 0) {
            fail(cannot_be_written(failure));
            return;
        }
        pause_point("mover-before-report");
        send({.kind = MoverReportKind::sealed, .job = job_});
    }

    void tell_progress() {
        if (const auto now = Clock::now(); now >= next_progress_) {
            next_progress_ = now + std::chrono::milliseconds(100);
            send({.kind = MoverReportKind::progress, .job = job_});
        }
    }

    void empty_output() {
        if (output_) {
            output_->empty();
        }
    }

    // Not before the last request has ended: what is under way might still write. The output stays as it is until the
    // supervisor says cancel: a successor of its goes on from what is in it.
    void fail(const Error& error) {
        failed_ = true;
        queue_.stop();
        while (queue_.busy()) {
            queue_.step();
        }
        while (queue_.take_ended()) {
        }
        loads_.clear();
        check_report_.reset();
        send(with_error({.kind = MoverReportKind::failed, .job = job_}, error));
    }

    void end_cancelled() {
        empty_output();
        loads_.clear();
        while (queue_.take_ended()) {
        }
        pause_point("mover-before-report");
        send({.kind = MoverReportKind::cancelled, .job = job_});
    }

    void finish() {
        files_.clear();
        loads_.clear();
        segment_ = {};
        output_.reset();
        cancelling_ = supervisor_.has_cancel();
        failed_ = false;
        set_process_title("slabd: mover");
    }

    const VolumeSegment& volume_;
    SupervisorSocket supervisor_;
    TransferRing ring_;
    TransferQueue queue_{ring_};
    BandLoads loads_;
    std::vector<UniqueDescriptor> files_;
    std::optional<JobOutput> output_;             // the last of them
    boost::interprocess::mapped_region segment_;  // of a job of guests: where its output is
    std::string header_;                          // of a sequential output, until it is written
    JobId job_ = 0;
    std::optional<MoverReport> check_report_;
    Clock::time_point next_progress_{};
    bool cancelling_ = false;
    bool failed_ = false;
};

}  // namespace

void run_mover(const VolumeSegment& volume, UniqueDescriptor supervisor) {
    Mover(volume, supervisor.get()).serve();
}

}  // namespace slab::daemon
