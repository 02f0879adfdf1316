#pragma once

#include "daemon/kernels/kernel.hpp"

#include <functional>
#include <random>
#include <span>
#include <vector>

namespace slab::agreement {

using Bytes = std::vector<std::byte>;
using Fill = std::function<void(const kernels::TileCall&)>;

// Into which tiles a box is cut. All of it in one is the reference.
using Cut = std::function<std::vector<Box>(const Box&)>;
std::vector<Box> one_tile(const Box& box);

// A part of a workspace, rows [begin, end) of its slowest axis with more than one index, amid garbage.
class WorkspacePart {
  public:
    WorkspacePart(const ArrayDescription& array, kernels::AxisRange rows, std::mt19937_64& random);

    Box box() const;   // of the array, what there is of it
    ArrayView view();  // where the whole array would be
    bool garbage_is_untouched() const;
    void spoil();  // its elements become nonsense

  private:
    static constexpr std::size_t margin = 4096;

    ArrayDescription array_;
    kernels::AxisRange rows_;
    std::size_t begin_;  // of the part, in bytes of the array
    std::size_t bytes_;
    Bytes before_, after_;
    std::vector<std::byte> memory_;
};

// Of the inputs and the output.
std::int64_t bytes_of(std::span<const ArrayDescription> inputs, const kernels::KernelPlan& plan);

// What to compute: all that a tile function needs but its tile.
struct KernelRun {
    const kernels::KernelPlan& plan;
    std::span<const ConstArrayView> inputs;
    std::span<const Shape> shapes;  // of the inputs
    std::function<kernels::AxisRange(const kernels::BandQuery&)> band_reads;
};

// Fills `box` of the output (for a band: rows of its band axis): first what it needs of each workspace, whole or by
// band_reads, then its own tiles. Some tiles run twice. Checks that nothing is written beside them.
void run_phases(const KernelRun& run, const Box& box, const ArrayView& output, const Fill& fill,
                const Cut& cut, std::mt19937_64& random);

// One call with a scratch that contains noise; checks that nothing behind the scratch is written.
void run_tile_with_noise(const KernelRun& run, std::size_t phase, std::span<const ConstArrayView> workspaces,
                         const ArrayView& target, const Box& tile, const Fill& fill);

// The first element that is farther from the definition's than the plan says, -1 when none is.
std::int64_t first_difference(const Bytes& result, const Bytes& definition, const kernels::KernelPlan& plan,
                              double largest_input);

// The largest finite magnitude.
double largest_magnitude(const ArrayDescription& array, const Bytes& content);

}  // namespace slab::agreement
