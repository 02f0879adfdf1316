#include "client/library/request_body.hpp"

#include "client/library/sealed_memory.hpp"
#include "common/protocol/base64.hpp"
#include "common/protocol/table_json.hpp"

#include <fmt/format.h>

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>

namespace slab {
namespace {

constexpr std::int64_t largest_exact = std::int64_t{1} << 53;

Json number(std::int64_t value) {
    return value > largest_exact || value < -largest_exact ? Json(std::to_string(value)) : Json(value);
}

Json number(double value) {
    return real_to_json(value);
}

Json value_to_json(const std::string& text) {
    return text;
}

Json value_to_json(bool flag) {
    return flag;
}

Json value_to_json(const NumberTable& table) {
    return table_to_json(table);
}

template <typename T>
Json value_to_json(const std::vector<T>& values) {
    Json list = Json::array();
    for (const T value : values) {
        list.push_back(number(value));
    }
    return list;
}

template <typename T>
Json value_to_json(const T& value) {
    return number(value);
}

Json input_to_json(const InputArray& input) {
    Json json = array_to_json(input.array);
    json["dtype"] = type_string(input.array.dtype, input.byte_order);
    if (input.codec == InputCodec::gzip) {
        json["codec"] = "gzip";
    }
    if (input.world) {
        NumberTable table{.rows = 3, .columns = 4, .values = {}};
        for (const auto& row : *input.world) {
            table.values.insert(table.values.end(), row.begin(), row.end());
        }
        json["affine"] = table_to_json(table);
    }
    return json;
}

Error wrong_memory(const InputArray& input) {
    return {ErrorKind::usage, "an input array and its memory differ in size",
            fmt::format("{} {} needs {} bytes, {} are given", to_text(input.array.shape),
                        name_of(input.array.dtype), checked_byte_count(input.array).value_or(-1),
                        input.memory.size()),
            "Pass the array's whole memory, contiguous in its order."};
}

Json parameters_to_json(const Parameters& parameters) {
    Json json = Json::object();
    for (const auto& [name, value] : parameters) {
        json[name] = std::visit([](const auto& typed) { return value_to_json(typed); }, value);
    }
    return json;
}

Json steps_to_json(const std::vector<PipelineStep>& steps) {
    Json list = Json::array();
    for (const PipelineStep& step : steps) {
        Json inputs = Json::array();
        for (const PipelineStep::Input& input : step.inputs) {
            const auto* const number = std::get_if<std::size_t>(&input);
            inputs.push_back(number != nullptr ? Json{{"input", *number}}
                                               : Json{{"step", std::get<std::string>(input)}});
        }
        list.push_back({{"name", step.name},
                        {"kernel", step.kernel},
                        {"parameters", parameters_to_json(step.parameters)},
                        {"inputs", std::move(inputs)}});
    }
    return list;
}

constexpr std::size_t longest_note = 16 * 1024;

// What the daemon would refuse, before any array is copied for it.
Expected<Json> note_to_json(const std::string& note) {
    const Json json = Json::parse(note, nullptr, false);
    if (!json.is_object() || note.size() > longest_note) {
        return std::unexpected(Error{
            ErrorKind::usage, "the job's note cannot be used",
            json.is_object() ? fmt::format("it has {} bytes; {} is the limit", note.size(), longest_note)
                             : std::string("it is no JSON object"),
            "Give a small JSON object, or none."});
    }
    return json;
}

}  // namespace

Json output_to_json(const OutputTarget& target) {
    Json json{{"descriptor", 0}, {"offset", target.offset}};
    if (!target.header.empty()) {
        json["header"] = base64_of(target.header);
    }
    if (target.access == OutputTarget::Access::sequential) {
        json["sequential"] = true;
    }
    return json;
}

std::string random_submission() {
    std::array<std::uint32_t, 4> bits{};
    if (::getrandom(bits.data(), sizeof(bits), 0) != static_cast<ssize_t>(sizeof(bits))) {
        std::random_device source;
        std::ranges::generate(bits, std::ref(source));
    }
    return fmt::format("{:08x}{:08x}{:08x}{:08x}", bits[0], bits[1], bits[2], bits[3]);
}

Json request_body(const JobRequest& request) {
    Json body = Json::object();
    if (request.steps.empty()) {
        body["kernel"] = request.kernel;
        body["parameters"] = parameters_to_json(request.parameters);
    } else {
        body["steps"] = steps_to_json(request.steps);
    }
    Json inputs = Json::array();
    for (const InputArray& input : request.inputs) {
        inputs.push_back(input_to_json(input));
    }
    body["inputs"] = std::move(inputs);
    if (request.to_file) {
        body["output"] = Json::object();
    }
    body["keep"] = request.keep;
    body["linked"] = request.linked;
    body["watch"] = request.watch;
    body["priority"] = request.priority;
    for (const auto& [key, text] :
         {std::pair{"max_memory", &request.max_memory}, std::pair{"tile_bytes", &request.tile_bytes},
          std::pair{"name", &request.name}}) {
        if (!text->empty()) {
            body[key] = *text;
        }
    }
    if (request.when_disk_is_full == SpacePolicy::wait) {
        body["wait_for_space"] = true;
    }
    return body;
}

Expected<RequestWithDescriptors> request_with_descriptors(const JobRequest& request) {
    RequestWithDescriptors result{request_body(request), {}, {}};
    result.body["submission"] = random_submission();
    if (!request.note.empty()) {
        Expected<Json> note = note_to_json(request.note);
        if (!note) {
            return std::unexpected(note.error());
        }
        result.body["note"] = std::move(*note);
    }
    const auto add = [&result](Json& place, int descriptor, std::int64_t offset) {
        place["descriptor"] = result.descriptors.size();
        place["offset"] = offset;
        result.descriptors.push_back(descriptor);
    };
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        const InputArray& input = request.inputs[i];
        Json& place = result.body["inputs"][i];
        if (input.descriptor >= 0) {
            add(place, input.descriptor, input.offset);
            continue;
        }
        if (checked_byte_count(input.array) != static_cast<std::int64_t>(input.memory.size())) {
            return std::unexpected(wrong_memory(input));
        }
        Expected<UniqueDescriptor> copy = sealed_copy_of(input.memory);
        if (!copy) {
            return std::unexpected(copy.error());
        }
        add(place, copy->get(), 0);
        result.copies.push_back(std::move(*copy));
    }
    if (request.output) {
        Json& place = result.body["output"];
        place = output_to_json(*request.output);
        add(place, request.output->descriptor, request.output->offset);
    }
    return result;
}

}  // namespace slab
