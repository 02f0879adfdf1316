#include "client/library/connection.hpp"

#include "client/library/answer_parts.hpp"
#include "client/library/answers.hpp"
#include "client/library/daemon_socket.hpp"
#include "client/library/link.hpp"
#include "client/library/reconnection.hpp"
#include "client/library/request_body.hpp"

#include <fmt/format.h>

namespace slab {
namespace {

// An embedded daemon forks its children before it answers; a machine that swaps may take its time.
constexpr std::chrono::seconds hello_patience{30};

template <typename Convert>
auto list_in(const Message& message, std::string_view request, std::string_view key, Convert convert)
    -> Expected<std::vector<decltype(convert(message.body))>> {
    const auto list = message.body.find(key);
    if (list == message.body.end() || !list->is_array()) {
        return std::unexpected(unreadable(request));
    }
    std::vector<decltype(convert(message.body))> result;
    for (const Json& item : *list) {
        result.push_back(convert(item));
    }
    return result;
}

PluginInfo plugin_from(const Json& json) {
    PluginInfo plugin{text_or(json, "plugin"), {}, std::nullopt};
    for (const Json& kernel : json.value("kernels", Json::array())) {
        plugin.kernels.push_back(kernel.is_string() ? kernel.get<std::string>() : "");
    }
    if (const auto refused = json.find("refused"); refused != json.end() && refused->is_object()) {
        plugin.refusal = error_from_json(*refused);
    }
    return plugin;
}

// What an answer says beside the fields of every answer.
Json content_of(const Message& message) {
    Json content = message.body;
    content.erase("answer");
    content.erase("tag");
    return content;
}

}  // namespace

Connection::Connection(std::unique_ptr<Link> link, std::string client)
    : link_(std::move(link)), client_(std::move(client)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Expected<Connection> Connection::open(const ConnectOptions& options) {
    Expected<Attempt> attempt = try_open(options);
    if (!attempt) {
        return std::unexpected(attempt.error());
    }
    if (!attempt->connection) {
        return std::unexpected(
            Error{ErrorKind::no_daemon, "no daemon is running", attempt->absence,
                  "Start one (systemctl start slabd, or slabd & for yourself), or name its "
                  "socket with --socket or SLABD_SOCKET."});
    }
    return std::move(*attempt->connection);
}

Expected<Connection::Attempt> Connection::try_open(const ConnectOptions& options) {
    const Expected<std::chrono::milliseconds> patience = reconnect_patience(options.reconnect_for);
    if (!patience) {
        return std::unexpected(patience.error());
    }
    Expected<SocketSearch> search = find_daemon_socket(options.socket);
    if (!search) {
        return std::unexpected(search.error());
    }
    if (!search->socket) {
        return Attempt{std::nullopt, std::move(search->absence), search->left_behind};
    }
    Connection connection(std::make_unique<Link>(std::move(search->socket), std::nullopt), options.client);
    connection.daemon_.socket = search->path;
    connection.reconnect_for_ = *patience;
    if (auto greeted = connection.greet(hello_patience); !greeted) {
        return std::unexpected(greeted.error());
    }
    return Attempt{std::move(connection), {}, false};
}

Expected<Connection> Connection::start_embedded(const ConnectOptions& options) {
    Expected<EmbeddedDaemon::Started> started = EmbeddedDaemon::start(options.plugins);
    if (!started) {
        return std::unexpected(started.error());
    }
    Connection connection(std::make_unique<Link>(std::move(started->socket), std::move(started->daemon)),
                          options.client);
    if (auto greeted = connection.greet(hello_patience); !greeted) {
        Error error = greeted.error();
        if (error.kind == ErrorKind::interrupted) {
            error.kind = ErrorKind::no_daemon;
            error.what = "a private daemon was started and ended at once";
        }
        return std::unexpected(error);
    }
    for (const PluginInfo& plugin : connection.daemon_.plugins) {
        if (plugin.refusal) {
            return std::unexpected(*plugin.refusal);
        }
    }
    return connection;
}

bool Connection::is_embedded() const {
    return link_->is_embedded();
}

Expected<void> Connection::greet(std::chrono::milliseconds patience) {
    const auto answer =
        link_->ask("hello", {{"protocol", protocol_version}, {"client", client_}}, {}, patience);
    if (!answer) {
        return std::unexpected(answer.error());
    }
    daemon_.version = text_or(answer->body, "version");
    daemon_.instance = text_or(answer->body, "instance");
    daemon_.pid = integer_or(answer->body, "pid", 0);
    daemon_.simd = text_or(answer->body, "simd");
    daemon_.plugins.clear();
    for (const Json& plugin : answer->body.value("plugins", Json::array())) {
        daemon_.plugins.push_back(plugin_from(plugin));
    }
    const std::int64_t protocol = integer_or(answer->body, "protocol", 0);
    if (protocol != protocol_version) {
        return std::unexpected(
            Error{ErrorKind::refused, "the daemon speaks another protocol than this client",
                  fmt::format("slabd {} speaks protocol {}, this client {}", daemon_.version, protocol,
                              protocol_version),
                  "Install slab and slabd of the same version, and restart the daemon after an upgrade."});
    }
    return {};
}

Expected<std::vector<KernelInfo>> Connection::kernels() {
    const auto answer = link_->ask("kernels", Json::object());
    if (!answer) {
        return std::unexpected(answer.error());
    }
    return list_in(*answer, "kernels", "kernels", kernel_info_from);
}

Expected<KernelInfo> Connection::kernel(std::string_view name) {
    const auto answer = link_->ask("kernels", {{"name", name}});
    if (!answer) {
        return std::unexpected(answer.error());
    }
    auto kernels = list_in(*answer, "kernels", "kernels", kernel_info_from);
    if (!kernels) {
        return std::unexpected(kernels.error());
    }
    if (kernels->size() != 1) {
        return std::unexpected(Error{ErrorKind::usage, fmt::format("there is no kernel '{}'", name), "",
                                     "List the kernels with: slab kernels."});
    }
    return std::move(kernels->front());
}

Expected<PlannedJob> Connection::plan(const JobRequest& request) {
    const auto answer = link_->ask("plan", request_body(request));
    if (!answer) {
        return std::unexpected(answer.error());
    }
    return planned_job_from(content_of(*answer));
}

Expected<Attachment> Connection::attach(std::int64_t job) {
    auto answer = link_->ask("attach", {{"job", job}});
    if (!answer) {
        return std::unexpected(answer.error());
    }
    const Expected<ArrayAndOrder> array = array_from_json(answer->body);
    const std::int64_t offset = integer_or(answer->body, "offset", -1);
    if (!array || offset < 0 || answer->descriptors.size() != 1) {
        return std::unexpected(unreadable("attach"));
    }
    return Attachment::map(array->array, std::move(answer->descriptors.front()), offset);
}

Expected<JobStatus> Connection::cancel(std::int64_t job) {
    return ask_about("cancel", job);
}
Expected<JobStatus> Connection::drop(std::int64_t job) {
    return ask_about("drop", job);
}
Expected<JobStatus> Connection::show(std::int64_t job) {
    return ask_about("show", job);
}

Expected<JobStatus> Connection::ask_about(std::string_view request, std::int64_t job) {
    const auto answer = link_->ask(request, {{"job", job}});
    if (!answer) {
        return std::unexpected(answer.error());
    }
    return job_in(*answer, request);
}

Expected<std::vector<JobStatus>> Connection::list(ListScope scope) {
    const auto answer = link_->ask("list", {{"all", scope == ListScope::all}});
    if (!answer) {
        return std::unexpected(answer.error());
    }
    return list_in(*answer, "list", "jobs", job_status_from);
}

Expected<Connection::Fetched> Connection::fetch(std::int64_t job, int descriptor, std::int64_t offset) {
    return fetch(job, OutputTarget{.descriptor = descriptor, .offset = offset});
}

Expected<Connection::Fetched> Connection::fetch(std::int64_t job, const OutputTarget& target) {
    Json body = output_to_json(target);
    body["job"] = job;
    const auto answer = link_->ask("fetch", std::move(body), std::span(&target.descriptor, 1));
    if (!answer) {
        return std::unexpected(answer.error());
    }
    return Fetched{integer_or(answer->body, "bytes", 0), real_or(answer->body, "flush_s", 0)};
}

Expected<std::string> Connection::status() {
    const auto answer = link_->ask("status", Json::object());
    if (!answer) {
        return std::unexpected(answer.error());
    }
    return content_of(*answer).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Expected<std::int64_t> Connection::trim() {
    const auto answer = link_->ask("trim", Json::object());
    if (!answer) {
        return std::unexpected(answer.error());
    }
    return integer_or(answer->body, "bytes", 0);
}

void Connection::stop_when_readable(int descriptor) {
    link_->stop_when_readable(descriptor);
}

void Connection::on_presence(PresenceCallback callback) {
    on_presence_ = std::move(callback);
}

}  // namespace slab
