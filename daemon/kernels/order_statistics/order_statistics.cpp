#include "daemon/kernels/order_statistics/order_statistics.hpp"

#include "daemon/kernels/order_statistics/order_window.hpp"

namespace slab::kernels {
namespace {

constexpr const char* meaning =
    "The window of an element has `size` elements along each axis, of which size/2 (rounded down) + "
    "origin lie before it; beyond the ends of the array `mode` says what is seen, as in scipy.ndimage, whose "
    "filters know constant and grid-constant as one, and wrap and grid-wrap. cval is rounded to the array's "
    "type.\n"
    "Elements are ordered as numpy.sort orders them: a NaN is larger than every number, and -0 lies below 0. "
    "So minimum shows a NaN only where the whole window is NaN, maximum wherever one is, and median where "
    "more than half are; it is numpy.nan's. Equal to scipy's results where there is no NaN (what scipy does "
    "with NaN depends on their order), for 64-bit integers beyond 2^53 too, which scipy rounds.\n";

std::vector<ParameterDescription> parameters() {
    return {
        {"size",
         ParameterType::integer_per_axis,
         "elements of the window, for all axes or for each",
         ">= 1",
         {},
         ""},
        {"origin",
         ParameterType::integer_per_axis,
         "how far the window lies before its element, for all axes or for each",
         "-(size/2) to (size-1)/2",
         {},
         "0"},
        {"axes", ParameterType::axes, "filter along these axes only", "", {}, ""},
        {"mode", ParameterType::choice, "what lies beyond the ends of an axis", "", boundary_names(),
         "reflect"},
        {"cval", ParameterType::real, "the value beyond, with mode constant or grid-constant", "", {}, "0"}};
}

KernelDescription description_of(const char* name, const char* summary, std::string details,
                                 const char* example) {
    return {.name = name,
            .summary = summary,
            .details = meaning + std::move(details),
            .inputs = {{"input", "1 to 5 dimensions"}},
            .parameters = parameters(),
            .dtypes = "all but complex",
            .reads = Reads::window,
            .example = example};
}

const char* const extremum_method =
    "Axis by axis, by the extrema of 1, 3, 9, 27 ... neighbours (van Herk's separability, with overlapping "
    "windows for the rest). At most 32767 elements along an axis.";

const KernelDescription& describe_minimum() {
    static const KernelDescription description =
        description_of("minimum", "the smallest element of a window around each", extremum_method,
                       "slab run minimum image.npy -o eroded.npy --size 3");
    return description;
}

const KernelDescription& describe_maximum() {
    static const KernelDescription description =
        description_of("maximum", "the largest element of a window around each", extremum_method,
                       "slab run maximum image.npy -o dilated.npy --size 3");
    return description;
}

const KernelDescription& describe_median() {
    static const KernelDescription description = description_of(
        "median", "the middle element of a window around each",
        "Of an even number of elements it is the upper one of the middle, as scipy's. 3 x 3 from sorted "
        "columns (Smith 1996), other small windows by forgetful selection, larger ones bit by bit: the time "
        "grows with the number of the window's elements, of which there are at most 65535.",
        "slab run median image.npy -o smooth.npy --size 3");
    return description;
}

Expected<KernelPlan> plan_minimum(const PlanRequest& request) {
    return plan_order_statistic(OrderStatistic::minimum, request);
}

Expected<KernelPlan> plan_median(const PlanRequest& request) {
    return plan_order_statistic(OrderStatistic::median, request);
}

Expected<KernelPlan> plan_maximum(const PlanRequest& request) {
    return plan_order_statistic(OrderStatistic::maximum, request);
}

}  // namespace

void fill_order_statistic_simd(const TileCall& call) noexcept {
    const auto window = call.program->as<OrderWindow>();
    (window.statistic == OrderStatistic::median ? fill_median_simd : fill_extremum_simd)(window, call);
}

Kernel minimum_kernel() {
    return {describe_minimum, plan_minimum, fill_order_statistic_scalar, fill_order_statistic_simd,
            order_statistic_reads};
}

Kernel median_kernel() {
    return {describe_median, plan_median, fill_order_statistic_scalar, fill_order_statistic_simd,
            order_statistic_reads};
}

Kernel maximum_kernel() {
    return {describe_maximum, plan_maximum, fill_order_statistic_scalar, fill_order_statistic_simd,
            order_statistic_reads};
}

}  // namespace slab::kernels
