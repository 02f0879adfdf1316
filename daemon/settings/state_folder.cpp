#include "daemon/settings/state_folder.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

std::filesystem::path state_folder(const Settings& settings) {
    if (!settings.journal.folder.empty()) {
        return settings.journal.folder;
    }
    const auto from = [](const char* variable) {
        const char* const value = std::getenv(variable);
        return std::string(value == nullptr ? "" : value);
    };
    std::string base = from("STATE_DIRECTORY");
    base = base.substr(0, base.find(':'));
    if (base.empty() && ::geteuid() == 0) {
        base = "/var/lib/slabd";
    }
    if (base.empty() && !from("XDG_STATE_HOME").empty()) {
        base = from("XDG_STATE_HOME") + "/slabd";
    }
    if (base.empty() && !from("HOME").empty()) {
        base = from("HOME") + "/.local/state/slabd";
    }
    return base.empty() ? std::filesystem::path() : std::filesystem::path(base) / settings.instance;
}

}  // namespace

Expected<UniqueDescriptor> open_state_folder(const Settings& settings) {
    const std::filesystem::path path = state_folder(settings);
    const auto failure = [&path](std::string because) {
        return std::unexpected(
            Error{ErrorKind::failed, fmt::format("no journal can be kept in '{}'", path.string()),
                  std::move(because), "Set journal.folder to a folder that can be written to."});
    };
    if (path.empty()) {
        return failure("neither STATE_DIRECTORY nor HOME says where");
    }
    std::error_code problem;
    const mode_t before = ::umask(0077);
    std::filesystem::create_directories(path, problem);
    ::umask(before);
    if (problem) {
        return failure(problem.message());
    }
    UniqueDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        return failure(errno_text(errno));
    }
    if (::faccessat(folder.get(), ".", W_OK, AT_EACCESS) != 0) {
        return failure(errno_text(errno));
    }
    return folder;
}

}  // namespace slab::daemon
