#include "client/command_line/python_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <unistd.h>
#include <vector>

namespace slab {
namespace {

// -c rather than -m: a Python without the module says so in our own words.
constexpr const char* program = R"(import sys
try:
    from slab.python_command import main
except ImportError as error:
    print(f"error: this Python cannot import slab\nbecause: {sys.executable}: {error}\n"
          "try: Install slabd's Python module and numpy for it, or name another Python in SLABD_PYTHON.", file=sys.stderr)
    sys.exit(2)
sys.exit(main())
)";

}  // namespace

bool wants_python(std::span<const std::string> arguments) {
    return std::ranges::any_of(arguments, [](const std::string& word) {
        return word == "--python" || word.starts_with("--python=");
    });
}

Error become_python(std::span<const std::string> arguments) {
    const char* const chosen = std::getenv("SLABD_PYTHON");
    std::string python = chosen != nullptr && *chosen != '\0' ? chosen : "python3";
    std::vector<std::string> words{python, "-c", program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    ::execvp(python.c_str(), pointers.data());
    return {ErrorKind::usage, "a function in Python needs Python",
            fmt::format("{} cannot be started: {}", python, errno_text(errno)),
            "Install python3 and numpy, or name a Python in SLABD_PYTHON."};
}

}  // namespace slab
