#pragma once

#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/expression/block_program.hpp"
#include "daemon/kernels/expression/iteration_space.hpp"
#include "daemon/kernels/fold/fold_functions.hpp"
#include "daemon/kernels/fold/fold_geometry.hpp"
#include "daemon/kernels/fold/reduction.hpp"
#include "daemon/kernels/kernel.hpp"

namespace slab::kernels {

// An expression of one or more arrays, reduced along some axes or all.
Kernel fold_kernel();

Expected<KernelPlan> plan_fold(const PlanRequest& request);
AxisRange fold_band_reads(const BandQuery& query);

void fill_fold_scalar(const TileCall& call) noexcept;
void fill_fold_simd(const TileCall& call) noexcept;

namespace fold {

// Whether a histogram's range is given; if not, it is that of the finite values, found in two phases of its own.
enum class RangeSource : std::uint8_t { given, values };

struct HistogramBins {
    std::int64_t count = 0;
    double low = 0.0;
    double high = 0.0;
    RangeSource source = RangeSource::given;
};
// A group's counts are made in scratch.
inline constexpr std::int64_t most_bins = 50000;

// The plan's table.
struct FoldTable {
    expression::IterationSpace space;
    expression::BlockProgram program;  // its result is of the type that gathers
    FoldGeometry geometry;
    HistogramBins bins;
    std::int64_t freedom = 0;  // ddof
    Reduction reduction = Reduction::sum;
    DType gathered = DType::float64;
};

// Parts of a fold: the results of groups, and all that is made of them. Each writes the tile of its phase's target.
void fill_partials(const TileCall& call, const expression::BlockFunctions& blocks,
                   const FoldFunctions& functions);
void fill_output(const TileCall& call, const FoldFunctions& functions);
void fill_histogram(const TileCall& call, const expression::BlockFunctions& blocks);

}  // namespace fold
}  // namespace slab::kernels
