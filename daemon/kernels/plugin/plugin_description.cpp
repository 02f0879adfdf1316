#include "daemon/kernels/plugin/plugin_description.hpp"

#include "common/array/dtype.hpp"

#include <fmt/format.h>

#include <cstring>
#include <span>

namespace slab::kernels {
namespace {

// What the header promises of its types to those who are compiled against it.
static_assert(SLAB_BOOL == static_cast<int>(DType::boolean) &&
              SLAB_UINT32 == static_cast<int>(DType::uint32));
static_assert(SLAB_FLOAT32 == static_cast<int>(DType::float32) &&
              SLAB_COMPLEX128 == static_cast<int>(DType::complex128));
static_assert(offsetof(slab_plugin, abi) == 0 && offsetof(slab_plugin, kernel_bytes) == 4);

constexpr std::size_t longest_name = 40;
constexpr std::size_t longest_line = 400;
constexpr std::size_t longest_details = 16'000;
constexpr std::size_t most_kernels = 64;

// Well-formed UTF-8 (RFC 3629) without control characters; line ends where they may be.
bool is_text(std::string_view text, bool may_have_lines) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80                   ? 1
                                   : lead >= 0xC2 && lead < 0xE0 ? 2
                                   : lead >= 0xE0 && lead < 0xF0 ? 3
                                   : lead >= 0xF0 && lead < 0xF5 ? 4
                                                                 : 0;
        if (length == 0 || i + length > text.size() ||
            (length == 1 && (lead < 0x20 || lead == 0x7F) && !(may_have_lines && lead == '\n'))) {
            return false;
        }
        for (std::size_t k = 1; k < length; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) {
                return false;
            }
        }
        const auto second = static_cast<unsigned char>(length > 1 ? text[i + 1] : '\0');
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||
            (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90)) {
            return false;  // overlong, a surrogate, or beyond Unicode
        }
        i += length;
    }
    return true;
}

// Copies texts, and remembers the first that is none, with where it stands.
class Reader {
  public:
    std::string where;  // "kernel 'blur', parameter 1"
    std::string problem;

    std::string line(const char* text, const char* field, std::size_t most = longest_line) {
        return copy(text, field, most, false);
    }
    std::string lines(const char* text, const char* field) {
        return copy(text, field, longest_details, true);
    }
    std::string name(const char* text) { return line(text, "name", longest_name); }

    void fail(const std::string& text) {
        if (problem.empty()) {
            problem = where + text;
        }
    }

  private:
    std::string copy(const char* text, const char* field, std::size_t most, bool may_have_lines) {
        if (text == nullptr) {
            return {};
        }
        const std::size_t length = ::strnlen(text, most + 1);
        if (length > most) {
            fail(fmt::format(", {}: it is longer than {} bytes", field, most));
            return {};
        }
        std::string result(text, length);
        if (!is_text(result, may_have_lines)) {
            fail(fmt::format(", {}: it is no {} of UTF-8", field, may_have_lines ? "text" : "single line"));
            return {};
        }
        return result;
    }
};

template <typename Entry>
std::size_t named_entries(std::span<const Entry> entries) {
    std::size_t count = 0;
    while (count < entries.size() && entries[count].name != nullptr) {
        ++count;
    }
    return count;
}

ToldArray read_array(Reader& reader, const slab_array& array, std::size_t inputs, std::size_t workspaces) {
    ToldArray told{.name = reader.name(array.name),
                   .dtype = reader.line(array.dtype, "dtype"),
                   .shape = reader.line(array.shape, "shape"),
                   .tile = reader.line(array.tile, "tile"),
                   .reads = {},
                   .reads_workspaces = {},
                   .has_fill = array.fill != nullptr};
    const auto read = [&](std::span<const char* const> rules, std::size_t known, const char* field,
                          std::vector<std::string>& list) {
        for (std::size_t i = 0; i < rules.size(); ++i) {
            if (i < known) {
                list.push_back(reader.line(rules[i], field));
            } else if (rules[i] != nullptr) {
                reader.fail(fmt::format(", {}[{}]: there is nothing of that number to read", field, i));
            }
        }
    };
    read(array.reads, inputs, "reads", told.reads);
    read(array.reads_workspaces, workspaces, "reads_workspaces", told.reads_workspaces);
    return told;
}

ToldKernel read_kernel(Reader& reader, const slab_kernel& kernel, std::size_t number) {
    ToldKernel told;
    reader.where = fmt::format("kernel {}", number + 1);
    told.name = reader.name(kernel.name);
    const std::string who = reader.where =
        told.name.empty() ? reader.where : fmt::format("kernel '{}'", told.name);
    told.summary = reader.line(kernel.summary, "summary");
    told.details = reader.lines(kernel.details, "details");
    told.example = reader.line(kernel.example, "example");
    told.flags = kernel.flags;
    const std::span inputs(kernel.inputs);
    const std::span parameters(kernel.parameters);
    const std::span workspaces(kernel.workspaces);
    for (std::size_t i = 0; i < named_entries<slab_input>(inputs); ++i) {
        reader.where = fmt::format("{}, input {}", who, i + 1);
        told.inputs.push_back({reader.name(inputs[i].name), reader.line(inputs[i].dtypes, "dtypes"),
                               reader.line(inputs[i].shape, "shape"), inputs[i].least_dimensions,
                               inputs[i].most_dimensions, inputs[i].repeats != 0});
    }
    for (std::size_t i = 0; i < named_entries<slab_parameter>(parameters); ++i) {
        reader.where = fmt::format("{}, parameter {}", who, i + 1);
        const slab_parameter& parameter = parameters[i];
        told.parameters.push_back({reader.name(parameter.name), parameter.type,
                                   reader.line(parameter.help, "help"), reader.line(parameter.range, "range"),
                                   reader.line(parameter.choices, "choices"),
                                   reader.line(parameter.default_value, "default_value")});
    }
    const std::size_t workspace_count = named_entries<slab_array>(workspaces);
    for (std::size_t i = 0; i < workspace_count; ++i) {
        reader.where = fmt::format("{}, workspace {}", who, i + 1);
        told.workspaces.push_back(read_array(reader, workspaces[i], told.inputs.size(), i));
    }
    reader.where = who + ", output";
    told.output = read_array(reader, kernel.output, told.inputs.size(), workspace_count);
    return told;
}

}  // namespace

std::expected<std::vector<ToldKernel>, std::string> read_plugin_table(const slab_plugin& table) {
    if (table.abi != SLAB_KERNEL_ABI) {
        return std::unexpected(
            fmt::format("it is made for version {} of slab_kernel.h, and this slabd for version {}",
                        table.abi, SLAB_KERNEL_ABI));
    }
    if (table.kernel_bytes != sizeof(slab_kernel)) {
        return std::unexpected(fmt::format("its slab_kernel has {} bytes, and that of version {} has {}",
                                           table.kernel_bytes, SLAB_KERNEL_ABI, sizeof(slab_kernel)));
    }
    if (table.kernels == nullptr || table.kernel_count == 0 || table.kernel_count > most_kernels) {
        return std::unexpected(fmt::format("it tells of {} kernels, and a plug-in has 1 to {}",
                                           table.kernels == nullptr ? 0 : table.kernel_count, most_kernels));
    }
    std::vector<ToldKernel> kernels;
    Reader reader;
    for (std::size_t number = 0; number < table.kernel_count && reader.problem.empty(); ++number) {
        kernels.push_back(read_kernel(reader, table.kernels[number], number));
    }
    if (!reader.problem.empty()) {
        return std::unexpected(std::move(reader.problem));
    }
    return kernels;
}

slab_fill fill_of(const slab_plugin& table, std::size_t kernel, std::size_t phase) {
    const slab_kernel& one = table.kernels[kernel];
    const std::size_t workspaces = named_entries<slab_array>(std::span(one.workspaces));
    return phase < workspaces ? one.workspaces[phase].fill : one.output.fill;
}

}  // namespace slab::kernels
