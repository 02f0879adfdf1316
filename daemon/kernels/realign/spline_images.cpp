#include "daemon/kernels/realign/spline_images.hpp"

#include "daemon/kernels/realign/input_voxels.hpp"
#include "daemon/kernels/realign/natural_spline.hpp"
#include "daemon/kernels/realign/phase_workspaces.hpp"
#include "daemon/kernels/realign/slab_steps.hpp"
#include "daemon/kernels/realign/volume_filters.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels::realign {
namespace {

class SplineSolver {
  public:
    SplineSolver(const RealignProgram& program, const TileCall& call)
        : n_(program.grid.extents), scratch_(reinterpret_cast<float*>(call.scratch.data())) {
        const Point spacing = program.grid.spacing();
        for (std::size_t axis = 0; axis < 3; ++axis) {
            sigma_[axis] = program.smooth_fwhm / std::sqrt(8.0 * std::log(2.0)) / spacing[axis];
        }
    }

    // Of one y, whose lines are `pitch` apart.
    void along_z(float* first, std::int64_t pitch) const {
        blur_in_place(first, {n_[0], 1, n_[2]}, {pitch, 0}, {sigma_[0], 0.0, 0.0}, scratch_);
        solve_across(first, n_[0], pitch, n_[2], scratch_);
    }

    // Of rows one behind the other, padded.
    void along_x(float* rows, std::int64_t count) const {
        const std::int64_t row = n_[2] + 2;
        blur_in_place(rows + 1, {1, count, n_[2]}, {0, row}, {0.0, 0.0, sigma_[2]}, scratch_);
        solve_along(rows + 1, n_[2], row, count, scratch_);
    }

    // Of a padded plane.
    void along_y(float* plane) const {
        const std::int64_t row = n_[2] + 2;
        blur_in_place(plane + row, {1, n_[1], row}, {0, row}, {0.0, sigma_[1], 0.0}, scratch_);
        solve_across(plane + row, n_[1], row, row, scratch_);
    }

  private:
    Extents n_;
    std::array<double, 3> sigma_{};
    float* scratch_;
};

void load_row(const RealignProgram& program, const TileCall& call, std::int64_t frame, std::int64_t y,
              float* first, std::int64_t pitch) {
    const Extents& n = program.grid.extents;
    for (std::int64_t z = 0; z < n[0]; ++z) {
        load_voxels(program, call, frame, (z * n[1] + y) * n[2], n[2], first + z * pitch);
    }
}

void fill_frame(const RealignProgram& program, const TileCall& call, std::int64_t frame,
                float* coefficients) {
    const SplineSolver solver(program, call);
    const Extents& n = program.grid.extents;
    const std::int64_t row = n[2] + 2;
    const std::int64_t plane = (n[1] + 2) * row;
    for (std::int64_t y = 0; y < n[1]; ++y) {
        float* const first = coefficients + plane + (y + 1) * row + 1;
        load_row(program, call, frame, y, first, plane);
        solver.along_z(first, plane);
    }
    for (std::int64_t z = 0; z < n[0] + 2; ++z) {
        solver.along_x(coefficients + z * plane + row, n[1]);
        solver.along_y(coefficients + z * plane);
    }
}

}  // namespace

void fill_spline_lines(const RealignProgram& program, const TileCall& call) {
    if (!has_slab_steps(program)) {
        fill_unused(call);
        return;
    }
    const SplineSolver solver(program, call);
    const Extents& n = program.grid.extents;
    const std::int64_t row = n[2] + 2;
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        for (std::int64_t y = call.tile.begin[1]; y < call.tile.end[1]; ++y) {
            float* const lines =
                reinterpret_cast<float*>(call.target.data) + (frame * n[1] + y) * call.target.shape[2];
            load_row(program, call, frame, y, lines + row + 1, row);
            solver.along_z(lines + row + 1, row);
            solver.along_x(lines, n[0] + 2);
        }
    }
}

void fill_coefficients(const RealignProgram& program, const TileCall& call) {
    const Extents& n = program.grid.extents;
    const std::int64_t row = n[2] + 2;
    const std::int64_t plane = (n[1] + 2) * row;
    for (std::int64_t frame = call.tile.begin[0]; frame < call.tile.end[0]; ++frame) {
        float* const coefficients =
            reinterpret_cast<float*>(call.target.data) + frame * program.grid.padded_count();
        if (!has_slab_steps(program)) {
            fill_frame(program, call, frame, coefficients);
            continue;
        }
        const ConstArrayView& lines = workspace(call, RealignPhase::spline_lines);
        for (std::int64_t z = call.tile.begin[1]; z < call.tile.end[1]; ++z) {
            for (std::int64_t y = 0; y < n[1]; ++y) {
                std::copy_n(floats_of(lines, frame * n[1] + y, lines.shape[2]) + z * row, row,
                            coefficients + z * plane + (y + 1) * row);
            }
            SplineSolver(program, call).along_y(coefficients + z * plane);
        }
    }
}

}  // namespace slab::kernels::realign
