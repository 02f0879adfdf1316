#include "client/command_line/command_line.hpp"

#include "client/command_line/command.hpp"
#include "client/command_line/common_options.hpp"
#include "client/command_line/python_command.hpp"
#include "client/command_line/split_arguments.hpp"
#include "common/errors/nearest_name.hpp"
#include "common/protocol/message.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace slab {
namespace {

std::string overview(const std::vector<std::unique_ptr<Command>>& commands) {
    std::string text = "slab: compute on big arrays with slabd\n\n"
                       "usage: slab COMMAND [ARGUMENTS]...      slab COMMAND --help tells more\n\n";
    for (const auto& command : commands) {
        text += fmt::format("  {:<9} {}\n", command->name(), command->summary());
    }
    return text + "\nfor instance: slab run zoom in.npy -o out.npy --factor 2 --order 0\n";
}

std::vector<KnownOption> options_of(const CLI::App& app) {
    std::vector<KnownOption> known;
    for (const CLI::Option* option : app.get_options()) {
        const auto takes =
            option->get_items_expected_max() > 0 ? KnownOption::Takes::value : KnownOption::Takes::nothing;
        for (const auto* names : {&option->get_lnames(), &option->get_snames()}) {
            for (const std::string& name : *names) {
                known.push_back({name, takes});
            }
        }
    }
    return known;
}

Error unexpected_words(const CLI::App& app, const std::vector<std::string>& words) {
    std::vector<std::string> names;
    for (const KnownOption& option : options_of(app)) {
        names.push_back((option.name.size() > 1 ? "--" : "-") + option.name);
    }
    const std::string& first = words.front();
    const std::string nearest = first.starts_with('-') ? nearest_name(first, names) : "";
    return {ErrorKind::usage,
            first.starts_with('-') ? fmt::format("{} has no option {}", app.get_name(), first)
                                   : fmt::format("'{}' is one argument too many", first),
            "",
            nearest.empty() ? fmt::format("{} --help lists what it takes.", app.get_name())
                            : fmt::format("Did you mean {}?", nearest)};
}

// Reads the arguments into the command. True when there was help to print instead.
Expected<bool> parse(Command& command, CLI::App& app, std::span<const std::string> arguments) {
    std::vector<std::string> words(arguments.begin(), arguments.end());
    if (std::vector<ParameterWord>* parameters = command.parameter_words(); parameters != nullptr) {
        Expected<SplitArguments> split = split_arguments(arguments, options_of(app));
        if (!split) {
            return std::unexpected(split.error());
        }
        *parameters = std::move(split->parameters);
        words = std::move(split->known);
    }
    std::ranges::reverse(words);  // as CLI11 wants a vector
    try {
        app.parse(words);
    } catch (const CLI::CallForHelp&) {
        fmt::print("{}", app.help());
        return true;
    } catch (const CLI::ParseError& failure) {
        return std::unexpected(Error{ErrorKind::usage, failure.what(), "",
                                     fmt::format("{} --help lists what it takes.", app.get_name())});
    }
    if (const std::vector<std::string> left = app.remaining(); !left.empty()) {
        return std::unexpected(unexpected_words(app, left));
    }
    return false;
}

Expected<int> run_command(Command& command, std::span<const std::string> arguments) {
    CLI::App app(std::string(command.summary()), fmt::format("slab {}", command.name()));
    app.allow_extras();
    command.declare(app);
    const Expected<bool> helped = parse(command, app, arguments);
    if (!helped) {
        return std::unexpected(helped.error());
    }
    return *helped ? Expected<int>(0) : command.execute();
}

// How many words are options of every command that stand before it.
std::size_t words_before_command(std::span<const std::string> arguments) {
    std::size_t count = 0;
    while (count < arguments.size()) {
        const std::string& word = arguments[count];
        if (word == "--socket") {
            count += 2;
        } else if (word == "--json" || word.starts_with("--socket=")) {
            ++count;
        } else {
            break;
        }
    }
    return count;
}

Expected<int> dispatch(std::span<const std::string> arguments) {
    const auto commands = all_commands();
    if (arguments.empty()) {
        fmt::print(stderr, "{}", overview(commands));
        return exit_code(ErrorKind::usage);
    }
    // slab --socket X ps is slab ps --socket X.
    if (const std::size_t before = words_before_command(arguments); before > 0 && before < arguments.size()) {
        std::vector<std::string> turned{arguments[before]};
        turned.insert(turned.end(), arguments.begin(),
                      arguments.begin() + static_cast<std::ptrdiff_t>(before));
        turned.insert(turned.end(), arguments.begin() + static_cast<std::ptrdiff_t>(before) + 1,
                      arguments.end());
        return dispatch(turned);
    }
    const std::string& first = arguments.front();
    if (first == "--help" || first == "-h" || first == "help") {
        fmt::print("{}", overview(commands));
        return 0;
    }
    if (first == "--version") {
        fmt::print("slab {}\n", SLABD_VERSION);
        return 0;
    }
    std::vector<std::string> names;
    if (first == "run" && wants_python(arguments)) {
        return std::unexpected(become_python(arguments.subspan(1)));
    }
    for (const auto& command : commands) {
        if (command->name() == first) {
            return run_command(*command, arguments.subspan(1));
        }
        names.emplace_back(command->name());
    }
    const std::string nearest = nearest_name(first, names);
    return std::unexpected(Error{ErrorKind::usage, fmt::format("slab has no command '{}'", first),
                                 fmt::format("its commands are {}", fmt::join(names, ", ")),
                                 nearest.empty() ? "slab --help says what each does."
                                                 : fmt::format("Did you mean 'slab {}'?", nearest)});
}

bool wants_json(std::span<const std::string> arguments) {
    const auto end = std::ranges::find(arguments, "--");
    return std::find(arguments.begin(), end, "--json") != end;
}

}  // namespace

std::vector<std::unique_ptr<Command>> all_commands() {
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(make_run_command());
    commands.push_back(make_submit_command());
    commands.push_back(make_ps_command());
    commands.push_back(make_show_command());
    commands.push_back(make_wait_command());
    commands.push_back(make_cancel_command());
    commands.push_back(make_resume_command());
    commands.push_back(make_fetch_command());
    commands.push_back(make_drop_command());
    commands.push_back(make_kernels_command());
    commands.push_back(make_status_command());
    commands.push_back(make_trim_command());
    commands.push_back(make_doctor_command());
    return commands;
}

int run_command_line(std::span<const std::string> arguments) {
    Expected<int> result = 0;
    try {
        result = dispatch(arguments);
    } catch (const std::exception& failure) {
        result = std::unexpected(Error{ErrorKind::failed, "the client failed", failure.what(),
                                       "This is a fault of slab; please report it with the command line."});
    }
    if (result) {
        return *result;
    }
    fmt::print(stderr, "{}\n", to_text(result.error()));
    if (wants_json(arguments)) {
        print_json(Json{{"error", error_to_json(result.error())}}.dump(-1, ' ', false,
                                                                       Json::error_handler_t::replace));
    }
    return exit_code(result.error().kind);
}

}  // namespace slab
