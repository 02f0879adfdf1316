#include "common/geometry/rigid_motion.hpp"

#include <algorithm>
#include <iterator>
#include <numbers>

namespace slab {
namespace {

constexpr std::array<std::string_view, 3> names{"spm", "fsl", "afni"};

}  // namespace

std::vector<std::string> motion_convention_names() {
    return {names.begin(), names.end()};
}

std::optional<MotionConvention> motion_convention_named(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    return found == names.end()
               ? std::nullopt
               : std::optional(static_cast<MotionConvention>(std::distance(names.begin(), found)));
}

AffineMatrix motion_matrix(MotionConvention convention, const MotionRow& row, const Point& centre) {
    switch (convention) {
    case MotionConvention::spm:
        return shift({row[0], row[1], row[2]}) * turn_back(0, row[3]) * turn_back(1, -row[4]) *
               turn_back(2, row[5]);
    case MotionConvention::fsl:
        return shift({row[3], row[4], row[5]}) *
               about(centre, turn_back(0, row[0]) * turn_back(1, row[1]) * turn_back(2, row[2]));
    case MotionConvention::afni: break;
    }
    constexpr double radians = std::numbers::pi / 180.0;
    const AffineMatrix flip = diagonal({-1.0, -1.0, 1.0});
    const AffineMatrix turned =
        turn_back(1, -radians * row[2]) * turn_back(0, -radians * row[1]) * turn_back(2, -radians * row[0]);
    return flip * shift({row[4], row[5], row[3]}) * about({-centre[0], -centre[1], centre[2]}, turned) * flip;
}

}  // namespace slab
