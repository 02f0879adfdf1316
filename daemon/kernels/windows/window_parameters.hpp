#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/windows/separable_window.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace slab::kernels {

// The parameters that all kernels of windows have, but `axes`: mode, cval, precision, output_dtype, truncate_integers.
std::vector<ParameterDescription> window_parameters();
ParameterDescription axes_parameter();

// What they say, checked. Filters know one kind of constant and of wrap: the grid's, as scipy's filters.
struct WindowOptions {
    Boundary boundary = Boundary::reflect;
    double cval = 0.0;
    Precision precision = Precision::automatic;
    DType output = DType::uint8;
    WholeNumbers whole_numbers = WholeNumbers::rounded;  // of integers and bools
};
Expected<WindowOptions> window_options(const PlanRequest& request, std::string_view kernel);

// The one or two inputs that a kernel of windows takes; arrays of no dimensions have no window.
Expected<void> check_window_input(const PlanRequest& request, std::string_view kernel);

// One value for each of `axes`, from one for all or one for each, in their order.
template <typename T>
Expected<std::vector<T>> value_of_axes(const PlanRequest& request, std::string_view name,
                                       const std::vector<int>& axes, T fallback);

// Windows of axes in the kernel's order, as the user lists these: reversed where the arrays' axes are.
std::vector<WindowAxis> in_users_order(const PlanRequest& request, std::vector<WindowAxis> windows);

bool holds_whole_numbers(DType dtype);  // bools are

Error window_usage(std::string what, std::string because, std::string remedy);

}  // namespace slab::kernels
