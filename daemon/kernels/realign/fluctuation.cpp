#include "daemon/kernels/realign/fluctuation.hpp"

#include "daemon/kernels/realign/mean_image.hpp"
#include "daemon/kernels/realign/references.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace slab::kernels::realign {
namespace {

// Between order statistics, linearly: numpy.percentile's default. Puts the numbers into another order.
double quantile(std::span<double> numbers, double share) {
    const double place = share * static_cast<double>(numbers.size() - 1);
    const auto below = static_cast<std::ptrdiff_t>(place);
    const auto at = numbers.begin() + below;
    std::nth_element(numbers.begin(), at, numbers.end());
    const double low = *at;
    const double high = at + 1 == numbers.end() ? low : *std::min_element(at + 1, numbers.end());
    return low + (place - static_cast<double>(below)) * (high - low);
}

// Yule and Walker's estimate for one step.
double correlation_with_next(std::span<const double> numbers) {
    double mean = 0.0;
    for (const double number : numbers) {
        mean += number;
    }
    mean /= static_cast<double>(numbers.size());
    double squares = 0.0;
    double products = 0.0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const double deviation = numbers[i] - mean;
        squares += deviation * deviation;
        products += i > 0 ? deviation * (numbers[i - 1] - mean) : 0.0;
    }
    return squares > 0.0 ? products / squares : 0.0;
}

double fluctuation_of(std::span<double> numbers) {
    if (std::ranges::any_of(numbers, [](double number) { return std::isnan(number); })) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const double correlation = correlation_with_next(numbers);
    const double deviation = (quantile(numbers, 0.75) - quantile(numbers, 0.25)) / 1.349;
    return std::sqrt(2.0 * (1.0 - correlation)) * deviation;
}

}  // namespace

void fill_fluctuation(const RealignProgram& program, const TileCall& call) {
    const Reference reference = all_of_reference(program, call);
    const std::int64_t voxels = reference.facts.voxels;
    const std::int64_t taken = std::min(voxels, most_fluctuation_voxels);
    const std::span series(reinterpret_cast<double*>(call.scratch.data()),
                           static_cast<std::size_t>(program.frames));
    auto* const target = reinterpret_cast<double*>(call.target.data);
    for (std::int64_t i = call.tile.begin[0]; i < call.tile.end[0]; ++i) {
        if (i >= taken) {
            target[i] = std::numeric_limits<double>::quiet_NaN();
            continue;
        }
        std::int64_t voxel = i * voxels / taken;
        std::int64_t slab = 0;
        while (voxel >= reference.slab[static_cast<std::size_t>(slab)].facts->voxels) {
            voxel -= reference.slab[static_cast<std::size_t>(slab++)].facts->voxels;
        }
        for (std::size_t frame = 0; frame < series.size(); ++frame) {
            series[frame] =
                static_cast<double>(samples_of(call, static_cast<std::int64_t>(frame), slab)[voxel]);
        }
        target[i] = fluctuation_of(series);
    }
}

double expected_change(const TileCall& call) {
    const auto* const changes =
        reinterpret_cast<const double*>(workspace(call, RealignPhase::fluctuation).data);
    double sum = 0.0;
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < most_fluctuation_voxels; ++i) {
        const bool is_there = !std::isnan(changes[i]);
        sum += is_there ? changes[i] : 0.0;
        count += is_there ? 1 : 0;
    }
    return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

}  // namespace slab::kernels::realign
