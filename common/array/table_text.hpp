#pragma once

#include "common/array/number_table.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace slab {

// How a table is written down. Numbers are separated by blanks or a comma in both.
enum class TableText : std::uint8_t {
    file,   // a row a line; '#' begins a comment, blank lines are skipped (np.savetxt, rp_*.txt, .par, .1D)
    typed,  // rows end with a semicolon: "1,0;0,1"
};

// The unexpected value says why it is none, with the place: "line 7 has 5 numbers where the others have 6".
std::expected<NumberTable, std::string> table_from_text(std::string_view text, TableText form);

}  // namespace slab
