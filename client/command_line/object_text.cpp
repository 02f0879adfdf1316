#include "client/command_line/object_text.hpp"

#include "client/command_line/table.hpp"
#include "common/protocol/message.hpp"
#include "common/units/byte_size.hpp"
#include "common/units/duration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace slab {
namespace {

std::string time_text(double since_1970) {
    const auto seconds = static_cast<std::time_t>(since_1970);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char text[32];
    return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local));
}

bool is_size(std::string_view key) {
    return key == "bytes" || key.starts_with("bytes_") || key.ends_with("_bytes");
}

bool is_flat_list(const Json& value) {
    return value.is_array() &&
           std::ranges::none_of(value, [](const Json& item) { return item.is_structured(); });
}

std::string array_text(const Json& value) {
    const Expected<ArrayAndOrder> array = array_from_json(value);
    return array ? fmt::format("{} {}, {} order", to_text(array->array.shape), name_of(array->array.dtype),
                               array->array.order == MemoryOrder::c ? "C" : "F")
                 : value.dump();
}

bool is_array_description(const Json& value) {
    return value.is_object() && value.contains("dtype") && value.contains("shape");
}

std::string cell_text(std::string_view key, const Json& value) {
    if (value.is_null()) {
        return "-";
    }
    if (value.is_boolean()) {
        return value.get<bool>() ? "yes" : "no";
    }
    if (value.is_string()) {
        return value.get<std::string>();
    }
    if (value.is_number() && key.ends_with("_at")) {
        return time_text(value.get<double>());
    }
    if (value.is_number() && key.ends_with("_s")) {
        return duration_text(std::chrono::duration<double>(value.get<double>()));
    }
    if (value.is_number() && is_size(key)) {
        return byte_size_text(static_cast<std::int64_t>(value.get<double>()));
    }
    if (is_array_description(value)) {
        return array_text(value);
    }
    if (is_flat_list(value)) {
        std::string text;
        for (const Json& item : value) {
            text += (text.empty() ? "" : ", ") + cell_text(key, item);
        }
        return text.empty() ? "-" : text;
    }
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string table_text(const Json& list) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : list.front().items()) {
        keys.push_back(key);
    }
    Table table(keys);
    for (const Json& item : list) {
        std::vector<std::string> cells;
        for (const std::string& key : keys) {
            const auto found = item.is_object() ? item.find(key) : item.end();
            cells.push_back(found == item.end() ? "-" : cell_text(key, *found));
        }
        table.add(std::move(cells));
    }
    return table.text();
}

std::string indented(const std::string& text) {
    std::string result = "  ";
    for (std::size_t i = 0; i < text.size(); ++i) {
        result += text[i];
        if (text[i] == '\n' && i + 1 < text.size()) {
            result += "  ";
        }
    }
    return result;
}

std::string text_of(const Json& object) {
    std::size_t width = 0;
    for (const auto& [key, value] : object.items()) {
        width = std::max(width, key.size());
    }
    std::string text;
    for (const auto& [key, value] : object.items()) {
        if (value.is_object() && !is_array_description(value) && !value.empty()) {
            text += key + "\n" + indented(text_of(value));
        } else if (value.is_array() && !value.empty() && value.front().is_object()) {
            text += key + "\n" + indented(table_text(value));
        } else {
            text += fmt::format("{:<{}}  {}\n", key, width, cell_text(key, value));
        }
    }
    return text;
}

}  // namespace

std::string object_text(const std::string& json) {
    const Json object = Json::parse(json, nullptr, false);
    return object.is_object() ? text_of(object) : json + "\n";
}

}  // namespace slab
