#pragma once

#include <cstddef>
#include <cstdint>

namespace slab::kernels {

// Rows that will be read soon come nearer, a line of the cache at a time, between other work: many prefetches at once wait
// for each other, and keep loads waiting. One row behind the other: where lines are asked for in order the processor goes
// ahead.
class LinesAhead {
  public:
    LinesAhead() = default;
    LinesAhead(const std::byte* first_row, std::int64_t pitch, std::int64_t row_bytes, std::int64_t rows)
        : row_(first_row), pitch_(pitch), row_bytes_(row_bytes), rows_(rows) {}

    void ask_for_one() {
        if (rows_ <= 0) {
            return;
        }
        __builtin_prefetch(row_ + at_, 0, 2);
        at_ += 64;
        if (at_ >= row_bytes_) {
            at_ = 0;
            row_ += pitch_;
            --rows_;
        }
    }

    std::int64_t left() const { return rows_ <= 0 ? 0 : rows_ * ((row_bytes_ + 63) / 64) - at_ / 64; }

  private:
    const std::byte* row_ = nullptr;
    std::int64_t pitch_ = 0;
    std::int64_t row_bytes_ = 0;
    std::int64_t rows_ = 0;
    std::int64_t at_ = 0;  // in the row
};

}  // namespace slab::kernels
