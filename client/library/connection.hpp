#pragma once

#include "client/library/attachment.hpp"
#include "client/library/job_request.hpp"
#include "client/library/job_status.hpp"
#include "client/library/kernel_info.hpp"
#include "client/library/planned_job.hpp"
#include "common/errors/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slab {

class Link;

// Which daemon: this socket, else SLABD_SOCKET, else the user's own instance, else the system's.
struct ConnectOptions {
    std::string socket;              // a path; empty: look in the places above
    std::string client = "libslab";  // who asks, for the daemon's log
};

// Who answered hello.
struct DaemonInfo {
    std::string socket;  // empty for an embedded one
    std::string version;
    std::string instance;
    std::int64_t pid = 0;
    std::string simd;
};

enum class ListScope : std::uint8_t { active, all };

// Called with each new status of a job that is waited for.
using ProgressCallback = std::function<void(const JobStatus&)>;

// A connection to one daemon. For one thread; movable. Errors of every call: those of the daemon (usage,
// refused, failed), `interrupted` when it went away, `cancelled` through stop_when_readable.
class Connection {
  public:
    // no_daemon when nobody is there; also when somebody is and lets this user not in: the next place in the
    // list is not tried then, since that would be another daemon than the one which was meant.
    static Expected<Connection> open(const ConnectOptions& options = {});

    // The same; that nobody is there is no error here. absence says where was looked, for people.
    struct Attempt;
    static Expected<Attempt> try_open(const ConnectOptions& options = {});

    // A private daemon for this process alone, which ends with the connection.
    static Expected<Connection> start_embedded(const ConnectOptions& options = {});

    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;
    ~Connection();

    const DaemonInfo& daemon() const { return daemon_; }
    bool is_embedded() const;

    Expected<std::vector<KernelInfo>> kernels();
    Expected<KernelInfo> kernel(std::string_view name);

    // What the job would do; descriptors and memory are not needed. The error is the one that submit would
    // give.
    Expected<PlannedJob> plan(const JobRequest& request);

    // Returns when the job is admitted, or done; the error is that of a refused job.
    Expected<JobStatus> submit(const JobRequest& request);

    // Returns when the job has ended, however: outcome and error are in the status.
    Expected<JobStatus> wait(std::int64_t job, const ProgressCallback& on_progress = {});

    // submit and wait; a job that ended otherwise than done is an error.
    Expected<JobStatus> run(JobRequest request, const ProgressCallback& on_progress = {});

    Expected<Attachment> attach(std::int64_t job);
    Expected<JobStatus> cancel(std::int64_t job);
    Expected<JobStatus> drop(std::int64_t job);
    Expected<JobStatus> show(std::int64_t job);
    Expected<std::vector<JobStatus>> list(ListScope scope = ListScope::active);

    // Writes a kept result into a regular file, from offset on. The daemon may leave O_DIRECT set on the
    // descriptor.
    struct Fetched {
        std::int64_t bytes = 0;
        double flush_s = 0;
    };
    Expected<Fetched> fetch(std::int64_t job, int descriptor, std::int64_t offset);

    // The daemon's status as a JSON object.
    Expected<std::string> status();

    // Gives idle memory of the volume back to the system; how many bytes that was.
    Expected<std::int64_t> trim();

    // Every call that waits ends with an error of kind cancelled as soon as this descriptor (a signalfd, say)
    // can be read. -1: none.
    void stop_when_readable(int descriptor);

  private:
    explicit Connection(std::unique_ptr<Link> link);

    Expected<void> greet(const ConnectOptions& options);
    Expected<JobStatus> ask_about(std::string_view request, std::int64_t job);

    std::unique_ptr<Link> link_;
    DaemonInfo daemon_;
};

struct Connection::Attempt {
    std::optional<Connection> connection;
    std::string absence;
    bool socket_left_behind = false;  // there is a socket whose daemon has ended without removing it
};

}  // namespace slab
