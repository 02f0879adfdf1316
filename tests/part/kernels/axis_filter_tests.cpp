// The sums that values and slopes of an image are made of.
#include "daemon/kernels/realign/axis_filters.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

using namespace slab::kernels::realign;

namespace {

struct Volume {
    explicit Volume(const Extents& n) : extents(n), voxels(static_cast<std::size_t>(n[0] * n[1] * n[2])) {}

    float& at(std::int64_t z, std::int64_t y, std::int64_t x) {
        return voxels[static_cast<std::size_t>((z * extents[1] + y) * extents[2] + x)];
    }
    FilterSource source() const { return {voxels.data(), extents, extents[2], extents[1] * extents[2]}; }

    Extents extents;
    std::vector<float> voxels;
};

struct Filtered {
    explicit Filtered(const Volume& volume) : value(volume), slope{volume, volume, volume} {}

    Volume value;
    std::array<Volume, 3> slope;
};

Filtered filtered(const Volume& volume, const FilterPairs& pairs) {
    Filtered result(volume);
    std::vector<std::byte> scratch(least_filter_scratch, std::byte{0xFF});
    for (std::int64_t z = 0; z < volume.extents[0]; ++z) {
        filter_plane(
            volume.source(), pairs, z,
            {&result.value.at(z, 0, 0),
             {&result.slope[0].at(z, 0, 0), &result.slope[1].at(z, 0, 0), &result.slope[2].at(z, 0, 0)}},
            scratch);
    }
    return result;
}

FilterPairs pairs_of(const AxisFilter& value, const AxisFilter& slope) {
    return {{value, value, value}, {slope, slope, slope}};
}

// A line continued by half turns about its ends.
double continued(const std::vector<double>& line, std::int64_t at) {
    const auto last = static_cast<std::int64_t>(line.size()) - 1;
    if (at < 0) {
        return 2.0 * line[0] - continued(line, -at);
    }
    return at > last ? 2.0 * line[static_cast<std::size_t>(last)] - continued(line, 2 * last - at)
                     : line[static_cast<std::size_t>(at)];
}

}  // namespace

TEST_CASE(
    "a plane keeps its value and has its slope everywhere, at the faces too, whatever the filters' width") {
    for (const Extents& n : {Extents{2, 2, 2}, Extents{3, 20, 7}, Extents{9, 5, 1100}, Extents{2, 600, 3}}) {
        Volume volume(n);
        const auto plane = [](std::int64_t z, std::int64_t y, std::int64_t x) {
            return 10.0F + 3.0F * static_cast<float>(z) - 0.5F * static_cast<float>(y) +
                   0.25F * static_cast<float>(x);
        };
        for (std::int64_t z = 0; z < n[0]; ++z) {
            for (std::int64_t y = 0; y < n[1]; ++y) {
                for (std::int64_t x = 0; x < n[2]; ++x) {
                    volume.at(z, y, x) = plane(z, y, x);
                }
            }
        }
        const AxisFilter wide = gaussian_filter(4.0);
        const Filtered result = filtered(volume, pairs_of(wide, composed(wide, sample_slope_filter(1e-6))));
        for (std::size_t i = 0; i < volume.voxels.size(); ++i) {
            REQUIRE(result.value.voxels[i] == doctest::Approx(volume.voxels[i]).epsilon(1e-4));
            REQUIRE(result.slope[0].voxels[i] == doctest::Approx(3.0).epsilon(2e-3));
            REQUIRE(result.slope[1].voxels[i] == doctest::Approx(-0.5).epsilon(2e-2));
            REQUIRE(result.slope[2].voxels[i] == doctest::Approx(0.25).epsilon(4e-2));
        }
    }
}

TEST_CASE("a filter is the sum over neighbours, lines going on turned about their ends") {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    const Extents n{6, 40, 530};
    Volume volume(n);
    for (float& voxel : volume.voxels) {
        voxel = normal(random);
    }
    AxisFilter lopsided;
    lopsided.radius = 8;
    for (std::size_t i = 0; i < 17; ++i) {
        lopsided.weights[i] = normal(random);
    }
    // The slope's filter along each axis, nothing along the others.
    const Filtered result = filtered(volume, pairs_of(AxisFilter{}, lopsided));
    double most = 0.0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        for (int probe = 0; probe < 2000; ++probe) {
            Extents at{};
            for (std::size_t a = 0; a < 3; ++a) {
                at[a] = static_cast<std::int64_t>(random() % static_cast<unsigned>(n[a]));
            }
            std::vector<double> line;
            Extents place = at;
            for (place[axis] = 0; place[axis] < n[axis]; ++place[axis]) {
                line.push_back(static_cast<double>(volume.at(place[0], place[1], place[2])));
            }
            double expected = 0.0;
            for (std::int64_t t = -8; t <= 8; ++t) {
                expected += static_cast<double>(lopsided.weights[static_cast<std::size_t>(t + 8)]) *
                            continued(line, at[axis] + t);
            }
            Volume slope = result.slope[axis];
            most = std::max(most, std::abs(expected - static_cast<double>(slope.at(at[0], at[1], at[2]))));
        }
    }
    CHECK(most < 2e-4);
    CHECK(result.value.voxels == volume.voxels);
}

TEST_CASE("the slope of samples is that of the spline through them") {
    // A cubic is its own spline, away from the ends, where a line's curvature is not 0.
    const std::int64_t n = 61;
    Volume volume({2, 2, n});
    const auto cubic = [](double x) { return 0.001 * x * x * x - 0.02 * x * x + x; };
    const auto its_slope = [](double x) { return 0.003 * x * x - 0.04 * x + 1.0; };
    for (std::int64_t x = 0; x < n; ++x) {
        const auto value = static_cast<float>(cubic(static_cast<double>(x - 30)));
        volume.at(0, 0, x) = volume.at(0, 1, x) = volume.at(1, 0, x) = volume.at(1, 1, x) = value;
    }
    Filtered result = filtered(volume, pairs_of(AxisFilter{}, sample_slope_filter(1e-7)));
    for (std::int64_t x = 20; x <= 40; ++x) {
        CHECK(result.slope[2].at(1, 1, x) ==
              doctest::Approx(its_slope(static_cast<double>(x - 30))).epsilon(1e-4));
    }
    // Of coefficients the same three weights tell it.
    CHECK(sample_slope_filter(1e-3).radius == 6);
    CHECK(composed(spline_value_filter(), spline_slope_filter()).radius == 2);
}
