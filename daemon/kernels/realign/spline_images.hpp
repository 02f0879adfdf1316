#pragma once

#include "daemon/kernels/realign/realign_program.hpp"

// Each frame as the coefficients of its spline, one longer at both ends of each axis: solved along z, x and y in this order,
// each after the smoothing along it.
namespace slab::kernels::realign {

// Where frames are few: along z and x, rows of y by themselves ([frame][y][z and x, padded]), so that a frame is many tiles.
void fill_spline_lines(const RealignProgram& program, const TileCall& call);

// [frame][plane of y and x], padded: along y, planes by themselves, of those lines; where frames are many, whole frames.
void fill_coefficients(const RealignProgram& program, const TileCall& call);

}  // namespace slab::kernels::realign
