#pragma once

#include "common/geometry/affine_matrix.hpp"
#include "daemon/kernels/realign/gauss_newton.hpp"
#include "daemon/kernels/realign/phase_workspaces.hpp"

#include <cstdint>
#include <span>

// Each frame to the reference frame, coarse to fine.
namespace slab::kernels::realign {

struct FirstPass {
    AffineMatrix motion;  // the reference's mm to the frame's
    double scale = 1.0;
    double steps = 0.0;
    double has_converged = 1.0;
};
inline constexpr std::int64_t first_pass_bytes = sizeof(FirstPass);

// The coarse levels; then the frames' own, from where the slabs' steps came to.
void fill_coarse_pass(const RealignProgram& program, const TileCall& call);
void fill_first_pass(const RealignProgram& program, const TileCall& call);

// Where a frame's own level begins, and how it ends.
Alignment after_coarse_pass(const TileCall& call, std::int64_t frame);
inline constexpr GaussNewtonOptions first_pass_options{.tolerance = tolerance_in_mm, .most_steps = 20};

inline const FirstPass& first_pass_of(const TileCall& call, std::int64_t frame) {
    return record_of<FirstPass>(workspace(call, RealignPhase::first_pass), frame);
}

// Of numbers that are put into another order; 0 of none.
double median_of(std::span<double> numbers);

// Whether the first pass found that head in a frame of the series. The call's scratch is used.
class GoodFrames {
  public:
    GoodFrames(const RealignProgram& program, const TileCall& call);

    bool operator()(std::int64_t frame) const;
    std::int64_t count() const;

  private:
    const RealignProgram& program_;
    const TileCall& call_;
    double median_scale_;
};

}  // namespace slab::kernels::realign
