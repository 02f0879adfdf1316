#include "daemon/journal/journal_replay.hpp"

#include <algorithm>
#include <limits>

namespace slab::daemon {
namespace {

// The largest has no successor, so that it is nobody's.
std::optional<JobId> id_at(const Json& record, std::string_view key) {
    const auto found = record.find(key);
    if (found == record.end() || !found->is_number_unsigned() ||
        found->get<JobId>() == std::numeric_limits<JobId>::max()) {
        return std::nullopt;
    }
    return found->get<JobId>();
}

// Nobody runs it again, and a table in its parameters may have megabytes: a history of those is too much to keep.
void forget_parameters(JournaledJob& job) {
    if (const auto request = job.submitted.find("request");
        request != job.submitted.end() && request->is_object()) {
        request->erase("parameters");
    }
}

// False: it says nothing that is understood here.
bool apply_to_job(std::string_view kind, const Json& record, JournaledJob& job) {
    if (kind == "interrupted") {
        job.interrupted = true;
    } else if (kind == "resumed") {
        job.interrupted = false;
        job.ended.reset();
    } else if (kind == "ended" && record.contains("status")) {
        job.ended = record["status"];
        if (text_or(record["status"], "outcome") != "interrupted") {  // that one may be resumed
            forget_parameters(job);
        }
    } else if (kind == "dropped") {
        job.dropped = true;
        forget_parameters(job);
    } else {
        return false;
    }
    return true;
}

bool apply(Json record, ReplayedJournal& journal) {
    if (!record.is_object()) {
        return false;
    }
    const std::string kind = text_or(record, "record");
    if (kind == "ids") {
        const auto next = id_at(record, "next");
        journal.next_id = std::max(journal.next_id, next.value_or(0));
        return next.has_value();
    }
    const auto id = id_at(record, "job");
    if (!id) {
        return false;
    }
    journal.next_id = std::max(journal.next_id, *id + 1);
    if (kind == "submitted") {
        JournaledJob& job = journal.jobs[*id];
        job.id = *id;
        job.submitted = std::move(record);
        return true;
    }
    const auto job = journal.jobs.find(*id);
    return job != journal.jobs.end() && apply_to_job(kind, record, job->second);
}

std::string record_text(std::string_view kind, JobId job) {
    return Json{{"record", kind}, {"job", job}}.dump();
}

}  // namespace

ReplayedJournal replay(std::span<const std::string> records) {
    ReplayedJournal journal;
    for (const std::string& text : records) {
        apply_record(journal, text);
    }
    return journal;
}

void apply_record(ReplayedJournal& journal, std::string_view record) {
    if (!apply(json_from_text(record), journal)) {
        ++journal.skipped;
    }
}

std::vector<std::string> compacted(const std::map<JobId, JournaledJob>& jobs, JobId next_id,
                                   std::size_t history) {
    const auto is_over = [](const auto& entry) { return entry.second.ended || entry.second.dropped; };
    auto to_forget = static_cast<std::size_t>(std::ranges::count_if(jobs, is_over));
    to_forget -= std::min(to_forget, history);

    std::vector<std::string> records{Json{{"record", "ids"}, {"next", next_id}}.dump()};
    for (const auto& [id, job] : jobs) {
        if ((job.ended || job.dropped) && to_forget > 0) {
            --to_forget;  // the map goes from old to new
            continue;
        }
        records.push_back(job.submitted.dump());
        if (job.interrupted) {
            records.push_back(record_text("interrupted", id));
        }
        if (job.ended) {
            records.push_back(Json{{"record", "ended"}, {"job", id}, {"status", *job.ended}}.dump());
        }
        if (job.dropped) {
            records.push_back(record_text("dropped", id));
        }
    }
    return records;
}

}  // namespace slab::daemon
