#include "client/formats/output_stream.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace slab {
namespace {

std::unexpected<Error> refuse(std::string what, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)});
}

Expected<UniqueDescriptor> standard_output() {
    const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
        return refuse("the result cannot go to the standard output", "it is not open for writing",
                      "Give -o FILE, or lead the output into a pipe or a file.");
    }
    if (::isatty(STDOUT_FILENO) == 1) {
        return refuse("the result would go to the terminal",
                      "-o - writes the array's bytes to the standard output",
                      "Give -o FILE, or lead the output into a pipe: slab run ... -o - | PROGRAM.");
    }
    return UniqueDescriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
}

}  // namespace

OutputPlace output_place_of(const std::string& path) {
    struct stat status {};
    if (path == "-") {
        return OutputPlace::standard_output;
    }
    return ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode) ? OutputPlace::pipe
                                                                          : OutputPlace::file;
}

Expected<UniqueDescriptor> open_output_stream(OutputPlace place, const std::string& path) {
    if (place == OutputPlace::standard_output) {
        return standard_output();
    }
    UniqueDescriptor pipe(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (!pipe) {
        return refuse(path + ": the pipe cannot be opened", errno_text(errno), "Look at its permissions.");
    }
    return pipe;
}

}  // namespace slab
