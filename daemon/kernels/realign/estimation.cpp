#include "daemon/kernels/realign/estimation.hpp"

#include "daemon/kernels/realign/coarse_references.hpp"
#include "daemon/kernels/realign/first_pass.hpp"
#include "daemon/kernels/realign/fluctuation.hpp"
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/information.hpp"
#include "daemon/kernels/realign/mean_image.hpp"
#include "daemon/kernels/realign/reference_slopes.hpp"
#include "daemon/kernels/realign/references.hpp"
#include "daemon/kernels/realign/second_pass.hpp"
#include "daemon/kernels/realign/second_reference.hpp"
#include "daemon/kernels/realign/series_motion.hpp"
#include "daemon/kernels/realign/slab_steps.hpp"
#include "daemon/kernels/realign/spline_images.hpp"

namespace slab::kernels::realign {

void fill_estimation(RealignPhase phase, const RealignProgram& program, const TileCall& call) {
    switch (phase) {
    case RealignPhase::spline_lines: return fill_spline_lines(program, call);
    case RealignPhase::coefficients: return fill_coefficients(program, call);
    case RealignPhase::coarse_images: return fill_coarse_images(program, call);
    case RealignPhase::coarse_references: return fill_coarse_references(program, call);
    case RealignPhase::reference_slopes: return fill_reference_slopes(program, call);
    case RealignPhase::thresholds: return fill_thresholds(program, call);
    case RealignPhase::references: return fill_references(program, call);
    case RealignPhase::coarse_pass: return fill_coarse_pass(program, call);
    case RealignPhase::first_step:
    case RealignPhase::second_step:
    case RealignPhase::third_step: return fill_slab_step(phase, program, call);
    case RealignPhase::first_pass: return fill_first_pass(program, call);
    case RealignPhase::samples: return fill_samples(program, call);
    case RealignPhase::fluctuation: return fill_fluctuation(program, call);
    case RealignPhase::mean: return fill_mean(program, call);
    case RealignPhase::second_slopes: return fill_second_slopes(program, call);
    case RealignPhase::second_reference: return fill_second_reference(program, call);
    case RealignPhase::gain_facts: return fill_gain_facts(program, call);
    case RealignPhase::second_equations: return fill_second_equations(program, call);
    case RealignPhase::second_pass: return fill_second_pass(program, call);
    case RealignPhase::motion: return fill_motion(program, call);
    case RealignPhase::pull_backs: return fill_pull_backs(program, call);
    }
}

}  // namespace slab::kernels::realign
