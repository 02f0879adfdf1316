#include "client/command_line/each_file.hpp"

#include "client/command_line/common_options.hpp"
#include "client/command_line/job_report.hpp"
#include "common/protocol/message.hpp"

#include <fmt/format.h>

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace slab {
namespace {

// One is computed, the next one loaded; more would hold memory and gain nothing.
constexpr std::size_t most_under_way = 2;

Expected<std::vector<std::string>> files_of(const std::vector<std::string>& patterns) {
    std::vector<std::string> paths;
    for (const std::string& pattern : patterns) {
        glob_t found{};
        const int failure = ::glob(pattern.c_str(), GLOB_ERR | GLOB_TILDE, nullptr, &found);
        paths.insert(paths.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
        ::globfree(&found);
        if (failure != 0) {
            return std::unexpected(
                Error{ErrorKind::usage, fmt::format("--each {} matches no file", pattern),
                      failure == GLOB_NOMATCH ? "" : "a folder cannot be read",
                      "Quote the pattern, so that the shell leaves it alone: --each '*.npy'"});
        }
    }
    std::ranges::sort(paths);
    paths.erase(std::ranges::unique(paths).begin(), paths.end());
    return paths;
}

}  // namespace

Expected<EachFile> EachFile::of(JobArguments job, MotionOptions motion,
                                const std::vector<std::string>& patterns, const std::string& folder) {
    if (motion.prefix && *motion.prefix != "none") {
        return std::unexpected(Error{ErrorKind::usage, "--motion-out PREFIX is for one job",
                                     "with --each every result has a name of its own, and its motion too",
                                     "Leave it away, or give --motion-out none."});
    }
    if (!job.output.empty() || job.keep) {
        return std::unexpected(Error{ErrorKind::usage, "--each has one result for every file",
                                     "-o, output and --keep are for one", "Give --out-dir FOLDER instead."});
    }
    auto paths = files_of(patterns);
    if (!paths) {
        return std::unexpected(paths.error());
    }
    EachFile each(std::move(job), std::move(motion), std::move(*paths), folder);
    std::map<std::string, std::string> results;
    for (const std::string& path : each.paths_) {
        const auto [same, is_new] = results.emplace(each.result_path(path), path);
        if (!is_new && !folder.empty()) {
            return std::unexpected(Error{ErrorKind::usage,
                                         fmt::format("two results would be {}", same->first),
                                         fmt::format("those of {} and {}", same->second, path),
                                         "Run them into folders of their own."});
        }
    }
    std::error_code failure;
    if (!folder.empty()) {
        std::filesystem::create_directories(folder, failure);
    }
    if (failure) {
        return std::unexpected(Error{ErrorKind::usage, fmt::format("{}: the folder cannot be made", folder),
                                     failure.message(), "Name another with --out-dir."});
    }
    return each;
}

std::string EachFile::result_path(const std::string& path) const {
    std::filesystem::path name = std::filesystem::path(path).filename();
    const bool is_packed = name.extension() == ".gz";
    if (is_packed) {
        name.replace_extension();
    }
    const bool is_nifti = name.extension() == ".nii";
    const std::string as_input = is_nifti ? (is_packed ? "nii.gz" : "nii") : "npy";
    name.replace_extension("." + (job_.output_format.empty() ? as_input : job_.output_format));
    return (std::filesystem::path(folder_) / name).string();
}

Expected<EachFile::Begun> EachFile::begin(Connection& daemon, const std::string& path) const {
    JobArguments arguments = job_;
    arguments.inputs.insert(arguments.inputs.begin(), {path, job_.raw});
    arguments.output = folder_.empty() ? "" : result_path(path);
    Expected<PreparedJob> job = prepare_job(arguments);
    if (!job) {
        return std::unexpected(job.error());
    }
    if (auto completed = complete_job(*job, arguments, daemon); !completed) {
        return std::unexpected(completed.error());
    }
    const Expected<PlannedJob> plan = daemon.plan(job->request);
    if (!plan) {
        return std::unexpected(plan.error());
    }
    Begun begun{path, std::move(*job), std::nullopt, std::nullopt, {}, {}};
    auto motion = MotionOutputs::open(motion_, begun.job, *plan);
    if (!motion) {
        return std::unexpected(motion.error());
    }
    if (*motion) {
        begun.motion.emplace(std::move(**motion));
    }
    if (begun.job.format) {
        Expected<JobOutput> output =
            JobOutput::to_file(begun.job.output_path, begun.job.existing, begun.job.packing);
        if (!output) {
            return std::unexpected(output.error());
        }
        begun.output.emplace(std::move(*output));
        if (auto set = set_output(begun.job, *begun.output, *plan); !set) {
            return std::unexpected(set.error());
        }
    } else if (!plan->is_answer) {
        return std::unexpected(Error{ErrorKind::usage, "the results have nowhere to go", "they are arrays",
                                     "Give --out-dir FOLDER."});
    }
    begun.job.request.linked = true;
    set_note(begun.job, arguments, JobNote::Command::run);
    Expected<JobStatus> status = daemon.submit(begun.job.request);
    if (!status) {
        return std::unexpected(status.error());
    }
    begun.status = std::move(*status);
    return begun;
}

Expected<JobStatus> EachFile::finish(Connection& daemon, Begun& begun, JobWatcher& watcher) const {
    ResumeRequest held{.job = begun.status.id, .submitted_at = begun.status.submitted_at, .linked = true};
    for (const InputArray& input : begun.job.request.inputs) {
        held.inputs.push_back(input.descriptor);
    }
    held.output = begun.output ? begun.output->resumable_descriptor() : -1;
    Expected<JobStatus> ended = has_ended(begun.status) ? Expected<JobStatus>(begun.status)
                                : begun.output && begun.output->resumable_descriptor() < 0
                                    ? daemon.wait(begun.status.id, watcher.on_progress())
                                    : daemon.wait(held, watcher.on_progress());
    if (const auto failure = begun.output ? begun.output->failure() : std::nullopt) {
        return std::unexpected(*failure);
    }
    if (ended && ended->outcome == JobStatus::Outcome::done && begun.output) {
        if (auto committed = begun.output->commit(); !committed) {
            return std::unexpected(committed.error());
        }
    }
    if (ended && ended->outcome == JobStatus::Outcome::done && begun.motion) {
        const auto written = begun.motion->write(begun.job, ended->result);
        if (!written) {
            return std::unexpected(written.error());
        }
        begun.motion_summary = begun.motion->summary();
    }
    return ended;
}

Expected<int> EachFile::run(Connection& daemon, StopSignals& signals, Talk talk) {
    std::deque<Begun> under_way;
    std::vector<Failure> failures;
    std::vector<std::string> done;
    int worst = 0;
    const auto fails = [&](const std::string& path, Error error) {
        worst = std::max(worst, exit_code(error.kind));
        failures.push_back({path, std::move(error)});
    };
    const auto ends_everything = [](const Error& error) {
        return error.kind == ErrorKind::cancelled || error.kind == ErrorKind::interrupted ||
               error.kind == ErrorKind::no_daemon;
    };
    std::optional<Error> end;
    JobWatcher watcher(daemon, talk);
    std::size_t next = 0;
    while (!end && (next < paths_.size() || !under_way.empty())) {
        if (next < paths_.size() && under_way.size() < most_under_way) {
            auto begun = begin(daemon, paths_[next]);
            if (begun) {
                under_way.push_back(std::move(*begun));
            } else if (ends_everything(begun.error())) {
                end = begun.error();
            } else {
                fails(paths_[next], begun.error());
            }
            ++next;
            continue;
        }
        Begun& first = under_way.front();
        const Expected<JobStatus> ended = finish(daemon, first, watcher);
        watcher.erase();
        if (!ended && ends_everything(ended.error())) {
            end = ended.error();
            break;
        }
        if (!ended) {
            fails(first.path, ended.error());
        } else if (ended->outcome != JobStatus::Outcome::done) {
            fails(first.path, error_of(*ended));
        } else {
            tell(first, *ended, talk);
            done.push_back(ended->json);
        }
        under_way.pop_front();
    }
    if (end && end->kind == ErrorKind::cancelled) {
        return std::unexpected(stopped(daemon, under_way, signals, done.size()));
    }
    if (end) {
        return std::unexpected(*end);
    }
    sum_up(done, failures, talk);
    return worst;
}

Error EachFile::stopped(Connection& daemon, std::deque<Begun>& under_way, StopSignals& signals,
                        std::size_t done) const {
    const std::string signal = signals.take();
    for (const Begun& begun : under_way) {
        if (!daemon.is_embedded()) {
            static_cast<void>(daemon.cancel(begun.status.id));
        }
    }
    return {
        ErrorKind::cancelled, "the jobs were cancelled",
        fmt::format("{} stopped this command; {} of {} files are done, nothing was written for the others",
                    signal, done, paths_.size()),
        ""};
}

void EachFile::tell(const Begun& begun, const JobStatus& ended, Talk talk) const {
    if (talk != Talk::normal) {
        return;
    }
    if (begun.output) {
        fmt::print("{}\n{}", summary_of(ended, begun.job.output_path), begun.motion_summary);
    } else {
        fmt::print("{}: {}\n", begun.path, ended.result);
    }
}

void EachFile::sum_up(const std::vector<std::string>& done, const std::vector<Failure>& failures,
                      Talk talk) const {
    if (talk == Talk::json) {
        Json failed = Json::array();
        for (const Failure& failure : failures) {
            failed.push_back({{"file", failure.path}, {"error", error_to_json(failure.error)}});
        }
        print_json(fmt::format("{{\"jobs\":[{}],\"failed\":{}}}", fmt::join(done, ","),
                               failed.dump(-1, ' ', false, Json::error_handler_t::replace)));
        return;
    }
    if (!failures.empty()) {
        fmt::print(stderr, "{} of {} files failed:\n", failures.size(), paths_.size());
    }
    for (const Failure& failure : failures) {
        fmt::print(stderr, "{}\n{}\n", failure.path, to_text(failure.error));
    }
}

}  // namespace slab
