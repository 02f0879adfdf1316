#include "client/motion/frame_motion.hpp"

#include "common/protocol/json_text.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace slab {
namespace {

constexpr std::size_t columns = 18;

// Non-finite numbers are text.
double number_in(const Json& value) {
    return value.is_number()   ? value.get<double>()
           : value.is_string() ? std::strtod(value.get_ref<const std::string&>().c_str(), nullptr)
                               : 0.0;
}

FrameMotion frame_in(const Json& row) {
    FrameMotion frame;
    for (std::size_t i = 0; i < 12; ++i) {
        frame.to_reference.rows[i / 4][i % 4] = number_in(row[i]);
    }
    frame.scale = number_in(row[12]);
    frame.steps = static_cast<std::int64_t>(number_in(row[13]));
    frame.has_converged = number_in(row[14]) != 0.0;
    frame.noise = number_in(row[15]);
    frame.dvars = number_in(row[16]);
    frame.std_dvars = number_in(row[17]);
    return frame;
}

std::unexpected<Error> unreadable_motion(std::string because) {
    return std::unexpected(Error{ErrorKind::failed, "the motion in the job's result cannot be read",
                                 std::move(because), "Use slab and slabd of the same version."});
}

}  // namespace

Expected<std::vector<FrameMotion>> motion_in(const std::string& result) {
    const Json json = json_from_text(result);
    const auto table = json.is_object() ? json.find(motion_table_name) : json.end();
    if (table == json.end() || !table->is_array()) {
        return unreadable_motion("it has no table of this name");
    }
    std::vector<FrameMotion> motion;
    for (const Json& row : *table) {
        if (!row.is_array() || row.size() < columns) {
            return unreadable_motion(fmt::format("row {} has not {} numbers", motion.size(), columns));
        }
        motion.push_back(frame_in(row));
    }
    return motion;
}

std::vector<std::size_t> frames_not_converged(const std::vector<FrameMotion>& motion) {
    std::vector<std::size_t> frames;
    for (std::size_t frame = 0; frame < motion.size(); ++frame) {
        if (!motion[frame].has_converged) {
            frames.push_back(frame);
        }
    }
    return frames;
}

}  // namespace slab
