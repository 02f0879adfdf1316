#include "daemon/settings/settings.hpp"

#include "common/errors/nearest_name.hpp"
#include "common/units/byte_size.hpp"
#include "common/units/duration.hpp"

#include <fmt/format.h>
#include <spdlog/common.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

namespace slab::daemon {
namespace {

// Reads one value into the settings; on failure says what the key takes.
using Take = std::function<bool(Settings&, const toml::node&)>;

struct Key {
    std::string name;   // "volume.size"
    std::string takes;  // for people
    Take take;
};

template <typename Check>
Take text(std::string& (*place)(Settings&), Check check) {
    return [place, check](Settings& settings, const toml::node& node) {
        const auto value = node.value_exact<std::string>();
        if (!value || !check(*value)) {
            return false;
        }
        place(settings) = *value;
        return true;
    };
}

template <typename Enum>
Take one_of(Enum& (*place)(Settings&), std::vector<std::pair<std::string, Enum>> names) {
    return [place, names](Settings& settings, const toml::node& node) {
        for (const auto& [name, value] : names) {
            if (node.value_exact<std::string>() == name) {
                place(settings) = value;
                return true;
            }
        }
        return false;
    };
}

Take whole_number(int& (*place)(Settings&), int least, int most) {
    return [=](Settings& settings, const toml::node& node) {
        const auto value = node.value_exact<std::int64_t>();
        if (!value || *value < least || *value > most) {
            return false;
        }
        place(settings) = static_cast<int>(*value);
        return true;
    };
}

Take duration(std::chrono::milliseconds& (*place)(Settings&), std::chrono::milliseconds least) {
    return [place, least](Settings& settings, const toml::node& node) {
        const auto value = parse_duration(node.value_exact<std::string>().value_or(""));
        if (!value || *value < least) {
            return false;
        }
        place(settings) = *value;
        return true;
    };
}

bool anything(const std::string&) {
    return true;
}

bool instance_name(const std::string& name) {
    constexpr std::size_t longest = 40;
    return !name.empty() && name.size() <= longest &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               std::string::npos &&
           name.front() != '.';
}

bool take_mode(Settings& settings, const toml::node& node) {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty() || value->size() > 4 ||
        value->find_first_not_of("01234567") != std::string::npos) {
        return false;
    }
    settings.socket.mode = static_cast<unsigned>(std::stoul(*value, nullptr, 8));
    return settings.socket.mode <= 0777;
}

bool take_tile_bytes(Settings& settings, const toml::node& node) {
    const auto value = parse_byte_size(node.value_exact<std::string>().value_or(""), 0);
    settings.tiles.bytes = value.value_or(0);
    return settings.tiles.bytes > 0;
}

bool take_plugins(Settings& settings, const toml::node& node) {
    const toml::array* const list = node.as_array();
    settings.kernels.plugins.clear();
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        const auto path = (*list)[i].value_exact<std::string>();
        if (!path || !path->starts_with('/')) {
            return false;
        }
        settings.kernels.plugins.push_back(*path);
    }
    return list != nullptr;
}

bool take_journal_enabled(Settings& settings, const toml::node& node) {
    const auto value = node.value_exact<bool>();
    settings.journal.enabled = value.value_or(true);
    return value.has_value();
}

const std::vector<Key>& keys() {
    static const std::vector<Key> list{
        {"instance", "a name of letters, digits and ._-",
         text([](Settings& s) -> std::string& { return s.instance; }, instance_name)},
        {"socket.path", "a path", text([](Settings& s) -> std::string& { return s.socket.path; }, anything)},
        {"socket.group", "a group's name",
         text([](Settings& s) -> std::string& { return s.socket.group; }, anything)},
        {"socket.mode", "an octal text, \"0660\"", take_mode},
        {"volume.size", "a size, \"6GiB\", or a share of the memory, \"40%\"",
         text([](Settings& s) -> std::string& { return s.volume.size; },
              [](const std::string& size) { return parse_byte_size(size, 1'000'000'000'000).has_value(); })},
        {"volume.huge_pages", "\"try\", \"on\" or \"off\"",
         one_of<HugePages>(
             [](Settings& s) -> HugePages& { return s.volume.huge_pages; },
             {{"try", HugePages::attempt}, {"on", HugePages::required}, {"off", HugePages::off}})},
        {"volume.populate", "\"background\" or \"on_demand\"",
         one_of<Populate>([](Settings& s) -> Populate& { return s.volume.populate; },
                          {{"background", Populate::background}, {"on_demand", Populate::on_demand}})},
        {"workers.count", "0 (one per CPU) to 1024",
         whole_number([](Settings& s) -> int& { return s.workers.count; }, 0, 1024)},
        {"workers.cpus", "\"cores\", \"threads\" or a list, \"0-3,8\"",
         text([](Settings& s) -> std::string& { return s.workers.cpus; }, anything)},
        {"workers.nice", "0 to 19", whole_number([](Settings& s) -> int& { return s.workers.nice; }, 0, 19)},
        {"workers.tile_deadline", "a duration, \"60s\"",
         duration([](Settings& s) -> std::chrono::milliseconds& { return s.workers.tile_deadline; },
                  std::chrono::milliseconds(1))},
        {"tiles.bytes", "a size, \"1MiB\"", take_tile_bytes},
        {"kernels.plugins", "a list of absolute paths, [\"/opt/lab/kernels.so\"]", take_plugins},
        {"guests.memory", "a size, \"6GiB\", or a share of the memory, \"25%\"",
         text([](Settings& s) -> std::string& { return s.guests.memory; },
              [](const std::string& size) { return parse_byte_size(size, 1'000'000'000'000).has_value(); })},
        {"guests.idle", "a duration, \"60s\"",
         duration([](Settings& s) -> std::chrono::milliseconds& { return s.guests.idle; },
                  std::chrono::milliseconds(0))},
        {"queue.most_waiting", "1 to 100000",
         whole_number([](Settings& s) -> int& { return s.queue.most_waiting; }, 1, 100'000)},
        {"queue.patience", "a duration, \"30s\"",
         duration([](Settings& s) -> std::chrono::milliseconds& { return s.queue.patience; },
                  std::chrono::milliseconds(1))},
        {"attach.allow", "\"group\", \"owner\" or \"none\"",
         one_of<AttachPolicy>(
             [](Settings& s) -> AttachPolicy& { return s.attach.allow; },
             {{"group", AttachPolicy::group}, {"owner", AttachPolicy::owner}, {"none", AttachPolicy::none}})},
        {"results.history", "0 to 100000",
         whole_number([](Settings& s) -> int& { return s.results.history; }, 0, 100'000)},
        {"results.expire", "a duration, \"24h\", or \"0s\" for never",
         duration([](Settings& s) -> std::chrono::milliseconds& { return s.results.expire; },
                  std::chrono::milliseconds(0))},
        {"quota.kept", "a share of the volume, \"75%\", or a size",
         text([](Settings& s) -> std::string& { return s.quota.kept; },
              [](const std::string& size) { return parse_byte_size(size, 1'000'000'000'000).has_value(); })},
        {"journal.folder", "a path",
         text([](Settings& s) -> std::string& { return s.journal.folder; }, anything)},
        {"journal.enabled", "true or false", take_journal_enabled},
        {"log.level", "\"trace\", \"debug\", \"info\", \"warning\" or \"error\"",
         text([](Settings& s) -> std::string& { return s.log.level; },
              [](const std::string& level) { return spdlog::level::from_str(level) != spdlog::level::off; })},
    };
    return list;
}

Error settings_error(std::string_view source, const toml::source_position& where, std::string what,
                     std::string because, std::string remedy) {
    return {ErrorKind::usage, fmt::format("{}, line {}: {}", source, where.line, what), std::move(because),
            std::move(remedy)};
}

bool is_table(const std::string& name) {
    return std::ranges::any_of(keys(), [&name](const Key& key) { return key.name.starts_with(name + "."); });
}

Error unknown_key(std::string_view source, const toml::source_position& where, const std::string& name) {
    std::vector<std::string> names;
    for (const Key& key : keys()) {
        names.push_back(key.name);
        names.push_back(key.name.substr(0, key.name.find('.')));  // a table's name
    }
    // A key in the wrong table is more likely meant than one that is spelled alike: "workers.size" is volume.size.
    std::string nearest = nearest_name(name, names);
    const std::string leaf = name.substr(name.rfind('.') + 1);
    for (const std::string& known : names) {
        if (nearest.empty() && known.substr(known.rfind('.') + 1) == leaf) {
            nearest = known;
        }
    }
    return settings_error(
        source, where, fmt::format("the key '{}' is not known", name), "",
        nearest.empty() ? "Every key is listed, with its default, in the slabd.toml that comes with slabd."
                        : fmt::format("Did you mean '{}'?", nearest));
}

std::optional<Error> take_value(Settings& settings, const std::string& name, const toml::node& node,
                                std::string_view source) {
    for (const Key& key : keys()) {
        if (key.name != name) {
            continue;
        }
        if (key.take(settings, node)) {
            return std::nullopt;
        }
        std::ostringstream value;
        node.visit([&value](const auto& content) { value << content; });
        return settings_error(source, node.source().begin,
                              fmt::format("'{}' cannot be {}", name, value.str().substr(0, 80)),
                              fmt::format("it takes {}", key.takes), "");
    }
    return unknown_key(source, node.source().begin, name);
}

}  // namespace

Expected<Settings> parse_settings(std::string_view text, std::string_view source) {
    Settings settings;
    try {
        const toml::table document = toml::parse(text, source);
        for (const auto& [name, node] : document) {
            const std::string outer(name.str());
            if (!node.is_table()) {
                if (auto problem = take_value(settings, outer, node, source)) {
                    return std::unexpected(*problem);
                }
                continue;
            }
            if (node.as_table()->empty() && !is_table(outer)) {
                return std::unexpected(unknown_key(source, node.source().begin, outer));
            }
            for (const auto& [leaf, value] : *node.as_table()) {
                if (auto problem =
                        take_value(settings, outer + "." + std::string(leaf.str()), value, source)) {
                    return std::unexpected(*problem);
                }
            }
        }
    } catch (const toml::parse_error& problem) {
        return std::unexpected(settings_error(source, problem.source().begin, "this is not TOML",
                                              std::string(problem.description()), ""));
    }
    return settings;
}

Expected<Settings> read_settings(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        return std::unexpected(Error{ErrorKind::usage,
                                     fmt::format("the configuration '{}' cannot be read", path),
                                     errno_text(errno), "Name a file that exists with --config."});
    }
    return parse_settings(text.str(), path);
}

}  // namespace slab::daemon
