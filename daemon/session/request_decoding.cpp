#include "daemon/session/request_decoding.hpp"

#include "common/protocol/base64.hpp"
#include "common/protocol/table_json.hpp"
#include "daemon/mover/mover_messages.hpp"
#include "daemon/session/bad_request.hpp"
#include "daemon/session/parameter_decoding.hpp"
#include "daemon/session/pipeline_decoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace slab::daemon {
namespace {

// A size may be a number of bytes or text.
std::string size_text(const Json& body, std::string_view key) {
    const auto found = body.find(key);
    if (found == body.end() || found->is_null()) {
        return {};
    }
    return found->is_string() ? found->get<std::string>() : found->dump();
}

// Each descriptor of the packet is for one file; the numbers are indices among them.
class FileClaims {
  public:
    explicit FileClaims(std::vector<UniqueDescriptor>& descriptors) : descriptors_(descriptors) {}

    std::optional<UniqueDescriptor> claim(const Json& owner) {
        const std::int64_t number = integer_or(owner, "descriptor", -1);
        if (number < 0 || number >= static_cast<std::int64_t>(descriptors_.size()) ||
            !descriptors_[static_cast<std::size_t>(number)]) {
            return std::nullopt;
        }
        return std::move(descriptors_[static_cast<std::size_t>(number)]);
    }

  private:
    std::vector<UniqueDescriptor>& descriptors_;
};

Expected<WorldMatrix> decode_world(const Json& json) {
    const auto table = table_from_json(json, "affine");
    if (!table || table->columns != 4 || (table->rows != 3 && table->rows != 4)) {
        return std::unexpected(
            bad_request("an input's affine cannot be used",
                        table ? "it is no table of 3 or 4 rows of 4 numbers" : table.error().what));
    }
    WorldMatrix world;
    for (std::size_t row = 0; row < 3; ++row) {
        std::copy_n(table->values.begin() + static_cast<std::ptrdiff_t>(4 * row), 4, world[row].begin());
    }
    return world;
}

std::optional<Error> decode_inputs(const Json& body, JobRequest& request, FileClaims& files,
                                   Descriptors descriptors) {
    const auto inputs = body.find("inputs");
    if (inputs == body.end() || !inputs->is_array() || inputs->size() > most_mover_inputs) {
        return bad_request(fmt::format("inputs is not a list of at most {} arrays", most_mover_inputs));
    }
    for (const Json& input : *inputs) {
        const auto array = array_from_json(input);
        if (!array) {
            return array.error();
        }
        const std::string codec = text_or(input, "codec");
        if (!codec.empty() && codec != "gzip") {
            return bad_request(fmt::format("there is no codec '{}'", codec.substr(0, 40)), "there is gzip");
        }
        InputFile file{array->array, array->byte_order, integer_or(input, "offset", 0),
                       codec.empty() ? Codec::none : Codec::gzip};
        constexpr std::int64_t beyond_any_file = std::int64_t{1} << 60;
        if (file.offset < 0 || file.offset > beyond_any_file) {
            return bad_request("an input's offset is no place in a file");
        }
        if (const auto affine = input.find("affine"); affine != input.end() && !affine->is_null()) {
            auto world = decode_world(*affine);
            if (!world) {
                return world.error();
            }
            file.world = *world;
        }
        if (descriptors == Descriptors::required) {
            auto claimed = files.claim(input);
            if (!claimed) {
                return bad_request("an input has no descriptor of its own",
                                   "'descriptor' is an index among the packet's");
            }
            request.files.push_back(std::move(*claimed));
        }
        request.inputs.push_back(std::move(file));
    }
    return std::nullopt;
}

// A value of the wrong type must not pass for one that was left out.
std::optional<Error> check_types(const Json& body) {
    struct Rule {
        std::string_view key;
        bool (Json::*is)() const noexcept;
        std::string_view takes;
    };
    static constexpr Rule rules[] = {
        {"kernel", &Json::is_string, "text"},      {"name", &Json::is_string, "text"},
        {"keep", &Json::is_boolean, "a boolean"},  {"linked", &Json::is_boolean, "a boolean"},
        {"watch", &Json::is_boolean, "a boolean"}, {"priority", &Json::is_number_integer, "a whole number"},
        {"output", &Json::is_object, "an object"}, {"note", &Json::is_object, "an object"},
        {"submission", &Json::is_string, "text"},  {"wait_for_space", &Json::is_boolean, "a boolean"},
        {"steps", &Json::is_array, "a list"},      {"guests", &Json::is_object, "an object"},
    };
    for (const Rule& rule : rules) {
        const auto found = body.find(rule.key);
        if (found != body.end() && !found->is_null() && !((*found).*rule.is)()) {
            return bad_request(fmt::format("'{}' is not {}", rule.key, rule.takes));
        }
    }
    return std::nullopt;
}

// One kernel on all inputs, or the steps of a pipeline.
std::optional<Error> decode_kernels(const Json& body, JobRequest& request) {
    if (const auto steps = body.find("steps"); steps != body.end() && !steps->is_null()) {
        auto decoded = decode_steps(*steps, request.inputs.size());
        if (!decoded) {
            return decoded.error();
        }
        request.steps = std::move(*decoded);
        std::vector<std::string> kernels;
        for (const GivenStep& step : request.steps) {
            kernels.push_back(step.kernel);
        }
        request.kernel = pipeline_name(kernels);
        return std::nullopt;
    }
    auto parameters = decode_parameters(body);
    if (!parameters) {
        return parameters.error();
    }
    request.kernel = text_or(body, "kernel");
    GivenStep only{request.kernel, request.kernel, std::move(*parameters), {}};
    for (std::size_t input = 0; input < request.inputs.size(); ++input) {
        only.inputs.push_back({StepInput::From::input, input});
    }
    request.steps = {std::move(only)};
    return std::nullopt;
}

// The output that the client's own processes fill.
std::optional<Error> decode_guests(const Json& guests, JobRequest& request) {
    auto array = array_from_json(guests);
    if (!array) {
        return array.error();
    }
    if (array->array.order != MemoryOrder::c || array->byte_order != ByteOrder::little) {
        return bad_request("guests fill arrays in C order and this machine's byte order");
    }
    GuestOutput wanted{array->array, {}};
    const Json tile = guests.value("tile", Json());
    for (const Json& extent : tile.is_array() ? tile : Json::array()) {
        if (!extent.is_number_integer() ||
            (extent.is_number_unsigned() && extent.get<std::uint64_t>() > INT64_MAX)) {
            return bad_request("a tile is not a list of whole numbers", tile.dump().substr(0, 100));
        }
        wanted.tile.push_back(extent.get<std::int64_t>());
    }
    if (!request.inputs.empty()) {
        return bad_request("a job of guests has no inputs", "guests read what their client gives them");
    }
    if (!request.linked || request.keep) {
        return bad_request("a job of guests must be linked, and cannot be kept",
                           "its guests are processes of its client");
    }
    request.guests = std::move(wanted);
    request.kernel = text_or(guests, "name", "guests").substr(0, 80);
    return std::nullopt;
}

constexpr std::size_t longest_note = 16 * 1024;
constexpr std::size_t longest_submission = 64;

}  // namespace

Expected<OutputFile> decode_output(const Json& json) {
    OutputFile output{integer_or(json, "offset", 0), {}, flag_or(json, "sequential", false)};
    const auto header = bytes_of_base64(text_or(json, "header"));
    constexpr std::int64_t beyond_any_file = std::int64_t{1} << 60;
    if (output.offset < 0 || output.offset > beyond_any_file) {
        return std::unexpected(bad_request("the output's offset is no place in a file"));
    }
    if (!header || header->size() > longest_file_header ||
        static_cast<std::int64_t>(header->size()) > output.offset) {
        return std::unexpected(
            bad_request("the output's header cannot be written",
                        fmt::format("it is base64 of at most {} bytes and ends before the payload's offset",
                                    longest_file_header)));
    }
    if (output.is_sequential && static_cast<std::int64_t>(header->size()) != output.offset) {
        return std::unexpected(bad_request("a sequential output begins with its header",
                                           "its offset is not the header's length"));
    }
    output.header = *header;
    return output;
}

Expected<ResumeRequest> decode_resume(Message& message) {
    const Json& body = message.body;
    if (auto problem = check_types(body)) {
        return std::unexpected(*problem);
    }
    ResumeRequest request;
    request.job = static_cast<JobId>(integer_or(body, "job", 0));
    request.linked = flag_or(body, "linked", false);
    if (const double submitted = real_or(body, "submitted_at", 0); submitted > 0) {
        request.submitted_at = submitted;
    }
    if (body.contains("note")) {
        request.note = body["note"];
    }
    FileClaims files(message.descriptors);
    const Json inputs = body.value("inputs", Json::array());
    for (const Json& input : inputs.is_array() ? inputs : Json::array()) {
        auto claimed = input.is_object() ? files.claim(input) : std::nullopt;
        if (!claimed) {
            return std::unexpected(bad_request("an input has no descriptor of its own"));
        }
        request.inputs.push_back(std::move(*claimed));
    }
    if (const auto output = body.find("output"); output != body.end() && output->is_object()) {
        auto claimed = files.claim(*output);
        if (!claimed) {
            return std::unexpected(bad_request("the output has no descriptor of its own"));
        }
        request.output = std::move(*claimed);
    }
    return request;
}

Expected<JobRequest> decode_job_request(Message& message, Descriptors descriptors) {
    const Json& body = message.body;
    if (auto problem = check_types(body)) {
        return std::unexpected(*problem);
    }
    JobRequest request;
    request.name = text_or(body, "name").substr(0, 200);
    request.keep = flag_or(body, "keep", false);
    request.linked = flag_or(body, "linked", false);
    request.wait_for_space = flag_or(body, "wait_for_space", false);
    request.submission = text_or(body, "submission").substr(0, longest_submission);
    request.note = body.value("note", Json::object());
    if (request.note.dump().size() > longest_note) {
        return std::unexpected(
            bad_request("the note is too long", fmt::format("it may have {} bytes", longest_note)));
    }
    request.max_memory = size_text(body, "max_memory");
    request.tile_bytes = size_text(body, "tile_bytes");
    const std::int64_t priority = integer_or(body, "priority", 0);
    if (priority < -20 || priority > 19) {
        return std::unexpected(
            bad_request(fmt::format("the priority cannot be {}", priority), "it is -20 to 19, 19 last"));
    }
    request.priority = static_cast<int>(priority);

    FileClaims files(message.descriptors);
    if (auto problem = decode_inputs(body, request, files, descriptors)) {
        return std::unexpected(*problem);
    }
    const auto guests = body.find("guests");
    const bool is_for_guests = guests != body.end() && guests->is_object();
    if (auto problem = is_for_guests ? decode_guests(*guests, request) : decode_kernels(body, request)) {
        return std::unexpected(std::move(*problem));
    }
    if (const auto output = body.find("output"); output != body.end() && output->is_object()) {
        auto decoded = decode_output(*output);
        if (!decoded) {
            return std::unexpected(decoded.error());
        }
        request.output = std::move(*decoded);
        if (descriptors == Descriptors::required) {
            auto claimed = files.claim(*output);
            if (!claimed) {
                return std::unexpected(bad_request("the output has no descriptor of its own"));
            }
            request.files.push_back(std::move(*claimed));
        }
    }
    request.lent = request.linked && !request.output && !request.keep;
    request.keep = request.keep || !request.output;
    if (descriptors == Descriptors::required) {
        request.as_sent = body;
        request.as_sent.erase("tag");
    }
    return request;
}

}  // namespace slab::daemon
