#include "daemon/kernels/realign/dense_matrix.hpp"

#include <algorithm>
#include <cmath>

namespace slab::kernels::realign {

bool solve(double* matrix, std::int64_t stride, double* right, std::int64_t count) {
    for (std::int64_t k = 0; k < count; ++k) {
        std::int64_t pivot = k;
        double largest = 0.0;
        for (std::int64_t i = 0; i < count; ++i) {
            largest = std::max(largest, std::abs(matrix[i * stride + k]));
        }
        for (std::int64_t i = k + 1; i < count; ++i) {
            if (std::abs(matrix[i * stride + k]) > std::abs(matrix[pivot * stride + k])) {
                pivot = i;
            }
        }
        const double value = matrix[pivot * stride + k];
        if (!(std::abs(value) > 1e-14 * largest)) {
            return false;
        }
        if (pivot != k) {
            std::swap_ranges(matrix + k * stride, matrix + k * stride + count, matrix + pivot * stride);
            std::swap(right[k], right[pivot]);
        }
        for (std::int64_t i = k + 1; i < count; ++i) {
            const double factor = matrix[i * stride + k] / value;
            for (std::int64_t j = k; j < count; ++j) {
                matrix[i * stride + j] -= factor * matrix[k * stride + j];
            }
            right[i] -= factor * right[k];
        }
    }
    for (std::int64_t k = count; k-- > 0;) {
        for (std::int64_t j = k + 1; j < count; ++j) {
            right[k] -= matrix[k * stride + j] * right[j];
        }
        right[k] /= matrix[k * stride + k];
    }
    return true;
}

bool factor_cholesky(double* matrix, std::int64_t count) {
    for (std::int64_t j = 0; j < count; ++j) {
        for (std::int64_t i = j; i < count; ++i) {
            double rest = matrix[i * count + j];
            for (std::int64_t k = 0; k < j; ++k) {
                rest -= matrix[i * count + k] * matrix[j * count + k];
            }
            if (i == j) {
                if (!(rest > 0.0)) {
                    return false;
                }
                matrix[j * count + j] = std::sqrt(rest);
            } else {
                matrix[i * count + j] = rest / matrix[j * count + j];
                matrix[j * count + i] = 0.0;
            }
        }
    }
    return true;
}

void solve_lower(const double* lower, double* right, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        for (std::int64_t j = 0; j < i; ++j) {
            right[i] -= lower[i * count + j] * right[j];
        }
        right[i] /= lower[i * count + i];
    }
}

void solve_lower_transposed(const double* lower, double* right, std::int64_t count) {
    for (std::int64_t i = count; i-- > 0;) {
        for (std::int64_t j = i + 1; j < count; ++j) {
            right[i] -= lower[j * count + i] * right[j];
        }
        right[i] /= lower[i * count + i];
    }
}

void symmetric_eigenvectors(double* matrix, double* vectors, double* values, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        for (std::int64_t j = 0; j < count; ++j) {
            vectors[i * count + j] = i == j ? 1.0 : 0.0;
        }
    }
    constexpr int most_sweeps = 50;
    for (int sweep = 0; sweep < most_sweeps; ++sweep) {
        double outside = 0.0;
        double all = 0.0;
        for (std::int64_t i = 0; i < count; ++i) {
            for (std::int64_t j = 0; j < count; ++j) {
                const double square = matrix[i * count + j] * matrix[i * count + j];
                all += square;
                outside += i == j ? 0.0 : square;
            }
        }
        if (!(outside > 1e-28 * all)) {
            break;
        }
        for (std::int64_t p = 0; p < count; ++p) {
            for (std::int64_t q = p + 1; q < count; ++q) {
                const double apq = matrix[p * count + q];
                if (apq == 0.0) {
                    continue;
                }
                const double theta = (matrix[q * count + q] - matrix[p * count + p]) / (2.0 * apq);
                const double tangent =
                    (theta >= 0.0 ? 1.0 : -1.0) / (std::abs(theta) + std::sqrt(theta * theta + 1.0));
                const double cosine = 1.0 / std::sqrt(tangent * tangent + 1.0);
                const double sine = tangent * cosine;
                for (std::int64_t k = 0; k < count; ++k) {
                    const double kp = matrix[k * count + p];
                    const double kq = matrix[k * count + q];
                    matrix[k * count + p] = cosine * kp - sine * kq;
                    matrix[k * count + q] = sine * kp + cosine * kq;
                }
                for (std::int64_t k = 0; k < count; ++k) {
                    const double pk = matrix[p * count + k];
                    const double qk = matrix[q * count + k];
                    matrix[p * count + k] = cosine * pk - sine * qk;
                    matrix[q * count + k] = sine * pk + cosine * qk;
                    const double vp = vectors[k * count + p];
                    const double vq = vectors[k * count + q];
                    vectors[k * count + p] = cosine * vp - sine * vq;
                    vectors[k * count + q] = sine * vp + cosine * vq;
                }
            }
        }
    }
    for (std::int64_t i = 0; i < count; ++i) {
        values[i] = matrix[i * count + i];
    }
}

}  // namespace slab::kernels::realign
