#include "common/errors/error.hpp"

#include <array>
#include <system_error>

namespace slab {
namespace {

struct KindFacts {
    std::string_view name;
    int exit_code;
};

constexpr std::array<KindFacts, 6> facts{{
    {"failed", 1},
    {"usage", 2},
    {"refused", 3},
    {"no_daemon", 4},
    {"interrupted", 5},
    {"cancelled", 130},
}};

}  // namespace

int exit_code(ErrorKind kind) {
    return facts[static_cast<std::size_t>(kind)].exit_code;
}

std::string_view name_of(ErrorKind kind) {
    return facts[static_cast<std::size_t>(kind)].name;
}

ErrorKind error_kind_named(std::string_view name) {
    for (std::size_t i = 0; i < facts.size(); ++i) {
        if (facts[i].name == name) {
            return static_cast<ErrorKind>(i);
        }
    }
    return ErrorKind::failed;
}

std::string to_text(const Error& error) {
    std::string text = "error: " + error.what;
    if (!error.because.empty()) {
        text += "\nbecause: " + error.because;
    }
    if (!error.remedy.empty()) {
        text += "\ntry: " + error.remedy;
    }
    return text;
}

std::string errno_text(int code) {
    return std::generic_category().message(code);
}

}  // namespace slab
