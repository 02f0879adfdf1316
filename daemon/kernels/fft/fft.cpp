#include "daemon/kernels/fft/fft.hpp"

#include "daemon/kernels/fft/fft_program.hpp"

namespace slab::kernels {
namespace {

const char* const method =
    "float32 and complex64 are computed in single precision, all else in double. A line is transformed by "
    "Stockham's autosort passes of 4, 2, 3, 5 and other primes up to 61 (Van Loan 1992), several lines "
    "side by side in a vector; lengths with a larger prime by Bluestein's convolution (1970). Each line "
    "alone, so the result does not depend on how the work is divided. An axis may have about 129000 "
    "elements in double and 258000 in single precision (16000 where several lines are to share a vector, "
    "the fast way; and half of a power of two as much where Bluestein's convolution is needed). One pass "
    "over the array for each axis, each but the last into an array of the kernel's own; arrays stream "
    "through the volume when their slowest axis is not transformed. A NaN or an infinity spreads over its "
    "lines.";

std::vector<ParameterDescription> parameters() {
    return {
        {"axes", ParameterType::axes, "the axes to transform; without it the last one, as numpy", "", {}, ""},
        {"norm",
         ParameterType::choice,
         "backward: the inverse is divided by the number of elements; forward: the forward transform is; "
         "ortho: both by its square root",
         "",
         {"backward", "ortho", "forward"},
         "backward"}};
}

KernelDescription description_of(const char* name, const char* summary, std::string meaning,
                                 const char* dtypes, const char* example) {
    return {.name = name,
            .summary = summary,
            .details = std::move(meaning) + method,
            .inputs = {{"input", "1 to 5 dimensions"}},
            .parameters = parameters(),
            .dtypes = dtypes,
            .reads = Reads::anywhere,
            .example = example};
}

const KernelDescription& describe_fft() {
    static const KernelDescription description =
        description_of("fft", "discrete Fourier transform",
                       "numpy.fft.fftn: X[k] = sum of x[j] exp(-2 pi i j k / n) along each of the axes. The "
                       "result is complex.\n",
                       "all", "slab run fft image.npy -o spectrum.npy --axes 0,1");
    return description;
}

const KernelDescription& describe_ifft() {
    static const KernelDescription description =
        description_of("ifft", "inverse discrete Fourier transform",
                       "numpy.fft.ifftn: x[j] = sum of X[k] exp(2 pi i j k / n) / n along each of the axes. "
                       "The result is complex.\n",
                       "all", "slab run ifft spectrum.npy -o image.npy --axes 0,1");
    return description;
}

const KernelDescription& describe_rfft() {
    static const KernelDescription description =
        description_of("rfft", "discrete Fourier transform of a real array",
                       "numpy.fft.rfftn: as fft, and of the last of the axes only the n/2 + 1 elements "
                       "that are not conjugates of others.\n",
                       "all but complex", "slab run rfft image.npy -o spectrum.npy --axes 0,1");
    return description;
}

const KernelDescription& describe_irfft() {
    static const KernelDescription description = [] {
        KernelDescription made =
            description_of("irfft", "inverse of rfft",
                           "numpy.fft.irfftn: of the last of the axes the input has n/2 + 1 elements, the "
                           "output n; the imaginary parts of what is its own conjugate do not count. The "
                           "result is real.\n",
                           "all", "slab run irfft spectrum.npy -o image.npy --axes 0,1");
        made.parameters.push_back({"n",
                                   ParameterType::integer,
                                   "the output's elements along the last of the axes, when they are odd",
                                   ">= 1",
                                   {},
                                   ""});
        return made;
    }();
    return description;
}

template <FftKind kind, FftDirection direction>
Expected<KernelPlan> plan(const PlanRequest& request) {
    return plan_fft(kind, direction, request);
}

}  // namespace

Kernel fft_kernel() {
    return {describe_fft, plan<FftKind::complex_to_complex, FftDirection::forward>, fill_fft_scalar,
            fill_fft_simd, fft_reads};
}

Kernel ifft_kernel() {
    return {describe_ifft, plan<FftKind::complex_to_complex, FftDirection::inverse>, fill_fft_scalar,
            fill_fft_simd, fft_reads};
}

Kernel rfft_kernel() {
    return {describe_rfft, plan<FftKind::real_to_half, FftDirection::forward>, fill_fft_scalar, fill_fft_simd,
            fft_reads};
}

Kernel irfft_kernel() {
    return {describe_irfft, plan<FftKind::half_to_real, FftDirection::inverse>, fill_fft_scalar,
            fill_fft_simd, fft_reads};
}

}  // namespace slab::kernels
