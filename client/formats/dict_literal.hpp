#pragma once

#include "common/errors/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace slab {

// A Python literal as it stands in the header of a .npy file: None, True, 12, 'text', (1, 2), [1, 2], {'a':
// 1}.
struct Literal {
    struct None {};
    struct Tuple {
        std::vector<Literal> items;
    };
    struct List {
        std::vector<Literal> items;
    };
    struct Entry;
    using Dict = std::vector<Entry>;

    std::variant<None, bool, std::int64_t, std::string, Tuple, List, Dict> value;
};

struct Literal::Entry {
    std::string key;
    Literal value;
};

// Reads one dict with text keys, then white space up to the end. Strict: no calls, no operators, no duplicate
// keys, no number beyond 63 bits, at most 16 levels. The error says what was expected at which character.
Expected<Literal::Dict> parse_dict_literal(std::string_view text);

}  // namespace slab
