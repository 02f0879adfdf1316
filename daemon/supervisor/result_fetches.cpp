#include "daemon/supervisor/result_fetches.hpp"

#include <utility>

namespace slab::daemon {
namespace {

Error fetch_was_cancelled() {
    return {ErrorKind::cancelled, "the fetch was cancelled", "", ""};
}

}  // namespace

ResultFetches::ResultFetches(MoverPool& movers, std::function<void(JobId)> ended)
    : movers_(movers), ended_(std::move(ended)) {}

void ResultFetches::begin(const Job& job, ClientId client, OutputFile output, UniqueDescriptor file,
                          JobAnswer answer) {
    const std::int64_t place = job.holds.output->begin;
    Fetch fetch{client, std::move(answer), std::move(output), {}, {place, place + job.plan.bytes_out}};
    fetch.file.push_back(std::move(file));
    MoverOrder order{.kind = MoverOrderKind::check};
    order.has_output = 1;
    order.output = {fetch.output.offset, job.plan.bytes_out, 0, fetch.output.is_sequential ? 1U : 0U};
    movers_.take(job.id);
    movers_.order(job.id, order, {}, fetch.file);
    fetches_.emplace(job.id, std::move(fetch));
}

void ResultFetches::client_gone(ClientId client) {
    for (auto& [job, fetch] : fetches_) {
        if (fetch.client == client) {
            fetch.answer = {};
            movers_.cancel(job);
        }
    }
}

void ResultFetches::reported(JobId job, const MoverReport& report) {
    Fetch& fetch = fetches_.at(job);
    const std::int64_t bytes = fetch.result.end - fetch.result.begin;
    switch (report.kind) {
    case MoverReportKind::checked: {
        MoverOrder order{.kind = MoverOrderKind::write};
        order.has_output = 1;
        order.output = {fetch.output.offset, bytes, fetch.result.begin, fetch.output.is_sequential ? 1U : 0U};
        fetch.began = std::chrono::steady_clock::now();
        movers_.order(job, order, fetch.output.is_sequential ? std::string_view(fetch.output.header) : "");
        break;
    }
    case MoverReportKind::written:
        fetch.method = report.method.data();
        movers_.order(job, {.kind = MoverOrderKind::seal, .has_output = 1},
                      fetch.output.is_sequential ? std::string_view() : fetch.output.header);
        break;
    case MoverReportKind::sealed: {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - fetch.began;
        end(job, Json{{"bytes", bytes}, {"flush_s", took.count()}, {"flush_method", fetch.method}});
        break;
    }
    case MoverReportKind::no_space:
    case MoverReportKind::failed:
        movers_.order(job, {.kind = MoverOrderKind::cancel});  // it empties the file
        end(job, std::unexpected(error_of(report)));
        break;
    case MoverReportKind::cancelled: end(job, std::unexpected(fetch_was_cancelled())); break;
    case MoverReportKind::progress:
    case MoverReportKind::loaded:
    case MoverReportKind::ready: break;
    }
}

void ResultFetches::mover_died(JobId job) {
    end(job, std::unexpected(Error{ErrorKind::failed, "the process that wrote the file died", "",
                                   "Fetch it again; the result is still there."}));
}

void ResultFetches::mover_hangs(JobId job) {
    end(job, std::unexpected(fetch_was_cancelled()));
}

void ResultFetches::end(JobId job, Expected<Json> answer) {
    movers_.finish(job);
    const auto fetch = fetches_.extract(job);
    if (fetch.mapped().answer) {
        fetch.mapped().answer(std::move(answer));
    }
    ended_(job);
}

}  // namespace slab::daemon
