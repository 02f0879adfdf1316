#pragma once

#include <cstdint>
#include <span>

// Small dense matrices of doubles, row by row, in memory of the caller.
namespace slab::kernels::realign {

// Solves matrix * x = right for `count` unknowns, with partial pivoting; the matrix is overwritten, `right` becomes x.
// Row i of the matrix begins at i * stride. False where a pivot is not larger than 1e-14 of its column: nothing to tell
// the unknowns apart.
bool solve(double* matrix, std::int64_t stride, double* right, std::int64_t count);

// The lower triangle L of a symmetric positive definite matrix = L * L^T, in its place. False where it is none.
bool factor_cholesky(double* matrix, std::int64_t count);

// x with L * x = right, and x with L^T * x = right, in place.
void solve_lower(const double* lower, double* right, std::int64_t count);
void solve_lower_transposed(const double* lower, double* right, std::int64_t count);

// Eigenvalues and eigenvectors (in columns) of a symmetric matrix, which is overwritten. Cyclic Jacobi rotations: G. H.
// Golub, C. F. Van Loan, Matrix Computations, 8.5. Eigenvalues are in no order.
void symmetric_eigenvectors(double* matrix, double* vectors, double* values, std::int64_t count);

}  // namespace slab::kernels::realign
