#include "client/command_line/job_file.hpp"

#include "common/errors/nearest_name.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace slab {
namespace {

class JobFileReader {
  public:
    explicit JobFileReader(std::string path) : path_(std::move(path)) {
        const std::size_t slash = path_.rfind('/');
        folder_ = slash == std::string::npos ? "" : path_.substr(0, slash + 1);
        arguments_.folder = folder_;
    }

    Expected<JobArguments> read() {
        std::ifstream stream(path_);
        std::stringstream text;
        if (!stream || !(text << stream.rdbuf())) {
            return std::unexpected(Error{ErrorKind::usage, path_ + ": the job file cannot be read",
                                         errno_text(errno), "Look at the spelling of the path."});
        }
        try {
            const toml::table table = toml::parse(text.str(), path_);
            for (const auto& [key, value] : table) {
                take(key.str(), value);
            }
        } catch (const toml::parse_error& failure) {
            refuse(failure.source().begin.line, "is no TOML", std::string(failure.description()), "");
        }
        return error_ ? Expected<JobArguments>(std::unexpected(*error_)) : Expected<JobArguments>(arguments_);
    }

  private:
    // The first error in the file stays.
    void refuse(toml::source_index line, std::string_view what, std::string because, std::string remedy) {
        if (!error_ || line < error_line_) {
            error_line_ = line;
            error_ = Error{ErrorKind::usage, fmt::format("{} line {}: {}", path_, line, what),
                           std::move(because), std::move(remedy)};
        }
    }
    void refuse_type(const toml::node& node, std::string_view key, std::string_view wanted) {
        refuse(node.source().begin.line, fmt::format("'{}' must be {}", key, wanted), "", "");
    }
    void refuse_key(const toml::node& node, std::string_view key, std::span<const std::string> known) {
        const std::string nearest = nearest_name(key, known);
        refuse(node.source().begin.line, fmt::format("'{}' is no key here", key),
               fmt::format("the keys are {}", fmt::join(known, ", ")),
               nearest.empty() ? "A kernel's parameters go into the table [parameters]."
                               : fmt::format("Did you mean '{}'?", nearest));
    }

    void take(std::string_view key, const toml::node& node) {
        static const std::array<std::string, 12> known{
            "kernel",         "inputs",   "output",     "output_format", "overwrite", "keep",
            "wait_for_space", "priority", "max_memory", "tile_bytes",    "name",      "parameters"};
        if (key == "kernel") {
            take_text(key, node, arguments_.kernel);
        } else if (key == "inputs") {
            take_inputs(node);
        } else if (key == "output") {
            take_text(key, node, arguments_.output);
            arguments_.output = arguments_.output == "-" ? "-" : from_folder(arguments_.output);
        } else if (key == "output_format") {
            take_text(key, node, arguments_.output_format);
        } else if (key == "wait_for_space") {
            take_flag(key, node, arguments_.wait_for_space);
        } else if (key == "overwrite") {
            take_flag(key, node, arguments_.overwrite);
        } else if (key == "keep") {
            take_flag(key, node, arguments_.keep);
        } else if (key == "priority") {
            take_integer(key, node, arguments_.priority);
        } else if (key == "max_memory") {
            take_size(key, node, arguments_.max_memory);
        } else if (key == "tile_bytes") {
            take_size(key, node, arguments_.tile_bytes);
        } else if (key == "name") {
            take_text(key, node, arguments_.name);
        } else if (key == "parameters") {
            take_parameters(node);
        } else {
            refuse_key(node, key, known);
        }
    }

    void take_text(std::string_view key, const toml::node& node, std::string& place) {
        if (const auto text = node.value_exact<std::string>()) {
            place = *text;
        } else {
            refuse_type(node, key, "a text");
        }
    }
    void take_flag(std::string_view key, const toml::node& node, bool& place) {
        if (const auto flag = node.value_exact<bool>()) {
            place = *flag;
        } else {
            refuse_type(node, key, "true or false");
        }
    }
    void take_integer(std::string_view key, const toml::node& node, std::int64_t& place) {
        if (const auto number = node.value_exact<std::int64_t>()) {
            place = *number;
        } else {
            refuse_type(node, key, "a whole number");
        }
    }
    void take_size(std::string_view key, const toml::node& node, std::string& place) {
        if (const auto number = node.value_exact<std::int64_t>()) {
            place = std::to_string(*number);
        } else if (const auto text = node.value_exact<std::string>()) {
            place = *text;
        } else {
            refuse_type(node, key, "a size: \"6GiB\", \"50%\" or bytes");
        }
    }

    void take_inputs(const toml::node& node) {
        if (const toml::array* list = node.as_array(); list != nullptr) {
            for (const toml::node& item : *list) {
                take_input(item);
            }
        } else {
            take_input(node);
        }
    }

    void take_input(const toml::node& node) {
        JobArguments::Input input;
        if (const toml::table* table = node.as_table(); table != nullptr) {
            for (const auto& [key, value] : *table) {
                take_input_key(key.str(), value, input);
            }
        } else {
            take_text("inputs", node, input.path);
        }
        if (input.path.empty()) {
            refuse_type(node, "inputs", "a path, or a table with a path, or a list of these");
        }
        input.path = from_folder(input.path);
        arguments_.inputs.push_back(std::move(input));
    }

    void take_input_key(std::string_view key, const toml::node& node, JobArguments::Input& input) {
        static const std::array<std::string, 5> known{"path", "dtype", "shape", "order", "offset"};
        if (key == "path") {
            take_text(key, node, input.path);
        } else if (key == "dtype") {
            take_text(key, node, input.raw.dtype);
        } else if (key == "order") {
            take_text(key, node, input.raw.order);
        } else if (key == "offset") {
            std::int64_t offset = 0;
            take_integer(key, node, offset);
            input.raw.offset = offset;
        } else if (key == "shape") {
            const std::optional<std::vector<std::int64_t>> extents = integers(node);
            if (extents) {
                input.raw.shape = fmt::format("{}", fmt::join(*extents, ","));
            } else {
                refuse_type(node, key, "a list of whole numbers");
            }
        } else {
            refuse_key(node, key, known);
        }
    }

    void take_parameters(const toml::node& node) {
        const toml::table* table = node.as_table();
        if (table == nullptr) {
            refuse_type(node, "parameters", "a table");
            return;
        }
        for (const auto& [key, value] : *table) {
            if (const toml::array* list = value.as_array(); list != nullptr && is_nested(*list)) {
                take_table(key.str(), *list);
            } else if (const auto typed = parameter(value)) {
                arguments_.parameters.insert_or_assign(std::string(key.str()), *typed);
            } else {
                refuse_type(value, key.str(),
                            "a number, a text, true or false, a list of numbers, or a list of rows");
            }
        }
    }

    static bool is_nested(const toml::array& list) {
        return std::ranges::any_of(list, [](const toml::node& item) { return item.is_array(); });
    }

    void take_table(std::string_view key, const toml::array& rows) {
        NumberTable table;
        for (const toml::node& row : rows) {
            ++table.rows;
            const auto numbers = reals(row);
            if (!numbers || numbers->empty()) {
                refuse_type(row, key, "made of rows of numbers");
                return;
            }
            const auto count = static_cast<std::int64_t>(numbers->size());
            table.columns = table.rows == 1 ? count : table.columns;
            if (count != table.columns) {
                refuse(row.source().begin.line, fmt::format("the rows of '{}' differ in length", key),
                       fmt::format("row {} has {} number{} where the others have {}", table.rows, count,
                                   count == 1 ? "" : "s", table.columns),
                       "Give every row equally many numbers.");
                return;
            }
            table.values.insert(table.values.end(), numbers->begin(), numbers->end());
        }
        arguments_.parameters.insert_or_assign(std::string(key), std::move(table));
    }

    static std::optional<ParameterValue> parameter(const toml::node& node) {
        if (const auto number = node.value_exact<std::int64_t>()) {
            return ParameterValue(*number);
        }
        if (const auto number = node.value_exact<double>()) {
            return ParameterValue(*number);
        }
        if (const auto text = node.value_exact<std::string>()) {
            return ParameterValue(*text);
        }
        if (const auto flag = node.value_exact<bool>()) {
            return ParameterValue(*flag);
        }
        if (const auto whole = integers(node)) {
            return ParameterValue(*whole);
        }
        if (const auto real = reals(node)) {
            return ParameterValue(*real);
        }
        return std::nullopt;
    }

    static std::optional<std::vector<std::int64_t>> integers(const toml::node& node) {
        const toml::array* list = node.as_array();
        if (list == nullptr) {
            return std::nullopt;
        }
        std::vector<std::int64_t> values;
        for (const toml::node& item : *list) {
            const auto number = item.value_exact<std::int64_t>();
            if (!number) {
                return std::nullopt;
            }
            values.push_back(*number);
        }
        return values;
    }

    static std::optional<std::vector<double>> reals(const toml::node& node) {
        const toml::array* list = node.as_array();
        if (list == nullptr) {
            return std::nullopt;
        }
        std::vector<double> values;
        for (const toml::node& item : *list) {
            const auto number = item.is_number() ? item.value<double>() : std::nullopt;
            if (!number) {
                return std::nullopt;
            }
            values.push_back(*number);
        }
        return values;
    }

    std::string from_folder(const std::string& path) const {
        return path.empty() || path.starts_with('/') ? path : folder_ + path;
    }

    std::string path_;
    std::string folder_;
    JobArguments arguments_;
    std::optional<Error> error_;
    toml::source_index error_line_ = 0;
};

}  // namespace

Expected<JobArguments> read_job_file(const std::string& path) {
    return JobFileReader(path).read();
}

}  // namespace slab
