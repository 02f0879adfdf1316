#pragma once

#include <string>
#include <vector>

namespace slab {

// Rows of text in aligned columns for people. A column whose cells are all numbers or sizes is set to the
// right.
class Table {
  public:
    explicit Table(std::vector<std::string> headings) { rows_.push_back(std::move(headings)); }

    // As many cells as there are headings.
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    // Ends with a newline; no spaces at the ends of lines.
    std::string text() const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace slab
