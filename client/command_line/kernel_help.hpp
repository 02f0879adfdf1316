#pragma once

#include "client/library/kernel_info.hpp"

#include <span>
#include <string>

namespace slab {

// A kernel's help, made from the daemon's description.
std::string kernel_help(const KernelInfo& kernel);

// All kernels, a line each.
std::string kernel_list(std::span<const KernelInfo> kernels);

}  // namespace slab
