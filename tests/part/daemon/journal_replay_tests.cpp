#include "daemon/journal/journal_replay.hpp"

#include <doctest/doctest.h>

using namespace slab;
using namespace slab::daemon;

namespace {

using Records = std::vector<std::string>;

const Records life{
    R"({"record":"submitted","job":3,"kernel":"zoom","user":1000})",
    R"({"record":"submitted","job":4,"kernel":"outer"})",
    R"({"record":"ended","job":3,"status":{"id":3,"outcome":"done"}})",
    R"({"record":"interrupted","job":4})",
};

}  // namespace

TEST_CASE("the records of a job tell what is known about it") {
    const ReplayedJournal journal = replay(life);
    REQUIRE(journal.jobs.size() == 2);
    CHECK(journal.jobs.at(3).submitted["kernel"] == "zoom");
    CHECK((*journal.jobs.at(3).ended)["outcome"] == "done");
    CHECK_FALSE(journal.jobs.at(3).dropped);
    CHECK(journal.jobs.at(4).interrupted);
    CHECK_FALSE(journal.jobs.at(4).ended);
    CHECK(journal.next_id == 5);
    CHECK(journal.skipped == 0);
}

TEST_CASE("a job that was resumed is neither interrupted nor ended, until it is again") {
    Records records = life;
    records.push_back(R"({"record":"ended","job":4,"status":{"outcome":"interrupted"}})");
    records.push_back(R"({"record":"resumed","job":4})");
    CHECK_FALSE(replay(records).jobs.at(4).interrupted);
    CHECK_FALSE(replay(records).jobs.at(4).ended);
    records.push_back(R"({"record":"ended","job":4,"status":{"outcome":"done"}})");
    records.push_back(R"({"record":"dropped","job":4})");
    CHECK(replay(records).jobs.at(4).dropped);
    CHECK((*replay(records).jobs.at(4).ended)["outcome"] == "done");
}

TEST_CASE("of a job that has ended the parameters are forgotten, and of no other") {
    const std::string request = R"("request":{"submission":"ab","parameters":{"factor":2}}})";
    Records records{R"({"record":"submitted","job":1,)" + request,
                    R"({"record":"submitted","job":2,)" + request,
                    R"({"record":"submitted","job":3,)" + request,
                    R"({"record":"ended","job":1,"status":{"outcome":"done"}})",
                    R"({"record":"ended","job":2,"status":{"outcome":"interrupted"}})",
                    R"({"record":"interrupted","job":3})"};
    const ReplayedJournal journal = replay(records);
    CHECK_FALSE(journal.jobs.at(1).submitted["request"].contains("parameters"));
    CHECK(journal.jobs.at(1).submitted["request"]["submission"] == "ab");
    CHECK(journal.jobs.at(2).submitted["request"].contains("parameters"));
    CHECK(journal.jobs.at(3).submitted["request"].contains("parameters"));
}

TEST_CASE("what is not understood is skipped and counted") {
    const ReplayedJournal journal = replay(Records{
        R"({"record":"submitted","job":1})", R"({"record":"promoted","job":1})", "not JSON", "[1]", "7", "",
        R"({"record":"ended","job":9,"status":{}})", R"({"record":"ended","job":1})",
        R"({"record":"submitted","job":-1})", R"({"record":"submitted","job":"1"})",
        R"({"record":"submitted","job":18446744073709551615})", R"({"record":"ids"})", R"({"job":1})"});
    CHECK(journal.jobs.size() == 1);
    CHECK(journal.skipped == 12);
    CHECK(journal.next_id == 10);  // job 9 has been somebody's
}

TEST_CASE("no id is given out twice, though all its records are gone") {
    CHECK(replay(Records{R"({"record":"ids","next":8})"}).next_id == 8);
    CHECK(replay(Records{R"({"record":"ids","next":8})", R"({"record":"submitted","job":3})"}).next_id == 8);
    CHECK(replay(compacted({}, 12, 0)).next_id == 12);
    CHECK(replay({}).next_id == 1);
}

TEST_CASE("a compacted journal says the same as the long one") {
    Records records = life;
    records.push_back(R"({"record":"dropped","job":3})");
    const ReplayedJournal before = replay(records);
    const ReplayedJournal after = replay(compacted(before.jobs, before.next_id, 100));
    CHECK(after.skipped == 0);
    CHECK(after.next_id == before.next_id);
    REQUIRE(after.jobs.size() == before.jobs.size());
    for (const auto& [id, job] : before.jobs) {
        const JournaledJob& kept = after.jobs.at(id);
        CHECK(kept.id == id);
        CHECK(kept.submitted == job.submitted);
        CHECK(kept.ended == job.ended);
        CHECK(kept.dropped == job.dropped);
        CHECK(kept.interrupted == job.interrupted);
    }
}

TEST_CASE("compaction keeps every job that has not ended, and the newest of the others") {
    Records records;
    for (int job = 1; job <= 10; ++job) {
        records.push_back(Json{{"record", "submitted"}, {"job", job}}.dump());
        if (job % 2 == 0) {
            records.push_back(Json{{"record", "ended"}, {"job", job}, {"status", Json::object()}}.dump());
        }
    }
    const ReplayedJournal journal = replay(records);
    const Records kept = compacted(journal.jobs, journal.next_id, 2);
    CHECK(kept.front() == R"({"record":"ids","next":11})");
    const ReplayedJournal after = replay(kept);
    std::vector<JobId> ids;
    for (const auto& [id, job] : after.jobs) {
        ids.push_back(id);
    }
    CHECK(ids == std::vector<JobId>{1, 3, 5, 7, 8, 9, 10});
}
