#include "daemon/session/parameter_decoding.hpp"

#include "common/protocol/table_json.hpp"
#include "daemon/session/bad_request.hpp"

#include <fmt/format.h>

namespace slab::daemon {
namespace {

Expected<GivenScalar> decode_scalar(const std::string& name, const Json& json) {
    if (json.is_string()) {
        return GivenScalar(json.get<std::string>());
    }
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX) {
        return GivenScalar(static_cast<double>(json.get<std::uint64_t>()));
    }
    if (json.is_number_integer()) {
        return GivenScalar(json.get<std::int64_t>());
    }
    if (json.is_number_float()) {
        return GivenScalar(json.get<double>());
    }
    if (json.is_boolean()) {
        return GivenScalar(std::string(json.get<bool>() ? "on" : "off"));
    }
    return std::unexpected(bad_request(
        fmt::format("the parameter '{}' cannot be read", name.substr(0, 80)),
        fmt::format("it holds {} where a number, a text or a boolean should be", json.type_name())));
}

}  // namespace

Expected<std::vector<GivenParameter>> decode_parameters(const Json& body) {
    std::vector<GivenParameter> parameters;
    const auto found = body.find("parameters");
    if (found == body.end() || found->is_null()) {
        return parameters;
    }
    const Json& json = *found;
    if (!json.is_object()) {
        return std::unexpected(bad_request("parameters is not an object"));
    }
    for (const auto& [name, value] : json.items()) {
        GivenParameter parameter{name, {}};
        if (is_table(value)) {
            auto table = table_from_json(value, name);
            if (!table) {
                return std::unexpected(table.error());
            }
            parameter.table = std::move(*table);
            parameters.push_back(std::move(parameter));
            continue;
        }
        if (value.is_array() && static_cast<std::int64_t>(value.size()) > most_listed_numbers) {
            return std::unexpected(bad_request(
                fmt::format("the parameter '{}' is too long a list", name.substr(0, 80)),
                fmt::format("it has {} elements; {} are the most, and more only in a packed table",
                            value.size(), most_listed_numbers)));
        }
        const Json list = value.is_array() ? value : Json::array({value});
        for (const Json& element : list) {
            auto scalar = decode_scalar(name, element);
            if (!scalar) {
                return std::unexpected(scalar.error());
            }
            parameter.values.push_back(std::move(*scalar));
        }
        parameters.push_back(std::move(parameter));
    }
    return parameters;
}

}  // namespace slab::daemon
