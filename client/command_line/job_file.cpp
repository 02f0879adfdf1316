#include "client/command_line/job_file.hpp"

#include "client/command_line/toml_parameters.hpp"
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
        static const std::array<std::string, 15> known{
            "kernel", "inputs",         "output",       "output_format", "overwrite",
            "keep",   "wait_for_space", "priority",     "max_memory",    "tile_bytes",
            "name",   "motion_out",     "write_params", "parameters",    "step"};
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
        } else if (key == "motion_out") {
            std::string prefix;
            take_text(key, node, prefix);
            arguments_.motion_out = prefix == "none" ? prefix : from_folder(prefix);
        } else if (key == "write_params") {
            take_text(key, node, arguments_.write_params);
        } else if (key == "parameters") {
            take_parameters(node, arguments_.parameters);
        } else if (key == "step") {
            take_steps(node);
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
            const std::optional<std::vector<std::int64_t>> extents = integers_from_toml(node);
            if (extents) {
                input.raw.shape = fmt::format("{}", fmt::join(*extents, ","));
            } else {
                refuse_type(node, key, "a list of whole numbers");
            }
        } else {
            refuse_key(node, key, known);
        }
    }

    void take_parameters(const toml::node& node, Parameters& place) {
        if (const auto problem = parameters_from_toml(node, place)) {
            refuse(problem->line, problem->what, problem->because, problem->remedy);
        }
    }

    void take_steps(const toml::node& node) {
        const toml::array* list = node.as_array();
        if (list == nullptr || !list->is_array_of_tables()) {
            refuse_type(node, "step", "a list of tables: each begins with [[step]]");
            return;
        }
        for (const toml::node& item : *list) {
            StepArguments step;
            for (const auto& [key, value] : *item.as_table()) {
                take_step_key(key.str(), value, step);
            }
            if (step.kernel.empty()) {
                refuse(item.source().begin.line, "the step names no kernel", "",
                       "Write kernel = \"NAME\" into it; slab kernels lists them.");
            }
            arguments_.steps.push_back(std::move(step));
        }
    }

    void take_step_key(std::string_view key, const toml::node& node, StepArguments& step) {
        static const std::array<std::string, 4> known{"name", "kernel", "inputs", "parameters"};
        if (key == "name") {
            take_text(key, node, step.name);
        } else if (key == "kernel") {
            take_text(key, node, step.kernel);
        } else if (key == "parameters") {
            take_parameters(node, step.parameters);
        } else if (key == "inputs") {
            step.inputs.emplace();
            const toml::array* list = node.as_array();
            if (list == nullptr) {
                take_text(key, node, step.inputs->emplace_back());
                return;
            }
            for (const toml::node& item : *list) {
                take_text(key, item, step.inputs->emplace_back());
            }
        } else {
            refuse_key(node, key, known);
        }
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
