#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace slab::kernels {

// Rows that will be read soon come nearer, a line of the cache at a time, between other work: many prefetches at once wait
// for each other, and keep loads waiting. One row behind the other: where lines are asked for in order the processor goes
// ahead. The same rows of each of an array's layers, which are read one after the other.
class LinesAhead {
  public:
    static constexpr std::int64_t line_bytes = 64;

    struct Rows {
        const std::byte* first = nullptr;
        std::int64_t pitch = 0;
        std::int64_t bytes = 0;
        std::int64_t count = 0;

        std::int64_t lines() const { return count * ((bytes + line_bytes - 1) / line_bytes); }
    };

    // rows: of the layer with index 0. offsets: room for rows.lines().
    LinesAhead(const Rows& rows, std::int64_t layer_pitch, std::int64_t* offsets)
        : first_(rows.first), layer_pitch_(layer_pitch), offsets_(offsets), count_(rows.lines()) {
        for (std::int64_t row = 0; row < rows.count; ++row) {
            for (std::int64_t at = 0; at < rows.bytes; at += line_bytes) {
                *offsets++ = row * rows.pitch + at;
            }
        }
    }

    std::int64_t lines_of_layer() const { return count_; }

    // Of the layers [begin, end), and no others. They rise from call to call, but where a walk begins again.
    void expect(std::int64_t begin, std::int64_t end) {
        if (layer_ < begin || layer_ > end) {
            layer_ = begin;
            next_ = 0;
        }
        begin_ = begin;
        end_ = end;
    }

    // Lines of the first expected layer that have not been asked for.
    std::int64_t due() const { return layer_ > begin_ || begin_ >= end_ ? 0 : count_ - next_; }

    // Some of the lines.
    struct Run {
        const std::byte* layer = nullptr;
        const std::int64_t* offsets = nullptr;
        std::int64_t count = 0;

        // Inlined by order: GCC takes a function that does nothing but ask for one that does nothing.
        [[gnu::always_inline]] void ask_for(std::int64_t line) const {
            if (line < count) {
                __builtin_prefetch(layer + offsets[line], 0, 2);
            }
        }
        [[gnu::always_inline]] void ask_for_all() const {
            for (std::int64_t line = 0; line < count; ++line) {
                ask_for(line);
            }
        }
    };

    // The next `most`, or fewer where a layer ends; none if all that are expected have been taken.
    Run take(std::int64_t most) {
        if (layer_ >= end_ || most <= 0) {
            return {};
        }
        const Run run{first_ + layer_ * layer_pitch_, offsets_ + next_, std::min(most, count_ - next_)};
        next_ += run.count;
        if (next_ == count_) {
            next_ = 0;
            ++layer_;
        }
        return run;
    }

  private:
    const std::byte* first_ = nullptr;
    std::int64_t layer_pitch_ = 0;
    const std::int64_t* offsets_ = nullptr;  // of a layer's lines
    std::int64_t count_ = 0;
    std::int64_t begin_ = 0;
    std::int64_t end_ = 0;
    std::int64_t layer_ = -1;  // of the next line
    std::int64_t next_ = 0;
};

// With each step of sums so many lines are asked for.
struct Asking {
    LinesAhead* lines = nullptr;
    std::int64_t with_step = 0;

    // Those to be asked for with the step's parts, one with each of the first; what is more, now.
    LinesAhead::Run begin_step(std::int64_t parts) const {
        lines->take(with_step - parts).ask_for_all();
        return lines->take(std::min(with_step, parts));
    }
    void ask_at_once() const { lines->take(with_step).ask_for_all(); }
};

struct NotAsking {
    struct Run {
        void ask_for(std::int64_t) const {}
    };
    Run begin_step(std::int64_t) const { return {}; }
};

}  // namespace slab::kernels
