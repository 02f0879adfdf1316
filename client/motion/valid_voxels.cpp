#include "client/motion/valid_voxels.hpp"

#include <algorithm>
#include <cmath>

namespace slab {
namespace {

// Where a frame's own voxels would miss their places by rounding.
constexpr double rounding = 1e-9;

// Indices [begin, end) along a row whose places lie inside along all axes.
struct Inside {
    std::int64_t begin;
    std::int64_t end;

    // begin + step * index from 0 to last.
    void narrow(double first, double step, double last) {
        const auto is_out = [&](std::int64_t index) {
            const double place = first + step * static_cast<double>(index);
            return !(place >= -rounding && place <= last + rounding);
        };
        if (std::abs(step) < 1e-12) {
            end = begin < end && is_out(begin) ? begin : end;
            return;
        }
        const double low = ((step > 0.0 ? 0.0 : last) - first) / step;
        const double high = ((step > 0.0 ? last : 0.0) - first) / step;
        const auto clamped = [&](double index) {
            return static_cast<std::int64_t>(
                std::clamp(index, static_cast<double>(begin), static_cast<double>(end)));
        };
        begin = std::max(begin, clamped(std::floor(low)));
        end = std::min(end, clamped(std::ceil(high) + 1.0));
        while (begin < end && is_out(begin)) {
            ++begin;
        }
        while (begin < end && is_out(end - 1)) {
            --end;
        }
    }
};

}  // namespace

std::vector<std::uint8_t> valid_voxels(const std::vector<FrameMotion>& motion, const MotionGrid& grid,
                                       MemoryOrder order) {
    const auto& extents = grid.extents;
    std::vector<std::uint8_t> valid(static_cast<std::size_t>(extents[0] * extents[1] * extents[2]), 1);
    const std::size_t fast = order == MemoryOrder::fortran ? 0 : 2;
    const std::size_t slow = 2 - fast;
    const AffineMatrix to_voxels = inverse(grid.to_mm);
    for (const FrameMotion& frame : motion) {
        if (!frame.has_converged) {
            continue;
        }
        const AffineMatrix pull_back = to_voxels * inverse(frame.to_reference) * grid.to_mm;
        std::uint8_t* row = valid.data();
        for (std::int64_t k = 0; k < extents[slow]; ++k) {
            for (std::int64_t j = 0; j < extents[1]; ++j, row += extents[fast]) {
                Inside inside{0, extents[fast]};
                for (std::size_t axis = 0; axis < 3; ++axis) {
                    const auto& line = pull_back.rows[axis];
                    inside.narrow(line[slow] * static_cast<double>(k) + line[1] * static_cast<double>(j) +
                                      line[3],
                                  line[fast], static_cast<double>(extents[axis] - 1));
                }
                std::fill(row, row + inside.begin, std::uint8_t{0});
                std::fill(row + inside.end, row + extents[fast], std::uint8_t{0});
            }
        }
    }
    return valid;
}

}  // namespace slab
