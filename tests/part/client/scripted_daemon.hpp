#pragma once

#include "common/protocol/message.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <utility>
#include <vector>

namespace slab::test {

// A daemon of one connection at a time that follows a script: a function a request. When it has left, the next
// connection finds its successor.
class ScriptedDaemon {
  public:
    using Script = std::function<void(const ScriptedDaemon& daemon, Message& request)>;

    ScriptedDaemon(std::string path, Script script) : path_(std::move(path)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
        listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
        REQUIRE(::listen(listener_.get(), 1) == 0);
        thread_ = std::jthread([this, script = std::move(script)] { serve(script); });
    }
    ~ScriptedDaemon() { ::shutdown(listener_.get(), SHUT_RDWR); }

    void send(const Json& body, std::vector<UniqueDescriptor> descriptors = {}) const {
        send_packet(client_.get(), encode_message(body, std::move(descriptors)));
    }
    void answer(const Message& request, Json body, std::vector<UniqueDescriptor> descriptors = {}) const {
        body["answer"] = request.body["request"];
        body["tag"] = request.body["tag"];
        send(body, std::move(descriptors));
    }
    void end_conversation() const { ::shutdown(client_.get(), SHUT_RDWR); }
    int requests() const { return requests_; }

  private:
    void serve(const Script& script) {
        do {
            leaving_ = false;
            client_.reset(::accept(listener_.get(), nullptr, nullptr));
            converse(script);
        } while (client_ || leaving_);
    }
    void converse(const Script& script) {
        Packet packet;
        while (client_ && receive_packet(client_.get(), packet) == Transfer::moved) {
            auto message = decode_message(std::move(packet));
            if (!message) {
                return;
            }
            ++requests_;
            if (message->body["request"] == "hello") {
                answer(
                    *message,
                    {{"protocol", 1}, {"version", "9"}, {"instance", "test"}, {"pid", 1}, {"simd", "none"}});
            } else if (message->body["request"] == "leave") {
                return;
            } else {
                script(*this, *message);
            }
            if (leaving_) {
                client_.reset();
                return;
            }
        }
    }

  public:
    mutable std::atomic<bool> leaving_ = false;

  private:
    std::string path_;
    UniqueDescriptor listener_;
    UniqueDescriptor client_;
    std::atomic<int> requests_ = 0;
    std::jthread thread_;
};

inline Json job_json(int id, const char* state, const char* outcome = nullptr) {
    return {{"id", id},
            {"kernel", "zoom"},
            {"state", state},
            {"outcome", outcome == nullptr ? Json() : Json(outcome)}};
}

}  // namespace slab::test
