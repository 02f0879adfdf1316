#include "daemon/supervisor/supervisor.hpp"

#include "common/protocol/socket_address.hpp"
#include "common/units/byte_size.hpp"
#include "daemon/files/background_close.hpp"
#include "daemon/journal/journal_file.hpp"
#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/process/process_title.hpp"
#include "daemon/session/listener.hpp"
#include "daemon/settings/state_folder.hpp"
#include "daemon/supervisor/job_conductor.hpp"
#include "daemon/supervisor/plugin_registration.hpp"
#include "daemon/supervisor/service_notify.hpp"
#include "daemon/supervisor/zygote.hpp"
#include "daemon/volume/instance_lock.hpp"
#include "daemon/worker/cpu_affinity.hpp"

#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <unistd.h>

namespace slab::daemon {
namespace {

class Supervisor {
  public:
    Supervisor(const Invocation& invocation, Settings settings, const VolumeSegment& volume,
               int children_lock, Zygote zygote, const std::vector<int>& slot_cpus, Lifetime lifetime,
               UniqueDescriptor journal_folder, const ReplayedJournal& journal, const PluginRoster& plugins)
        : invocation_(invocation), settings_(std::move(settings)), signals_(loop_, SIGTERM, SIGINT, SIGHUP),
          watchdog_(loop_), spawner_(loop_, volume, children_lock, plugins.images(), std::move(zygote)),
          conductor_(loop_, settings_, volume, spawner_, slot_cpus, lifetime, std::move(journal_folder),
                     journal, plugins),
          listener_(loop_, conductor_) {
        conductor_.on_job_event = [this](const Json& job) { listener_.broadcast(job); };
        conductor_.is_watched = [this](JobId job) { return listener_.is_watched(job); };
    }

    std::optional<Error> run(const ReplayedJournal& journal) {
        wait_for_signal();
        ActivationDescriptors given = activation_descriptors();
        if (invocation_.embedded_socket) {
            // The instance is its client's: it ends when the connection does.
            listener_.on_session_end = [this] { stop(); };
            listener_.adopt(UniqueDescriptor(*invocation_.embedded_socket));
        } else if (auto problem = listen(std::move(given.socket))) {
            conductor_.stop_children();
            spawner_.stop();
            return problem;
        }
        conductor_.start();
        if (!invocation_.embedded_socket) {
            conductor_.adopt(journal, std::move(given.stored));
        }
        notify_ready(conductor_.summary());
        feed_watchdog();
        loop_.run();
        listener_.close_all();
        if (!own_socket_path_.empty()) {
            ::unlink(own_socket_path_.c_str());
        }
        return std::nullopt;
    }

  private:
    std::optional<Error> listen(std::optional<UniqueDescriptor> socket_of_systemd) {
        if (auto socket = std::move(socket_of_systemd)) {
            spdlog::info("listening on the socket that systemd passed");
            listener_.listen(std::move(*socket));
            return std::nullopt;
        }
        auto socket = listen_at(settings_.socket.path, settings_.socket.mode, settings_.socket.group);
        if (!socket) {
            return socket.error();
        }
        own_socket_path_ = settings_.socket.path;
        spdlog::info("listening on {}", own_socket_path_);
        listener_.listen(std::move(*socket));
        return std::nullopt;
    }

    void wait_for_signal() {
        signals_.async_wait([this](const boost::system::error_code& failure, int signal) {
            if (failure) {
                return;
            }
            if (signal == SIGHUP) {
                reload();
            } else {
                spdlog::info("stopping: {}", ::strsignal(signal));
                stop();
            }
            wait_for_signal();
        });
    }

    void stop() {
        if (std::exchange(stopping_, true)) {
            spdlog::warn("told to stop again: not waiting any longer");
            quit();
            return;
        }
        notify_stopping();
        listener_.stop_accepting();
        conductor_.shut_down([this] { quit(); });
        // A worker or a mover that hangs must not make systemd lose its patience (TimeoutStopSec).
        constexpr auto own_patience = std::chrono::seconds(8);
        watchdog_.expires_after(own_patience);
        watchdog_.async_wait([this](const boost::system::error_code& failure) {
            if (!failure) {
                spdlog::warn("something hangs: not waiting any longer");
                quit();
            }
        });
    }

    void quit() {
        conductor_.stop_children();
        spawner_.stop();
        signals_.cancel();
        watchdog_.cancel();
        loop_.stop();
    }

    // Settings that can change while jobs run do; for the others the log says that they wait for a restart.
    void reload() {
        notify_reloading();
        auto fresh = settings_for(invocation_);
        if (!fresh) {
            spdlog::error("reload refused, the old settings stay: {}", to_text(fresh.error()));
        } else {
            const bool needs_restart = fresh->socket.path != settings_.socket.path ||
                                       fresh->volume.size != settings_.volume.size ||
                                       fresh->volume.huge_pages != settings_.volume.huge_pages ||
                                       fresh->guests.memory != settings_.guests.memory ||
                                       fresh->workers.count != settings_.workers.count ||
                                       fresh->workers.cpus != settings_.workers.cpus ||
                                       fresh->workers.nice != settings_.workers.nice ||
                                       fresh->kernels.plugins != settings_.kernels.plugins;
            settings_.workers.tile_deadline = fresh->workers.tile_deadline;
            settings_.tiles = fresh->tiles;
            settings_.queue = fresh->queue;
            settings_.attach = fresh->attach;
            settings_.results = fresh->results;
            settings_.quota = fresh->quota;
            settings_.guests.idle = fresh->guests.idle;
            settings_.log = fresh->log;
            spdlog::set_level(spdlog::level::from_str(settings_.log.level));
            conductor_.settings_changed();
            spdlog::info("reloaded{}",
                         needs_restart ? "; volume, workers, plug-ins and socket change with the next restart"
                                       : "");
        }
        notify_ready(conductor_.summary());
    }

    // From a timer of the loop itself: a loop that does not turn does not feed it.
    void feed_watchdog() {
        const auto interval = watchdog_interval();
        if (!interval) {
            return;
        }
        notify_watchdog();
        notify_status(conductor_.summary());
        if (stopping_) {
            return;
        }
        watchdog_.expires_after(*interval);
        watchdog_.async_wait([this](const boost::system::error_code& failure) {
            if (!failure) {
                feed_watchdog();
            }
        });
    }

    Invocation invocation_;
    Settings settings_;
    boost::asio::io_context loop_{1};
    boost::asio::signal_set signals_;
    boost::asio::steady_timer watchdog_;
    ChildSpawner spawner_;
    JobConductor conductor_;
    Listener listener_;
    std::string own_socket_path_;
    bool stopping_ = false;
};

// Slot i runs on CPU i of the list; more workers than CPUs go round again.
std::vector<int> slots_on(const std::vector<int>& cpus, int count) {
    std::vector<int> slots;
    const auto wanted = count == 0 ? cpus.size() : static_cast<std::size_t>(count);
    for (std::size_t slot = 0; slot < wanted; ++slot) {
        slots.push_back(cpus[slot % cpus.size()]);
    }
    return slots;
}

struct JournalAtStart {
    UniqueDescriptor folder;  // none: no journal is kept
    ReplayedJournal known;
    std::optional<Error> problem;
};

// A folder that cannot be used costs the journal, with a warning. A file in it that is no journal, or another version's,
// stops the daemon: to go on would overwrite it.
JournalAtStart read_the_journal(const Settings& settings, Lifetime lifetime) {
    JournalAtStart start;
    if (lifetime == Lifetime::embedded || !settings.journal.enabled) {
        return start;
    }
    auto folder = open_state_folder(settings);
    if (!folder) {
        spdlog::warn("jobs will not survive a restart: {}", to_text(folder.error()));
        return start;
    }
    auto opened = open_journal(folder->get());
    if (!opened) {
        start.problem = opened.error();
        return start;
    }
    if (opened->contents.damage) {
        const Error report = damage_report(*opened->contents.damage, opened->damaged_copy);
        spdlog::log(opened->contents.damage->kind == DamageKind::torn ? spdlog::level::info
                                                                      : spdlog::level::warn,
                    "journal: {}", to_text(report));
    }
    start.known = replay(opened->contents.records);
    if (opened->contents.damage && !opened->contents.damage->later_jobs.empty()) {
        // What these were is lost; their numbers are not given out again.
        start.known.next_id = std::max(start.known.next_id, opened->contents.damage->later_jobs.back() + 1);
    }
    start.folder = std::move(*folder);
    return start;
}

}  // namespace

Expected<Settings> settings_for(const Invocation& invocation) {
    Expected<Settings> settings = invocation.config_path.empty() ? Expected<Settings>(Settings{})
                                                                 : read_settings(invocation.config_path);
    if (!settings) {
        return settings;
    }
    if (!invocation.socket_path.empty()) {
        settings->socket.path = invocation.socket_path;
    }
    if (!invocation.instance.empty()) {
        settings->instance = invocation.instance;
    }
    if (settings->instance.empty()) {
        settings->instance = fmt::format("user-{}", ::geteuid());
    }
    if (settings->socket.path.empty()) {
        const std::string own = user_socket_path();
        settings->socket.path = ::geteuid() == 0 || own.empty() ? system_socket_path : own;
    }
    std::ranges::copy(invocation.plugins, std::back_inserter(settings->kernels.plugins));
    if (invocation.embedded_socket) {
        settings->instance = fmt::format("embedded-{}", ::getpid());
        settings->volume.populate = Populate::on_demand;
    }
    return settings;
}

std::optional<Error> run_supervisor(const Invocation& invocation, Settings settings) {
    const Lifetime lifetime = invocation.embedded_socket ? Lifetime::embedded : Lifetime::service;
    const auto cpus = choose_cpus(settings.workers.cpus);
    if (!cpus) {
        return cpus.error();
    }
    // Before anything is open that code of a plug-in should not see.
    const PluginRoster plugins = register_plugins(settings.kernels.plugins);
    constexpr auto for_old_children = std::chrono::seconds(20);
    auto lock = InstanceLock::take(settings.instance, for_old_children);
    if (!lock) {
        return lock.error();
    }
    const auto give_names_back = [&lock](std::optional<Error> problem) {
        lock->remove_names();
        return problem;
    };
    const auto bytes = volume_bytes_for(settings.volume.size);
    if (!bytes) {
        return give_names_back(bytes.error());
    }
    auto volume =
        VolumeSegment::open({settings.instance, *bytes,
                             lifetime == Lifetime::embedded ? SegmentName::removed : SegmentName::kept});
    if (!volume) {
        return give_names_back(volume.error());
    }
    if (lifetime == Lifetime::embedded) {
        lock->remove_names();
    }
    spdlog::info("slabd {} instance={} volume={} bytes={} ({}){} workers={} simd={}", SLABD_VERSION,
                 settings.instance, volume->name(), volume->bytes(), byte_size_text(volume->bytes()),
                 volume->adopted() ? " adopted" : "", slots_on(*cpus, settings.workers.count).size(),
                 kernels::simd_level());
    Zygote zygote = start_zygote(*volume, lock->children_descriptor(), plugins.images());
    if (zygote.pid < 0) {
        return give_names_back(Error{ErrorKind::failed, "no process can be forked", errno_text(errno), ""});
    }
    set_process_title("slabd: supervisor");
    const auto close_plainly = std::exchange(close_descriptor, close_in_background);
    std::optional<Error> problem;
    {
        JournalAtStart journal = read_the_journal(settings, lifetime);
        if (journal.problem) {
            if (!volume->adopted()) {
                volume->remove_name();
            }
            return give_names_back(journal.problem);
        }
        Supervisor supervisor(invocation, settings, *volume, lock->children_descriptor(), std::move(zygote),
                              slots_on(*cpus, settings.workers.count), lifetime, std::move(journal.folder),
                              journal.known, plugins);
        problem = supervisor.run(journal.known);
    }
    close_descriptor = close_plainly;
    if (lifetime == Lifetime::service) {
        volume->remove_name();
        lock->remove_names();
    }
    return problem;
}

}  // namespace slab::daemon
