// What a plug-in tells of its kernel, read strictly: it is somebody's first try as often as not.

#include "daemon/kernels/plugin/plugin_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>

namespace slab::kernels {
namespace {

using Complaint = std::optional<std::string>;

constexpr std::array<std::string_view, 35> python_keywords{
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};

// Options of `slab run`, `slab submit` and `slab kernels`, and keywords of slab.run().
constexpr std::array<std::string_view, 38> client_words{
    "kernel",        "inputs",       "out",         "output",
    "output_format", "overwrite",    "keep",        "plan",
    "json",          "socket",       "daemon",      "quiet",
    "help",          "each",         "out_dir",     "name",
    "priority",      "max_memory",   "tile_bytes",  "wait_for_space",
    "input_dtype",   "input_shape",  "input_order", "input_offset",
    "motion_out",    "write_params", "note",        "tables",
    "plugin",        "python",       "workers",     "tile",
    "progress",      "timeout",      "o",           "h",
    "version",       "self"};

constexpr std::array<std::string_view, 8> size_words{"begin", "end",   "axis", "min",
                                                     "max",   "floor", "ceil", "round"};

template <std::size_t Count>
bool is_among(const std::array<std::string_view, Count>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

Complaint name_complaint(const std::string& name) {
    const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
    if (name.empty()) {
        return "it has no name";
    }
    if (!is_small(name.front()) || name.ends_with('_') || !std::ranges::all_of(name, [&](char c) {
            return is_small(c) || (c >= '0' && c <= '9') || c == '_';
        })) {
        return fmt::format("the name '{}' is not of small letters, digits and _ between them", name);
    }
    if (is_among(python_keywords, name)) {
        return fmt::format("'{}' is a reserved word of Python", name);
    }
    return std::nullopt;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (true) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string_view word = text.substr(0, comma);
        const std::size_t begin = std::min(word.find_first_not_of(' '), word.size());
        word.remove_prefix(begin);
        words.emplace_back(word.substr(0, word.find_last_not_of(' ') + 1));
        if (comma == text.size()) {
            return words;
        }
        text.remove_prefix(comma + 1);
    }
}

// A name of numpy's own: no "f4", no byte order.
std::optional<DType> dtype_named(std::string_view name) {
    const auto parsed = parse_dtype(name);
    return parsed && name_of(parsed->dtype) == name ? std::optional(parsed->dtype) : std::nullopt;
}

std::bitset<dtype_count> group_named(std::string_view name) {
    std::bitset<dtype_count> set;
    const auto add = [&set](DType first, DType last) {
        for (auto i = static_cast<std::size_t>(first); i <= static_cast<std::size_t>(last); ++i) {
            set.set(i);
        }
    };
    if (name == "integers") {
        add(DType::uint8, DType::int64);
    } else if (name == "floats") {
        add(DType::float32, DType::float64);
    } else if (name == "complex") {
        add(DType::complex64, DType::complex128);
    } else if (name == "all") {
        add(DType::boolean, DType::complex128);
    } else if (const auto dtype = dtype_named(name)) {
        set.set(static_cast<std::size_t>(*dtype));
    }
    return set;
}

// Writes a PluginKernel while it reads; the first complaint stands.
class Check {
  public:
    Check(const ToldKernel& told, const PluginOrigin& origin) : told_(told) {
        KernelDescription& description = kernel_.description;
        description.name = told.name;
        description.summary = told.summary;
        description.details = told.details.empty() ? told.summary : told.details;
        description.plugin = origin.path;
        description.plugin_digest = origin.digest;
        kernel_.flags = told.flags;
    }

    std::expected<PluginKernel, std::string> run() {
        where_ = told_.name.empty() ? "a kernel" : fmt::format("kernel '{}'", told_.name);
        const std::string who = where_;
        complain(name_complaint(told_.name));
        if (told_.summary.empty()) {
            complain("it has no summary");
        }
        if ((told_.flags & ~std::uint64_t{SLAB_AXES_ALIKE | SLAB_GRID_LOST}) != 0) {
            complain(fmt::format("flags {:#x} are not known", told_.flags));
        }
        if (told_.inputs.empty()) {
            complain("it has no input");
        }
        for (std::size_t i = 0; i < told_.inputs.size(); ++i) {
            where_ = fmt::format("{}, input '{}'", who, told_.inputs[i].name);
            input(told_.inputs[i], i);
        }
        for (const ToldParameter& told : told_.parameters) {
            where_ = fmt::format("{}, parameter '{}'", who, told.name);
            parameter(told);
        }
        plan_symbols_ = kernel_.symbols;
        for (const ToldInput& told : told_.inputs) {
            where_ = fmt::format("{}, input '{}'", who, told.name);
            kernel_.shapes.push_back(
                told.shape.empty() ? std::nullopt
                                   : std::optional(rule<ShapeRule>(told.shape, "shape", plan_symbols_)));
        }
        for (const char* bound : {"begin", "end"}) {
            kernel_.symbols.push_back({bound, SizeName::tile_bound, 0});
        }
        for (std::size_t i = 0; i < told_.workspaces.size(); ++i) {
            const ToldArray& workspace = told_.workspaces[i];
            where_ = fmt::format("{}, workspace '{}'", who, workspace.name);
            complain(name_complaint(workspace.name));
            take_name(workspace.name);
            array(workspace, i);
        }
        where_ = who + ", output";
        array(told_.output, told_.workspaces.size());
        where_ = who;
        describe();
        return complaint_ ? std::expected<PluginKernel, std::string>(std::unexpected(std::move(*complaint_)))
                          : std::move(kernel_);
    }

  private:
    void complain(const Complaint& complaint) {
        if (complaint && !complaint_) {
            complaint_ = where_ + ": " + *complaint;
        }
    }

    void take_name(const std::string& name) {
        if (!names_.insert(name).second) {
            complain(fmt::format("'{}' is the name of something else in this kernel", name));
        }
        if (is_among(size_words, name)) {
            complain(fmt::format("'{}' has a meaning of its own in sizes", name));
        }
    }

    void input(const ToldInput& told, std::size_t number) {
        complain(name_complaint(told.name));
        take_name(told.name);
        const std::int64_t least = told.least_dimensions == 0 ? 1 : told.least_dimensions;
        const std::int64_t most = told.most_dimensions == 0 ? max_rank : told.most_dimensions;
        if (least < 1 || most > max_rank || least > most) {
            complain(fmt::format("{} to {} dimensions are not possible", told.least_dimensions,
                                 told.most_dimensions));
        }
        if (told.repeats && number + 1 < told_.inputs.size()) {
            complain("only the last input may repeat");
        }
        kernel_.dimensions.emplace_back(static_cast<int>(least), static_cast<int>(most));
        kernel_.accepts.push_back(accepted(told.dtypes));
        kernel_.symbols.push_back({told.name, SizeName::input_extent, number});
    }

    AcceptedDTypes accepted(const std::string& text) {
        AcceptedDTypes result;
        if (text.empty()) {
            result.dtypes.set();
            return result;
        }
        for (const std::string& word : words_of(text)) {
            const auto group = group_named(word);
            const auto earlier = std::ranges::find(kernel_.symbols, word, &SizeSymbol::name);
            if (group.none() && earlier == kernel_.symbols.end()) {
                complain(fmt::format(
                    "dtypes: '{}' is no dtype, no group of them (bool, integers, floats, complex, "
                    "all), and no input before this one",
                    word));
            } else if (group.none()) {
                result.as_inputs.push_back(earlier->input);
            }
            result.dtypes |= group;
        }
        return result;
    }

    void parameter(const ToldParameter& told) {
        complain(name_complaint(told.name));
        take_name(told.name);
        if (is_among(client_words, told.name)) {
            complain("that is the name of an option that every kernel has");
        }
        if (told.help.empty()) {
            complain("it has no help");
        }
        constexpr std::array types{ParameterType::integer,       ParameterType::real,
                                   ParameterType::choice,        ParameterType::integer_per_axis,
                                   ParameterType::real_per_axis, ParameterType::table,
                                   ParameterType::flag,          ParameterType::axes,
                                   ParameterType::text};
        if (told.type < 0 || told.type >= static_cast<std::int64_t>(types.size())) {
            complain(fmt::format("type {} is not known", told.type));
            return;
        }
        const ParameterType type = types[static_cast<std::size_t>(told.type)];
        const bool is_number = type == ParameterType::integer || type == ParameterType::real ||
                               type == ParameterType::integer_per_axis ||
                               type == ParameterType::real_per_axis;
        auto range = ValueRange::parse(told.range);
        if (!range) {
            complain("range: " + range.error());
            return;
        }
        if (!told.range.empty() && !is_number) {
            complain("range: only numbers have one");
        }
        std::vector<std::string> choices;
        if (type == ParameterType::choice) {
            choices = words_of(told.choices);
            const std::set<std::string> different(choices.begin(), choices.end());
            if (told.choices.empty() || different.contains("") || different.size() != choices.size()) {
                complain(fmt::format("choices: '{}' is no list of different words", told.choices));
            }
        } else if (!told.choices.empty()) {
            complain("choices: only a parameter of type SLAB_CHOICE has them");
        }
        const bool has_no_default = type == ParameterType::flag || type == ParameterType::axes;
        if (has_no_default && !told.default_value.empty()) {
            complain(fmt::format("default_value: {} has none: {}",
                                 type == ParameterType::flag ? "a flag" : "a list of axes",
                                 type == ParameterType::flag ? "it is off" : "they are all"));
        }
        kernel_.ranges.push_back(*range);
        const bool is_per_axis = type == ParameterType::integer_per_axis ||
                                 type == ParameterType::real_per_axis || type == ParameterType::axes;
        kernel_.symbols.push_back(
            {told.name, is_per_axis ? SizeName::parameter_per_axis : SizeName::parameter, 0});
        kernel_.description.parameters.push_back(
            {told.name, type, told.help, told.range, std::move(choices), told.default_value});
    }

    template <typename Rule>
    Rule rule(const std::string& text, std::string_view field, std::span<const SizeSymbol> symbols) {
        auto parsed = Rule::parse(text, symbols);
        if (!parsed) {
            complain(fmt::format("{} '{}': {}", field, text, parsed.error()));
            return {};
        }
        return std::move(*parsed);
    }

    void array(const ToldArray& told, std::size_t workspaces_before) {
        PluginPhase phase;
        phase.name = told.name;
        phase.dtype = dtype_rule(told.dtype);
        phase.shape = rule<ShapeRule>(told.shape, "shape", plan_symbols_);
        phase.tile = rule<TileRule>(told.tile, "tile", plan_symbols_);
        for (std::size_t i = 0; i < told_.inputs.size(); ++i) {
            phase.reads.push_back(rule<ReadRule>(
                told.reads[i], fmt::format("reads of '{}'", told_.inputs[i].name), kernel_.symbols));
        }
        for (std::size_t i = 0; i < workspaces_before; ++i) {
            phase.reads.push_back(rule<ReadRule>(
                told.reads_workspaces[i], fmt::format("reads_workspaces of '{}'", told_.workspaces[i].name),
                kernel_.symbols));
        }
        if (!told.has_fill) {
            complain("fill: there is no function");
        }
        kernel_.phases.push_back(std::move(phase));
    }

    DTypeRule dtype_rule(const std::string& text) {
        if (const auto dtype = dtype_named(text)) {
            return {.dtype = *dtype};
        }
        for (std::size_t i = 0; i < told_.inputs.size(); ++i) {
            if (told_.inputs[i].name == text) {
                return {.from = DTypeRule::From::input, .number = i};
            }
        }
        const auto& parameters = kernel_.description.parameters;
        const auto parameter = std::ranges::find(parameters, text, &ParameterDescription::name);
        if (parameter == parameters.end() || parameter->type != ParameterType::choice) {
            complain(
                fmt::format("dtype: '{}' is no dtype, no input, and no parameter of type SLAB_CHOICE", text));
        } else if (const auto other = std::ranges::find_if(
                       parameter->choices, [](const std::string& name) { return !dtype_named(name); });
                   other != parameter->choices.end()) {
            complain(fmt::format("dtype: '{}' has the choice '{}', which is no dtype", text, *other));
        } else if (parameter->fallback.empty()) {
            complain(fmt::format("dtype: '{}' has no default_value", text));
        }
        return {.from = DTypeRule::From::parameter,
                .number = static_cast<std::size_t>(parameter - parameters.begin())};
    }

    static std::string dimensions_text(const std::pair<int, int>& dimensions) {
        return dimensions.first == dimensions.second
                   ? fmt::format("{}-D", dimensions.first)
                   : fmt::format("{} to {} dimensions", dimensions.first, dimensions.second);
    }

    // What people read: from the rules, so that it is true.
    void describe() {
        KernelDescription& description = kernel_.description;
        for (std::size_t i = 0; i < told_.inputs.size(); ++i) {
            const ToldInput& input = told_.inputs[i];
            description.inputs.push_back({input.name, dimensions_text(kernel_.dimensions[i]),
                                          input.repeats ? InputCount::one_or_more : InputCount::one});
            const std::string dtypes = input.dtypes.empty() ? "all" : input.dtypes;
            description.dtypes +=
                (i == 0 ? "" : "; ") + (told_.inputs.size() == 1 ? dtypes : input.name + ": " + dtypes);
        }
        description.reads = Reads::point;
        for (const PluginPhase& phase : kernel_.phases) {
            for (const ReadRule& reads : phase.reads) {
                description.reads = std::max(description.reads, reads.kind());
            }
        }
        description.example = told_.example;
        if (description.example.empty()) {
            description.example = "slab run " + description.name;
            for (const ToldInput& input : told_.inputs) {
                description.example += fmt::format(" {}.npy", input.name);
            }
            description.example += " -o out.npy";
        } else if (!description.example.starts_with("slab run " + description.name)) {
            complain(fmt::format("example: it does not begin with 'slab run {}'", description.name));
        }
    }

    const ToldKernel& told_;
    PluginKernel kernel_;
    std::vector<SizeSymbol> plan_symbols_;  // without the tile's
    std::set<std::string> names_;
    std::string where_;
    Complaint complaint_;
};

template <typename Numbers>
Complaint outside(const ValueRange& range, const Numbers& numbers) {
    for (const auto number : numbers) {
        const auto value = static_cast<double>(number);
        if (!range.contains(value)) {
            return fmt::format("{}", number);
        }
    }
    return std::nullopt;
}

}  // namespace

std::expected<PluginKernel, std::string> check_plugin_kernel(const ToldKernel& told,
                                                             const PluginOrigin& origin) {
    return Check(told, origin).run();
}

std::optional<Error> check_values(const PluginKernel& kernel, const ParameterValues& values) {
    for (std::size_t i = 0; i < kernel.description.parameters.size(); ++i) {
        const ParameterDescription& parameter = kernel.description.parameters[i];
        Complaint wrong;
        if (const auto* integer = values.get<std::int64_t>(parameter.name)) {
            wrong = outside(kernel.ranges[i], std::span(integer, 1));
        } else if (const auto* real = values.get<double>(parameter.name)) {
            wrong = outside(kernel.ranges[i], std::span(real, 1));
        } else if (const auto* integers = values.get<std::vector<std::int64_t>>(parameter.name)) {
            wrong = outside(kernel.ranges[i], *integers);
        } else if (const auto* reals = values.get<std::vector<double>>(parameter.name)) {
            wrong = outside(kernel.ranges[i], *reals);
        }
        if (wrong) {
            return Error{ErrorKind::usage, fmt::format("{} cannot be {}", parameter.name, *wrong),
                         parameter.range.empty() ? "it takes finite numbers"
                                                 : fmt::format("it takes numbers {}", parameter.range),
                         fmt::format("See: slab kernels {}", kernel.description.name)};
        }
    }
    return std::nullopt;
}

}  // namespace slab::kernels
