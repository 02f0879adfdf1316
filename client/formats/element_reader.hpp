#pragma once

#include "client/formats/input_file.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace slab {

// Goes through an array's file from its first element on, in memory order, and reads its numbers as they are stored: no
// scaling. A file of its own behind the descriptor: its position and flags are nobody else's.
class ElementReader {
  public:
    // `name` is for errors, which are of kind failed. Complex elements are refused.
    static Expected<ElementReader> open(const InputFile& file, std::string name);

    ElementReader(ElementReader&&) noexcept;
    ElementReader& operator=(ElementReader&&) noexcept;
    ~ElementReader();

    Expected<void> read(std::span<float> to);
    Expected<void> skip(std::int64_t elements);

  private:
    struct File;
    explicit ElementReader(std::unique_ptr<File> file);

    std::unique_ptr<File> file_;
};

}  // namespace slab
