#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace slab {

// Sorted by who must act; each has its own exit code on the command line.
enum class ErrorKind : std::uint8_t {
    failed,       // the job ran and failed
    usage,        // the request is wrong: a parameter, a file, a shape
    refused,      // the request is right and cannot be granted here: no room, no permission
    no_daemon,    // nobody answers at the socket
    interrupted,  // the daemon went away while the job ran
    cancelled,    // somebody wanted it so
};

int exit_code(ErrorKind kind);
std::string_view name_of(ErrorKind kind);
ErrorKind error_kind_named(std::string_view name);

// What went wrong, in one line and without jargon; because: the facts and the numbers; remedy: a full sentence that
// says what to do. The last two may be empty.
struct Error {
    ErrorKind kind = ErrorKind::failed;
    std::string what;
    std::string because;
    std::string remedy;
};

// "error: ...\nbecause: ...\ntry: ...", without a final newline.
std::string to_text(const Error& error);

template <typename T>
using Expected = std::expected<T, Error>;

// The text of an errno value: "No such file or directory".
std::string errno_text(int code);

}  // namespace slab
