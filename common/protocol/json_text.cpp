#include "common/protocol/json_text.hpp"

#include <charconv>
#include <string>
#include <vector>

namespace slab {
namespace {

constexpr std::size_t long_text = 4096;
// Stands in the parsed text for a long one that was cut out. A sender who writes it gets texts of his own in its place.
constexpr std::string_view stand_in = "\x01long text ";
constexpr std::string_view stand_in_escaped = "\\u0001long text ";

// What lies between two quotes, if it may be taken as it is: printable ASCII without escapes.
struct LongText {
    std::size_t begin;
    std::size_t end;
};

struct Outline {
    bool is_too_deep = false;
    std::vector<LongText> long_texts;  // that are values of an object's keys
};

Outline outline_of(std::string_view text) {
    Outline outline;
    int depth = 0;
    bool follows_colon = false;
    for (std::size_t i = 0; i < text.size() && !outline.is_too_deep; ++i) {
        const char letter = text[i];
        if (letter == '"') {
            const std::size_t begin = ++i;
            bool is_plain = true;
            while (i < text.size() && text[i] != '"') {
                const bool is_escape = text[i] == '\\';
                is_plain = is_plain && !is_escape && text[i] >= ' ' && text[i] <= '~';
                i += is_escape ? 2 : 1;
            }
            if (is_plain && follows_colon && i < text.size() && i - begin >= long_text) {
                outline.long_texts.push_back({begin, i});
            }
        } else if (letter == '[' || letter == '{') {
            outline.is_too_deep = ++depth > deepest_json;
        } else if (letter == ']' || letter == '}') {
            --depth;
        }
        follows_colon =
            letter == ':' ||
            (follows_colon && (letter == ' ' || letter == '\n' || letter == '\t' || letter == '\r'));
    }
    return outline;
}

// Recurses as deep as the JSON is nested.
void put_back(Json& json, std::string_view text, const std::vector<LongText>& long_texts) {
    if (json.is_structured()) {
        for (Json& child : json) {
            put_back(child, text, long_texts);
        }
        return;
    }
    if (!json.is_string() || !json.get_ref<const std::string&>().starts_with(stand_in)) {
        return;
    }
    const std::string& standing = json.get_ref<const std::string&>();
    std::size_t number = long_texts.size();
    std::from_chars(standing.data() + stand_in.size(), standing.data() + standing.size(), number);
    if (number < long_texts.size()) {
        const LongText& place = long_texts[number];
        json = std::string(text.substr(place.begin, place.end - place.begin));
    }
}

}  // namespace

Json json_from_text(std::string_view text) {
    const Outline outline = outline_of(text);
    if (outline.is_too_deep) {
        return Json(Json::value_t::discarded);
    }
    if (outline.long_texts.empty()) {
        return Json::parse(text, nullptr, false);
    }
    std::string shortened;
    std::size_t at = 0;
    for (std::size_t i = 0; i < outline.long_texts.size(); ++i) {
        const LongText& place = outline.long_texts[i];
        shortened += text.substr(at, place.begin - at);
        shortened += stand_in_escaped;
        shortened += std::to_string(i);
        at = place.end;
    }
    shortened += text.substr(at);
    Json json = Json::parse(shortened, nullptr, false);
    if (!json.is_discarded()) {
        put_back(json, text, outline.long_texts);
    }
    return json;
}

}  // namespace slab
