#pragma once

#include "client/library/attachment.hpp"
#include "client/library/guest.hpp"
#include "client/library/job_request.hpp"
#include "client/library/job_status.hpp"
#include "client/library/kernel_info.hpp"
#include "client/library/planned_job.hpp"
#include "common/errors/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slab {

class Link;
struct RequestWithDescriptors;

// Which daemon: this socket, else SLABD_SOCKET, else the user's own instance, else the system's.
struct ConnectOptions {
    std::string socket;              // a path; empty: look in the places above
    std::string client = "libslab";  // who asks, for the daemon's log
    // How long submit, wait and run look for a daemon that went away (killed, upgraded); 0: not at all. Absent:
    // SLABD_RECONNECT ("60s", "0"), else 60 s.
    std::optional<std::chrono::milliseconds> reconnect_for = std::nullopt;
    // Of start_embedded: libraries with kernels (slab_kernel.h), or folders of them, that the private daemon loads.
    std::vector<std::string> plugins = {};
};

// A library of kernels that a daemon was to load.
struct PluginInfo {
    std::string path;
    std::vector<std::string> kernels;
    std::optional<Error> refusal;  // why it did not
};

// Who answered hello.
struct DaemonInfo {
    std::string socket;  // empty for an embedded one
    std::string version;
    std::string instance;
    std::int64_t pid = 0;
    std::string simd;
    std::vector<PluginInfo> plugins;
};

enum class ListScope : std::uint8_t { active, all };

// Called with each new status of a job that is waited for.
using ProgressCallback = std::function<void(const JobStatus&)>;

// Called when the daemon goes away and is waited for, at most that long, and when it is back.
enum class DaemonPresence : std::uint8_t { lost, back };
using PresenceCallback = std::function<void(DaemonPresence, std::chrono::milliseconds patience)>;

// An interrupted job's files, opened anew, for Connection::resume.
struct ResumeRequest {
    std::int64_t job = 0;
    // JobStatus::submitted_at, so that another job of that id is not meant; 0: any.
    double submitted_at = 0;
    // Descriptors in the order of JobRequest::inputs; borrowed until resume has returned.
    std::vector<int> inputs = {};
    int output = -1;        // -1: none
    std::string note = {};  // instead of the one that the job has; empty: that stays
    bool linked = false;
    bool watch = true;
};

// A connection to one daemon. For one thread; movable. Errors of every call: those of the daemon (usage,
// refused, failed), `interrupted` when it went away, `cancelled` through stop_when_readable.
//
// submit, resume, wait, run and run_to_end survive the daemon's restart (ConnectOptions::reconnect_for): they
// connect to the same socket again and go on. Not with a private daemon, and not with a sequential output:
// its reader may have a part already.
class Connection {
  public:
    // no_daemon when nobody is there; also when somebody is and lets this user not in: the next place in the
    // list is not tried then, since that would be another daemon than the one which was meant.
    static Expected<Connection> open(const ConnectOptions& options = {});

    // The same; that nobody is there is no error here. absence says where was looked, for people.
    struct Attempt;
    static Expected<Attempt> try_open(const ConnectOptions& options = {});

    // A private daemon for this process alone, which ends with the connection. Refused when it refuses a plug-in.
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

    // Returns when the job has ended, however: outcome and error are in the status. An interrupted job, which only
    // somebody with its files can resume, is an error of kind interrupted (after a restart of the daemon: when
    // nobody has resumed it for reconnect_for).
    Expected<JobStatus> wait(std::int64_t job, const ProgressCallback& on_progress = {});

    // submit and wait. The files are held until the end, so the job is resumed after the daemon's restart, and
    // submitted again when it was not durable. on_progress hears of the job first when its id is known.
    Expected<JobStatus> run_to_end(const JobRequest& request, const ProgressCallback& on_progress = {});

    // The same; a job that ended otherwise than done is an error.
    Expected<JobStatus> run(const JobRequest& request, const ProgressCallback& on_progress = {});

    // Makes an interrupted job go on, after the daemon has found its inputs unchanged; an output that is another
    // file than before gets everything anew. One that runs or has ended is linked and watched as asked, and its
    // files are not used.
    struct Resumed {
        JobStatus job;
        bool with_these_files = false;
    };
    Expected<Resumed> resume(const ResumeRequest& request);

    // The same for a job that was resumed, and whose files are still held: it is resumed after each restart.
    Expected<JobStatus> wait(const ResumeRequest& held, const ProgressCallback& on_progress = {});

    // A job whose tiles this program fills itself, with so many guests; 0: as many as the daemon has workers. Returns when
    // the job has its memory. Then: move the guests into threads, and wait(id).
    Expected<GuestJob> start_guests(const GuestRequest& request, int count = 0);

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
    // The same as the target says; its header is written too.
    Expected<Fetched> fetch(std::int64_t job, const OutputTarget& target);

    // The daemon's status as a JSON object.
    Expected<std::string> status();

    // Gives idle memory of the volume back to the system; how many bytes that was.
    Expected<std::int64_t> trim();

    // Every call that waits ends with an error of kind cancelled as soon as this descriptor (a signalfd, say)
    // can be read. -1: none.
    void stop_when_readable(int descriptor);

    // Tells of the daemon's going and coming while a call survives it.
    void on_presence(PresenceCallback callback);

  private:
    Connection(std::unique_ptr<Link> link, std::string client);

    Expected<void> greet(std::chrono::milliseconds patience);
    Expected<JobStatus> ask_about(std::string_view request, std::int64_t job);

    bool may_survive(const Error& error) const;
    Expected<void> reconnect(const Error& loss);
    Expected<JobStatus> submit_held(const RequestWithDescriptors& held);
    // Nothing: the daemon does not know the job any more, and may be asked for it anew. held: null when its
    // files are somebody else's.
    Expected<std::optional<JobStatus>> wait_for(std::int64_t job, const RequestWithDescriptors* held,
                                                const ProgressCallback& on_progress);
    Expected<std::optional<JobStatus>> find_again(const JobStatus& before,
                                                  const RequestWithDescriptors* held);

    std::unique_ptr<Link> link_;
    DaemonInfo daemon_;
    std::string client_;
    std::chrono::milliseconds reconnect_for_{0};
    PresenceCallback on_presence_;
};

struct Connection::Attempt {
    std::optional<Connection> connection;
    std::string absence;
    bool socket_left_behind = false;  // there is a socket whose daemon has ended without removing it
};

}  // namespace slab
