#include "daemon/kernels/realign/reference_image.hpp"

#include "daemon/kernels/realign/normal_equations.hpp"
#include "daemon/kernels/realign/soft_mask.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace slab::kernels::realign {
namespace {

// The gradient in mm, of slopes by index: slopes * inverse of the grid's matrix.
struct ToMillimetres {
    AffineMatrix inverse_map;

    std::array<float, 3> operator()(const std::array<const float*, 3>& slope, std::int64_t i) const {
        std::array<float, 3> gradient{};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            double sum = 0.0;
            for (std::size_t k = 0; k < 3; ++k) {
                sum += static_cast<double>(slope[k][i]) * inverse_map.rows[k][axis];
            }
            gradient[axis] = static_cast<float>(sum);
        }
        return gradient;
    }
};

// The largest threshold such that what is not below it holds the share of the sum, or least_chosen voxels. Positive floats
// are in the order of their bits, so bisection ends after 31 steps.
float threshold_of(const float* information, std::int64_t count, double share) {
    double all = 0.0;
    for (std::int64_t i = 0; i < count; ++i) {
        all += static_cast<double>(information[i]);
    }
    std::uint32_t low = 0;  // holds enough
    std::uint32_t high = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::max());
    while (high - low > 1) {
        const std::uint32_t middle = low + (high - low) / 2;
        const float threshold = std::bit_cast<float>(middle);
        double sum = 0.0;
        std::int64_t chosen = 0;
        for (std::int64_t i = 0; i < count; ++i) {
            const bool is_chosen = information[i] >= threshold;
            sum += is_chosen ? static_cast<double>(information[i]) : 0.0;
            chosen += is_chosen ? 1 : 0;
        }
        (sum >= share * all && chosen >= least_chosen ? low : high) = middle;
    }
    return std::bit_cast<float>(low);
}

void take_voxels(const ReferenceSource& source, const VolumeGrid& grid, float* information,
                 ReferenceImage& reference) {
    const ToMillimetres in_mm{inverse(grid.to_mm)};
    const std::int64_t count = grid.count();
    float least = 0.0F;
    if (source.share < 1.0) {
        for (std::int64_t i = 0; i < count; ++i) {
            const auto g = in_mm(source.blurred_slope, i);
            const float square = g[0] * g[0] + g[1] * g[1] + g[2] * g[2];
            information[i] = source.weight[i] > least_weight ? source.weight[i] * square : 0.0F;
        }
        least = threshold_of(information, count, source.share);
    }
    std::int64_t taken = 0;
    std::int64_t i = 0;
    for (std::int64_t z = 0; z < grid.extents[0]; ++z) {
        for (std::int64_t y = 0; y < grid.extents[1]; ++y) {
            for (std::int64_t x = 0; x < grid.extents[2]; ++x, ++i) {
                if (!(source.weight[i] > least_weight) || (source.share < 1.0 && information[i] < least)) {
                    continue;
                }
                reference.index[taken] = static_cast<std::int32_t>(i);
                reference.at[0][taken] = static_cast<float>(z);
                reference.at[1][taken] = static_cast<float>(y);
                reference.at[2][taken] = static_cast<float>(x);
                reference.value[taken] = source.value[i];
                reference.weight[taken] = source.weight[i];
                const auto slope = in_mm(source.slope, i);
                const auto blurred = in_mm(source.blurred_slope, i);
                for (std::size_t axis = 0; axis < 3; ++axis) {
                    reference.slope[axis][taken] = slope[axis];
                    reference.instrument[axis][taken] = blurred[axis] * source.weight[i];
                }
                ++taken;
            }
        }
    }
    reference.facts->voxels = taken;
}

Point place_in_mm(const VolumeGrid& grid, const ReferenceImage& reference, std::int64_t i) {
    return applied(grid.to_mm,
                   {static_cast<double>(reference.at[0][i]), static_cast<double>(reference.at[1][i]),
                    static_cast<double>(reference.at[2][i])});
}

void find_places(const VolumeGrid& grid, ReferenceImage& reference) {
    ReferenceFacts& facts = *reference.facts;
    facts.weight = facts.mean = 0.0;
    facts.centre = {};
    for (std::int64_t i = 0; i < facts.voxels; ++i) {
        const Point place = place_in_mm(grid, reference, i);
        const auto weight = static_cast<double>(reference.weight[i]);
        facts.weight += weight;
        facts.mean += weight * static_cast<double>(reference.value[i]);
        for (std::size_t axis = 0; axis < 3; ++axis) {
            facts.centre[axis] += weight * place[axis];
        }
    }
    const double scale = facts.weight > 0.0 ? 1.0 / facts.weight : 0.0;
    facts.mean *= scale;
    for (double& one : facts.centre) {
        one *= scale;
    }
    facts.low.fill(std::numeric_limits<double>::max());
    facts.high.fill(std::numeric_limits<double>::lowest());
    for (std::int64_t i = 0; i < facts.voxels; ++i) {
        const Point place = place_in_mm(grid, reference, i);
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const double from_centre = place[axis] - facts.centre[axis];
            reference.place[axis][i] = static_cast<float>(from_centre);
            facts.low[axis] = std::min(facts.low[axis], from_centre);
            facts.high[axis] = std::max(facts.high[axis], from_centre);
        }
    }
}

}  // namespace

ReferenceImage lay_out_reference(MemoryRun& run, std::int64_t capacity) {
    ReferenceImage reference;
    reference.facts = run.take<ReferenceFacts>(1);
    reference.index = run.take<std::int32_t>(capacity);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        reference.at[axis] = run.take<float>(capacity);
        reference.place[axis] = run.take<float>(capacity);
        reference.slope[axis] = run.take<float>(capacity);
        reference.instrument[axis] = run.take<float>(capacity);
    }
    reference.value = run.take<float>(capacity);
    reference.weight = run.take<float>(capacity);
    return reference;
}

void make_reference(const ReferenceSource& source, const VolumeGrid& grid, ReferenceImage& reference,
                    float* other) {
    take_voxels(source, grid, other, reference);
    find_places(grid, reference);
    reference.facts->normal = normal_matrix(reference);
}

std::array<Point, 8> corners_of(const ReferenceFacts& facts) {
    std::array<Point, 8> corners{};
    for (std::size_t corner = 0; corner < corners.size(); ++corner) {
        for (std::size_t axis = 0; axis < 3; ++axis) {
            corners[corner][axis] = (corner >> axis & 1) != 0 ? facts.high[axis] : facts.low[axis];
        }
    }
    return corners;
}

}  // namespace slab::kernels::realign
