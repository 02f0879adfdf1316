#pragma once

#include <string>
#include <vector>

namespace slab {

// A kernel as the daemon describes it: options, help and signatures are made from this.
struct KernelInfo {
    struct Input {
        std::string name;
        std::string shape;     // for people
        bool repeats = false;  // one or more of it; the last input only
    };
    struct Parameter {
        std::string name;  // lower_snake
        std::string
            type;  // "integer", "real", "choice", "integer_per_axis", "real_per_axis", "table", "flag", "axes", "text", "image"
        std::string help;
        std::string range;  // for people: "> 0"
        std::vector<std::string> choices;
        std::string fallback;  // the default as one would type it; empty: none
    };

    std::string name;
    std::string summary;
    std::string details;
    std::vector<Input> inputs;
    std::vector<Parameter> parameters;
    std::string dtypes;
    std::string example;
    std::string plugin;  // the library that brought it; empty: it is built in
    std::string json;    // the object as it came
};

}  // namespace slab
