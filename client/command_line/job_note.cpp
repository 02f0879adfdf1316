#include "client/command_line/job_note.hpp"

#include "common/protocol/message.hpp"

#include <sys/stat.h>

#include <charconv>
#include <filesystem>

namespace slab {
namespace {

constexpr std::size_t longest_note = 16 * 1024;

std::optional<std::uint64_t> number_in(const Json& object, std::string_view key) {
    const std::string text = text_or(object, key);
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    return code == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::optional<FileIdentity> identity_in(const Json& object) {
    const auto file = object.find("output_file");
    if (file == object.end() || !file->is_object()) {
        return std::nullopt;
    }
    const auto device = number_in(*file, "device");
    const auto inode = number_in(*file, "inode");
    return device && inode ? std::optional(FileIdentity{*device, *inode}) : std::nullopt;
}

}  // namespace

std::optional<FileIdentity> FileIdentity::of(int descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) {
        return std::nullopt;
    }
    return FileIdentity{status.st_dev, status.st_ino};
}

std::string to_json(const JobNote& note) {
    Json json{{"client", "slab"}, {"command", note.command == JobNote::Command::run ? "run" : "submit"}};
    json["inputs"] = Json::array();
    for (const std::string& path : note.inputs) {
        json["inputs"].push_back(path.empty() ? Json() : Json(path));
    }
    json["output"] = note.output.empty() ? Json() : Json(note.output);
    if (note.output_file) {
        // Text: an inode may need all of 64 bits.
        json["output_file"] = {{"device", std::to_string(note.output_file->device)},
                               {"inode", std::to_string(note.output_file->inode)}};
    }
    if (note.format) {
        json["output_format"] = name_of(*note.format);
    }
    json["existing"] = note.existing == ExistingFile::replace ? "replace" : "refuse";
    if (!note.nifti_header.empty()) {
        json["nifti_header"] = note.nifti_header;
    }
    std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return text.size() <= longest_note ? text : std::string();
}

std::optional<JobNote> job_note_from(const std::string& json) {
    const Json object = Json::parse(json, nullptr, false);
    const std::string command = object.is_object() ? text_or(object, "command") : std::string();
    if (!object.is_object() || text_or(object, "client") != "slab" ||
        (command != "run" && command != "submit")) {
        return std::nullopt;
    }
    JobNote note;
    note.command = command == "run" ? JobNote::Command::run : JobNote::Command::submit;
    if (const auto inputs = object.find("inputs"); inputs != object.end() && inputs->is_array()) {
        for (const Json& path : *inputs) {
            note.inputs.push_back(path.is_string() ? path.get<std::string>() : std::string());
        }
    }
    note.output = text_or(object, "output");
    note.nifti_header = text_or(object, "nifti_header");
    note.output_file = identity_in(object);
    if (const auto format = output_format_named(text_or(object, "output_format")); format) {
        note.format = *format;
    }
    note.existing = text_or(object, "existing") == "replace" ? ExistingFile::replace : ExistingFile::refuse;
    return note;
}

std::string absolute_path(const std::string& path) {
    std::error_code failure;
    const std::filesystem::path absolute = std::filesystem::absolute(path, failure);
    return failure ? path : absolute.string();
}

}  // namespace slab
