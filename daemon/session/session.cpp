#include "daemon/session/session.hpp"

#include "daemon/session/request_decoding.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace slab::daemon {

Session::Session(boost::asio::io_context& loop, UniqueDescriptor socket, ClientId id, Peer peer,
                 Service& service)
    : channel_(std::make_shared<PacketChannel>(loop, std::move(socket))), id_(id), peer_(std::move(peer)),
      service_(service) {}

void Session::start(OnEnd on_end) {
    on_end_ = std::move(on_end);
    spdlog::debug("client={} user={} connected", id_, peer_.user);
    const std::weak_ptr<Session> weak = weak_from_this();
    channel_->start(
        [weak](Packet&& packet) {
            if (const auto self = weak.lock()) {
                self->received(std::move(packet));
            }
        },
        [weak] {
            if (const auto self = weak.lock()) {
                self->on_end_(self->id_);
            }
        });
}

void Session::close() {
    channel_->close();
}

void Session::received(Packet&& packet) {
    auto message = decode_message(std::move(packet));
    if (!message) {
        answer_error(nullptr, message.error());
        spdlog::info("client={} user={} sent garbage: disconnected", id_, peer_.user);
        channel_->close();
        on_end_(id_);
        return;
    }
    const std::string name = text_or(message->body, "request");
    if (!greeted_ && name != "hello") {
        answer_error(message->body.value("tag", Json()), {ErrorKind::usage, "the first request must be hello",
                                                          "", "See common/protocol/README.md."});
        return;
    }
    dispatch(name, *message);
}

void Session::dispatch(const std::string& name, Message& message) {
    const Json tag = message.body.value("tag", Json());
    const auto job = static_cast<JobId>(integer_or(message.body, "job", 0));
    if (name == "hello") {
        if (const auto spoken = integer_or(message.body, "protocol", 0); spoken != protocol_version) {
            answer_error(
                tag, {ErrorKind::usage, "client and daemon speak different protocols",
                      fmt::format("the client speaks version {}, the daemon {}", spoken, protocol_version),
                      "Install both from the same release."});
            return;
        }
        greeted_ = true;
        answer(name, tag, service_.hello());
    } else if (name == "kernels") {
        answer_expected(name, tag, service_.kernels(text_or(message.body, "name")));
    } else if (name == "plan") {
        const auto request = decode_job_request(message, Descriptors::none);
        answer_expected(name, tag, request ? service_.plan(*request) : std::unexpected(request.error()));
    } else if (name == "submit") {
        submit(message, tag);
    } else if (name == "resume") {
        resume(message, tag);
    } else if (name == "list") {
        answer(name, tag, {{"jobs", service_.list(flag_or(message.body, "all", false))}});
    } else if (name == "show" || name == "watch") {
        const auto shown = service_.show(job);
        if (shown && name == "watch" && text_or((*shown)["job"], "state") != name_of(JobState::ended)) {
            watched_.insert(job);
        }
        answer_expected(name, tag, shown);
    } else if (name == "cancel") {
        service_.cancel(id_, peer_, job, later(name, tag));
    } else if (name == "attach") {
        attach(job, tag);
    } else if (name == "guests") {
        guests(job, integer_or(message.body, "count", 0), tag);
    } else if (name == "fetch") {
        fetch(message, tag);
    } else if (name == "drop") {
        answer_expected(name, tag, service_.drop(peer_, job));
    } else if (name == "status") {
        answer(name, tag, service_.status());
    } else if (name == "trim") {
        service_.trim(id_, peer_, later(name, tag));
    } else {
        answer_error(tag, {ErrorKind::usage, fmt::format("there is no request '{}'", name.substr(0, 80)), "",
                           "See common/protocol/README.md."});
    }
}

void Session::submit(Message& message, const Json& tag) {
    auto request = decode_job_request(message, Descriptors::required);
    if (!request) {
        answer_error(tag, request.error());
        return;
    }
    service_.submit(id_, peer_, std::move(*request),
                    watching("submit", tag, flag_or(message.body, "watch", false)));
}

void Session::resume(Message& message, const Json& tag) {
    auto request = decode_resume(message);
    if (!request) {
        answer_error(tag, request.error());
        return;
    }
    service_.resume(id_, peer_, std::move(*request),
                    watching("resume", tag, flag_or(message.body, "watch", false)));
}

// The answer brings a job, whose events are wanted from then on.
JobAnswer Session::watching(std::string name, Json tag, bool watch) {
    return [weak = weak_from_this(), name = std::move(name), tag = std::move(tag),
            watch](Expected<Json> result) {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        if (result && watch && text_or((*result)["job"], "state") != name_of(JobState::ended)) {
            self->watched_.insert((*result)["job"]["id"].get<JobId>());
        }
        self->answer_expected(name, tag, std::move(result));
    };
}

void Session::fetch(Message& message, const Json& tag) {
    auto output = decode_output(message.body);
    if (!output || message.descriptors.size() != 1) {
        answer_error(tag,
                     output ? Error{ErrorKind::usage, "fetch takes one descriptor", "", ""} : output.error());
        return;
    }
    service_.fetch(id_, peer_, static_cast<JobId>(integer_or(message.body, "job", 0)), std::move(*output),
                   std::move(message.descriptors.front()), later("fetch", tag));
}

void Session::attach(JobId job, const Json& tag) {
    auto grant = service_.attach(peer_, job);
    if (!grant) {
        answer_error(tag, grant.error());
        return;
    }
    std::vector<UniqueDescriptor> descriptors;
    descriptors.push_back(std::move(grant->volume));
    answer("attach", tag, std::move(grant->array), std::move(descriptors));
}

void Session::guests(JobId job, std::int64_t count, const Json& tag) {
    service_.guests(id_, peer_, job, count, [weak = weak_from_this(), tag](Expected<GuestGrant> grant) {
        const auto self = weak.lock();
        if (self && grant) {
            self->answer("guests", tag, std::move(grant->facts), std::move(grant->descriptors));
        } else if (self) {
            self->answer_error(tag, grant.error());
        }
    });
}

void Session::job_event(JobId job, JobState state, const std::string& encoded) {
    if (!watched_.contains(job)) {
        return;
    }
    if (state == JobState::ended) {
        watched_.erase(job);
    } else if (channel_->has_backlog()) {
        return;
    }
    channel_->send(encoded);
}

void Session::answer(const std::string& name, const Json& tag, Json body,
                     std::vector<UniqueDescriptor> descriptors) {
    body["answer"] = name;
    body["tag"] = tag;
    OutgoingPacket packet = encode_message(body, std::move(descriptors));
    channel_->send(std::move(packet.bytes), std::move(packet.descriptors));
}

void Session::answer_error(const Json& tag, const Error& error) {
    channel_->send(encode_message(Json{{"error", error_to_json(error)}, {"tag", tag}}).bytes);
}

void Session::answer_expected(const std::string& name, const Json& tag, Expected<Json> result) {
    if (result) {
        answer(name, tag, std::move(*result));
    } else {
        answer_error(tag, result.error());
    }
}

JobAnswer Session::later(std::string name, Json tag) {
    return [weak = weak_from_this(), name = std::move(name), tag = std::move(tag)](Expected<Json> result) {
        if (const auto self = weak.lock()) {
            self->answer_expected(name, tag, std::move(result));
        }
    };
}

}  // namespace slab::daemon
