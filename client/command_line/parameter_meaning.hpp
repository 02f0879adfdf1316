#pragma once

#include "client/command_line/split_arguments.hpp"
#include "client/library/job_request.hpp"
#include "client/library/kernel_info.hpp"

#include <string>
#include <vector>

namespace slab {

// A word behind a flag, which has no value: it is an input.
struct FreedWord {
    std::string text;
    std::size_t place = 0;  // among the command line's inputs
};

// A parameter whose value is an array's file: an input behind those of the kernel.
struct NamedImage {
    std::string parameter;
    std::string path;
};

struct UnderstoodParameters {
    Parameters parameters;
    std::vector<FreedWord> inputs;  // in the order of the command line
    std::vector<NamedImage> images;
};

// What words mean, by the kernel's description.
// A flag: bare, or a value that is on, off, true or false; any other word behind `--flag` is an input. Behind
// `--flag=` everything is a value.
// A table: the name of a file if there is one, else the numbers themselves, "1,0;0,1".
// An image: one of its choices, a number where it has such, else a file's name.
// All else is left to the daemon, names that the kernel does not have too.
// `given`: of a job file, whose texts name files in `folder`; words of the same name take their place.
// Errors of kind usage: a parameter without a value; a table that cannot be read; an image that is not
// there.
Expected<UnderstoodParameters> understand_parameters(const KernelInfo& kernel,
                                                     const std::vector<ParameterWord>& words,
                                                     const Parameters& given, const std::string& folder);

// Whether some may: those that are text.
bool names_files(const Parameters& parameters);

// The kernel was not found. A flag before its name takes the name for its value: then the error says so.
Error hinting_at_flags(Error error, const std::vector<ParameterWord>& words);

}  // namespace slab
