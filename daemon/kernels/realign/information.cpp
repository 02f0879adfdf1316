#include "daemon/kernels/realign/information.hpp"

#include "daemon/kernels/realign/reference_slopes.hpp"

#include <algorithm>
#include <functional>

namespace slab::kernels::realign {
namespace {

constexpr double first_pass_share = 0.70;
constexpr std::int64_t least_chosen = 10000;  // voxels, where there are as many

// The largest magnitude such that what is not below it holds the share of the sum, and enough voxels.
float threshold_of(const InformationHistogram& all, double share) {
    double total = 0.0;
    for (const double sum : all.sums) {
        total += sum;
    }
    double sum = 0.0;
    std::int64_t count = 0;
    for (std::size_t bin = InformationHistogram::bins - 1; share < 1.0 && bin > 0; --bin) {
        sum += all.sums[bin];
        count += all.counts[bin];
        if (sum >= share * total && count >= least_chosen) {
            return InformationHistogram::least_of(bin);
        }
    }
    return 0.0F;
}

}  // namespace

void fill_thresholds(const RealignProgram& program, const TileCall& call) {
    auto& all = *new (call.scratch.data()) InformationHistogram{};
    for (std::int64_t slab = 0; slab < Slabs(program.grid).count; ++slab) {
        const InformationHistogram& one = *reference_slopes_of(program, call, slab).histogram;
        std::ranges::transform(all.sums, one.sums, all.sums.begin(), std::plus());
        std::ranges::transform(all.counts, one.counts, all.counts.begin(), std::plus());
    }
    new (call.target.data) Thresholds{threshold_of(all, std::min(first_pass_share, program.quality)),
                                      threshold_of(all, program.quality)};
}

}  // namespace slab::kernels::realign
