#include "daemon/kernels/realign/reference_image.hpp"

#include "daemon/kernels/realign/normal_equations.hpp"
#include "daemon/kernels/realign/soft_mask.hpp"

#include <algorithm>
#include <functional>

namespace slab::kernels::realign {
namespace {

void take_voxels(const ReferenceSource& source, ReferenceImage& reference) {
    const ToMillimetres in_mm(source.grid);
    const Extents& n = source.grid.extents;
    std::int64_t taken = 0;
    std::int64_t i = 0;
    for (std::int64_t z = source.first_plane; z < source.last_plane; ++z) {
        for (std::int64_t y = 0; y < n[1]; ++y) {
            for (std::int64_t x = 0; x < n[2]; ++x, ++i) {
                const bool tells =
                    source.information == nullptr || source.information[i] >= source.least_information;
                if (!(source.weight[i] > least_weight) || !tells) {
                    continue;
                }
                reference.index[taken] = static_cast<std::int32_t>((z * n[1] + y) * n[2] + x);
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

void find_places(const VolumeGrid& grid, ReferenceImage& reference) {
    ReferenceFacts& facts = *reference.facts;
    for (std::int64_t i = 0; i < facts.voxels; ++i) {
        const auto weight = static_cast<double>(reference.weight[i]);
        facts.weight += weight;
        facts.weighted_value += weight * static_cast<double>(reference.value[i]);
        const Point place = applied(grid.to_mm, {static_cast<double>(reference.at[0][i]),
                                                 static_cast<double>(reference.at[1][i]),
                                                 static_cast<double>(reference.at[2][i])});
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

void make_reference(const ReferenceSource& source, const Point& centre, ReferenceImage& reference) {
    new (reference.facts) ReferenceFacts{};
    reference.facts->centre = centre;
    take_voxels(source, reference);
    find_places(source.grid, reference);
    sum_normal(reference, reference.facts->normal);
}

void Reference::add(const ReferenceImage& next) {
    slab[static_cast<std::size_t>(count++)] = next;
    const ReferenceFacts& more = *next.facts;
    facts.voxels += more.voxels;
    facts.weight += more.weight;
    facts.weighted_value += more.weighted_value;
    facts.centre = more.centre;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        facts.low[axis] = std::min(facts.low[axis], more.low[axis]);
        facts.high[axis] = std::max(facts.high[axis], more.high[axis]);
    }
    std::ranges::transform(facts.normal, more.normal, facts.normal.begin(), std::plus());
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
