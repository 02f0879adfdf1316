// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WINDOW_TILE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WINDOW_TILE
#undef SLAB_KERNELS_WINDOW_TILE
#else
#define SLAB_KERNELS_WINDOW_TILE
#endif

#include "daemon/kernels/windows/layers_ahead.hpp"
#include "daemon/kernels/windows/layers_in_source_inl.hpp"
#include "daemon/kernels/windows/target_rows_inl.hpp"
#include "daemon/kernels/windows/window_pass.hpp"
#include "daemon/kernels/windows/window_sizes_inl.hpp"

#include <optional>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// A tile of one pass in one walk: sums of rows, then sums along those, then sums of blocks of these along a third axis;
// only the last leave the scratch. The tile is cut into pieces of rows, and where there is a third axis into blocks of
// rows, so that what is kept fits. Rows are loaded with what lies beyond their ends and summed up along the slower axis
// first: sums along rows are the dearest, and none of them is made twice but for the third axis' halo.
template <typename T>
class WindowTile {
  public:
    WindowTile(const WindowProgram& program, const TileCall& call)
        : call_(call), program_(program), source_(source_of_pass(call)),
          layout_(window_layout(program, call.phase, source_)),
          rank_(static_cast<std::size_t>(source_.shape.rank)), parts_(parts_of(source_.dtype)) {}

    void fill() {
        find_run();
        sizes_ = window_sizes<T>(program_, layout_, run_end_ - run_begin_,
                                 layout_.level_count == 2 ? end_of(0) - begin_of(0) : 1, part_bytes());
        ScratchParts scratch(call_.scratch);
        const Finish<T> none;
        const Finish<T> last =
            is_last_pass() ? Finish<T>{static_cast<T>(program_.nudge), static_cast<T>(program_.scale)} : none;
        rows_.emplace(program_, layout_.row, pass_beyond(), source_, call_.table, layout_.inner,
                      layout_.level_count < 2 ? last : none, scratch);
        for (std::size_t l = 0; l < layout_.level_count; ++l) {
            const WindowAxis& window = *layout_.levels[l];
            const bool is_last = l == 1 || (layout_.level_count == 1 && layout_.row == nullptr);
            levels_[l].emplace(program_, window, source_.shape[window.axis], call_.table,
                               is_last ? last : none, scratch);
        }
        sums_ = scratch.template take<T>(rows_at_once * sizes_.long_pitch);
        results_ = scratch.template take<T>(rows_at_once * sizes_.pitch);
        target_.emplace(call_, layout_.row == nullptr ? -1 : layout_.row->axis, layout_.inner,
                        scratch.template take<std::byte>(sizes_.pitch * 8));
        for (std::size_t l = 0; l < layout_.level_count; ++l) {
            memory_[l] = scratch.template take<T>(layers(l) *
                                                  (l == 0 ? sizes_.long_pitch : sizes_.block * sizes_.pitch));
        }
        if (layout_.level_count == 2) {
            lines_ = scratch.template take<std::int64_t>((sizes_.block + layout_.levels[0]->taps - 1) *
                                                         sizes_.lines_of_row);
        }
        if (layout_.level_count == 2 && layout_.row != nullptr) {
            layers_.emplace(*rows_, *levels_[0], pitch_of(0), sizes_.block, sums_, sizes_.long_pitch,
                            scratch);
        }
        for_each_offset([&](std::int64_t offset) { fill_pieces(offset); });
        target_->finish();
    }

  private:
    static constexpr std::int64_t element_bytes = sizeof(T);

    bool is_last_pass() const { return call_.phase + 1 == static_cast<std::size_t>(program_.pass_count); }

    std::int64_t begin_of(std::size_t level) const {
        return call_.tile.begin[static_cast<std::size_t>(layout_.levels[level]->axis)];
    }
    std::int64_t end_of(std::size_t level) const {
        return call_.tile.end[static_cast<std::size_t>(layout_.levels[level]->axis)];
    }
    bool is_level(std::size_t axis) const {
        for (std::size_t l = 0; l < layout_.level_count; ++l) {
            if (layout_.levels[l]->axis == static_cast<int>(axis)) {
                return true;
            }
        }
        return false;
    }

    // The rows: where they are filtered, all parts of the filtered axis' elements; else what the tile has of the fastest
    // axis, and of slower ones as long as that is one run of memory.
    void find_run() {
        if (layout_.row != nullptr) {
            const auto axis = static_cast<std::size_t>(layout_.row->axis);
            run_begin_ = call_.tile.begin[axis] * layout_.inner;
            run_end_ = call_.tile.end[axis] * layout_.inner;
            looped_ = axis;
            return;
        }
        looped_ = rank_ - 1;
        std::int64_t extent = source_.shape.extents[looped_] * parts_;
        run_begin_ = call_.tile.begin[looped_] * parts_;
        run_end_ = call_.tile.end[looped_] * parts_;
        if (is_level(looped_)) {  // the parts of one element
            ++looped_;
            run_begin_ = 0;
            run_end_ = extent = parts_;
        }
        while (looped_ > 0 && !is_level(looped_ - 1) && run_end_ - run_begin_ == extent) {
            --looped_;
            run_begin_ = call_.tile.begin[looped_] * extent;
            run_end_ = call_.tile.end[looped_] * extent;
            extent *= source_.shape.extents[looped_];
        }
    }

    std::int64_t part_bytes() const { return static_cast<std::int64_t>(size_of(part_dtype(source_.dtype))); }
    double pass_beyond() const { return program_.passes[call_.phase].beyond; }

    std::int64_t layers(std::size_t level) const {
        return WindowLevel<T>::layers_kept(program_, *layout_.levels[level]);
    }

    // Calls visit(offset) for each index of the axes that are neither rows nor levels: their part of the source.
    template <class Visit>
    HWY_INLINE void for_each_offset(const Visit& visit) const {
        std::array<std::int64_t, max_rank> index = call_.tile.begin;
        for (;;) {
            std::int64_t offset = 0;
            for (std::size_t a = 0; a < rank_; ++a) {
                offset = offset * source_.shape.extents[a] + (a < looped_ && !is_level(a) ? index[a] : 0);
            }
            visit(offset * parts_);
            std::size_t a = looped_;
            while (a > 0) {
                --a;
                if (is_level(a)) {
                    continue;
                }
                if (++index[a] < call_.tile.end[a]) {
                    break;
                }
                index[a] = call_.tile.begin[a];
                if (a == 0) {
                    return;
                }
            }
            if (looped_ == 0 || (a == 0 && is_level(0))) {
                return;
            }
        }
    }

    std::int64_t pitch_of(std::size_t level) const {
        std::int64_t pitch = parts_;
        for (auto a = static_cast<std::size_t>(layout_.levels[level]->axis) + 1; a < rank_; ++a) {
            pitch *= source_.shape.extents[a];
        }
        return pitch;
    }

    void fill_pieces(std::int64_t offset) {
        for (std::int64_t begin = run_begin_; begin < run_end_; begin += sizes_.piece) {
            rows_->choose_piece(begin, std::min(begin + sizes_.piece, run_end_));
            target_->choose_piece(begin, std::min(begin + sizes_.piece, run_end_));
            if (layout_.level_count == 0) {
                fill_row(offset);
            } else if (layout_.level_count == 1) {
                const auto result = [&](std::int64_t i) HWY_ATTR {
                    return results_ + (i - begin_of(0)) % rows_at_once * sizes_.pitch;
                };
                const std::int64_t ahead = levels_[0]->reach() + 2;
                fill_layers(
                    offset, begin_of(0), end_of(0), result, [](std::int64_t) -> T* { return nullptr; },
                    [&](std::int64_t i) HWY_ATTR {
                        ask_for(offset, i + ahead);
                        target_->store(result(i), offset + i * pitch_of(0));
                    });
            } else {
                for (std::int64_t y = begin_of(0); y < end_of(0); y += sizes_.block) {
                    fill_block(offset, y, std::min(y + sizes_.block, end_of(0)));
                }
            }
        }
    }

    void fill_row(std::int64_t offset) {
        if (layout_.row == nullptr) {
            rows_->load(offset, sums_);
            target_->store(sums_, offset);
            return;
        }
        if (rows_->may_stay_in_source() && !rows_->is_overwritten_by_sums()) {
            rows_->sum_unchanged(rows_->in_source(offset), results_);
        } else {
            rows_->load(offset, sums_);
            rows_->sum(sums_, results_);
        }
        target_->store(results_, offset);
    }

    // Sums along the faster level and along rows. result(i): where row i of them goes; done(i): it is there. offset: of
    // the source, or WindowLevel::beyond for rows that lie beyond. leaves_for(i): see InScratchLeaving.
    template <class Result, class Leaves, class Done>
    HWY_INLINE void fill_layers(std::int64_t offset, std::int64_t begin, std::int64_t end,
                                const Result& result, const Leaves& leaves_for, const Done& done) {
        WindowLevel<T>& level = *levels_[0];
        const std::int64_t pitch = pitch_of(0);
        const bool stays = rows_->may_be_extended() && rows_may_stay();
        level.choose_layers(memory_[0], 1, sizes_.long_pitch,
                            stays ? rows_->length_in_source() : rows_->length());
        const auto produce = [&](std::int64_t i, T* to, std::int64_t) HWY_ATTR -> const T* {
            if (i == WindowLevel<T>::beyond || offset == WindowLevel<T>::beyond) {
                rows_->load_beyond(to);
                return to;
            }
            if (stays) {
                return rows_->in_source(offset + i * pitch);
            }
            rows_->load(offset + i * pitch, to);
            return to;
        };
        if (layout_.row == nullptr) {
            level.fill(
                begin, end, produce, [&](std::int64_t i, std::int64_t) HWY_ATTR { return result(i); },
                [&](std::int64_t i, std::int64_t count, std::int64_t) HWY_ATTR {
                    for (std::int64_t j = i; j < i + count; ++j) {
                        done(j);
                    }
                },
                nothing_leaves);
            return;
        }
        // Sums of rows that stay in the source begin on a line of the cache, behind room for what extends them.
        constexpr std::int64_t line = 64 / element_bytes;
        const std::int64_t room = stays ? (line - rows_->begin_in_source() % line) % line : 0;
        const auto sums = [&](std::int64_t i, std::int64_t) HWY_ATTR {
            return sums_ + (i - begin) % rows_at_once * sizes_.long_pitch + room;
        };
        const auto place = [&](std::int64_t i, std::int64_t row)
                               HWY_ATTR { return sums(i, row) + (stays ? rows_->begin_in_source() : 0); };
        const auto sum_up = [&](std::int64_t i) HWY_ATTR {
            if (layout_.level_count == 1 && rows_->may_stream() &&
                target_->may_stream_to(offset + i * pitch)) {
                const std::int64_t n = source_.shape[layout_.levels[0]->axis];
                const std::int64_t ahead = std::min(i + level.reach() + 2, n - 1);
                rows_->stream_sum(sums(i, 0), target_->place_of(offset + i * pitch), offset + ahead * pitch);
                return;
            }
            rows_->sum(sums(i, 0), result(i), leaves_for(i));
            done(i);
        };
        // All are extended before the first is summed up: loads wait for smaller stores just before them.
        const auto sum_all_up = [&](std::int64_t i, std::int64_t count, std::int64_t) HWY_ATTR {
            if (stays) {
                rows_->extend_each(sums(i, 0), sizes_.long_pitch, count);
            }
            for (std::int64_t j = i; j < i + count; ++j) {
                sum_up(j);
            }
        };
        level.fill(begin, end, produce, place, sum_all_up, nothing_leaves);
    }
    static void nothing_leaves(std::int64_t, std::int64_t, const T*) {}

    // Rows of the source may be summed up where they lie if few are needed at once, or if they lie so close that they are
    // in the first-level cache together: at the distances of most arrays their lines take each other's places there.
    bool rows_may_stay() const {
        const WindowAxis& window = *layout_.levels[0];
        const std::int64_t bytes = (window.taps + rows_at_once - 1) * pitch_of(0) * element_bytes;
        return window.taps <= most_short_window ||
               (!WindowLevel<T>::is_long_mean(program_, window) && bytes <= first_cache_bytes());
    }

    // Row i of the faster level will be loaded soon. Few at a time, between other work: many would wait for each other.
    HWY_INLINE void ask_for(std::int64_t offset, std::int64_t i) const {
        if (i >= 0 && i < source_.shape[layout_.levels[0]->axis]) {
            rows_->ask_for(offset + i * pitch_of(0));
        }
    }

    // What a block's layers are made of, as far as the source has it.
    LinesAhead lines_of_block(std::int64_t offset, std::int64_t begin, std::int64_t end) const {
        const WindowAxis& window = *layout_.levels[0];
        const std::int64_t first = std::max<std::int64_t>(0, begin - window.before);
        const std::int64_t last = std::min(end - window.before + window.taps - 1, source_.shape[window.axis]);
        return {rows_->lines_of(offset + first * pitch_of(0), pitch_of(0), last - first),
                pitch_of(1) * part_bytes(), lines_};
    }

    // Whether a block's layers can be made by layers_, which is told of the block then.
    bool are_layers_in_source(std::int64_t begin, std::int64_t end) {
        return layers_ && rows_->are_weighted() && rows_->may_be_extended() &&
               layers_->choose_block(begin, end);
    }

    // All of the slower level's indices for a block of the faster one's.
    void fill_block(std::int64_t offset, std::int64_t begin, std::int64_t end) {
        WindowLevel<T>& level = *levels_[1];
        const std::int64_t pitch = pitch_of(1);
        const std::int64_t first = begin_of(1);
        level.choose_layers(memory_[1], end - begin, sizes_.pitch, rows_->width());
        const auto offset_of = [&](std::int64_t i, std::int64_t row)
                                   HWY_ATTR { return offset + i * pitch + (begin + row) * pitch_of(0); };
        using Results = typename WindowLevel<T>::Results;
        const Results results = results_of_blocks(offset_of);
        level.choose_results(results);
        const auto result = [&](std::int64_t i, std::int64_t row) HWY_ATTR {
            return results == Results::cached ? results_ + (i - first) % rows_at_once * sizes_.pitch
                                              : target_->place_of(offset_of(i, row));
        };
        const bool are_in_source = are_layers_in_source(begin, end);
        const std::int64_t steps_of_layer = levels_[0]->steps_of(end - begin, rows_->length_in_source());
        const bool asks_between = level.may_ask_meanwhile() && results != Results::past_caches;
        LayersAhead ahead(lines_of_block(offset, begin, end), source_.shape[layout_.levels[1]->axis],
                          steps_of_layer,
                          asks_between ? (end - begin) * level.steps_of(level.together(), rows_->width()) : 0,
                          level.together());
        level.ask_meanwhile(ahead.between_layers());
        level.fill(
            first, end_of(1),
            [&](std::int64_t i, T* to, std::int64_t left) HWY_ATTR -> const T* {
                const bool is_beyond = i == WindowLevel<T>::beyond;
                const Asking asking = is_beyond ? Asking() : ahead.while_layer(i);
                if (are_in_source && !is_beyond) {
                    layers_->fill(offset + i * pitch, to, sizes_.pitch,
                                  left == WindowLevel<T>::none ? nullptr
                                                               : target_->place_of(offset_of(left, 0)),
                                  asking);
                    return to;
                }
                if (levels_[0]->may_ask_meanwhile()) {
                    levels_[0]->ask_meanwhile(asking);
                }
                fill_layers(
                    is_beyond ? i : offset + i * pitch, begin, end,
                    [&](std::int64_t y) HWY_ATTR { return to + (y - begin) * sizes_.pitch; },
                    [&](std::int64_t y) HWY_ATTR {
                        return left == WindowLevel<T>::none ? nullptr
                                                            : target_->place_of(offset_of(left, y - begin));
                    },
                    [&](std::int64_t) HWY_ATTR {
                        if (!is_beyond && !levels_[0]->may_ask_meanwhile()) {
                            asking.ask_at_once();
                        }
                    });
                return to;
            },
            result,
            [&](std::int64_t i, std::int64_t count, std::int64_t row) HWY_ATTR {
                for (std::int64_t j = i; results == Results::cached && j < i + count; ++j) {
                    target_->store(result(j, row), offset_of(j, row));
                }
            },
            [&](std::int64_t i, std::int64_t row, const T* from)
                HWY_ATTR { target_->store(from, offset_of(i, row)); });
    }

    // Many stores past the caches at once would keep what the sums along the slower level load from coming: where rows are
    // filtered, results leave one by one while other rows are summed up.
    template <class OffsetOf>
    typename WindowLevel<T>::Results results_of_blocks(const OffsetOf& offset_of) const {
        using Results = typename WindowLevel<T>::Results;
        const std::int64_t first = begin_of(1);
        if (!levels_[1]->may_leave_scratch() || !target_->may_stream_to(offset_of(first, 0)) ||
            !target_->may_stream_to(offset_of(first, 1)) ||
            !target_->may_stream_to(offset_of(first + 1, 0))) {
            return Results::cached;
        }
        return layout_.row != nullptr && rows_->may_stream() ? Results::in_dead_layers : Results::past_caches;
    }

    const TileCall& call_;
    const WindowProgram& program_;
    const ConstArrayView& source_;
    WindowLayout layout_;
    std::size_t rank_;
    std::int64_t parts_;
    std::size_t looped_ = 0;  // axes before it are looped over, but for the levels
    std::int64_t run_begin_ = 0;
    std::int64_t run_end_ = 0;
    WindowSizes sizes_;
    std::optional<WindowRows<T>> rows_;
    std::optional<TargetRows<T>> target_;
    std::array<std::optional<WindowLevel<T>>, 2> levels_;
    std::optional<LayersInSource<T>> layers_;
    std::int64_t* lines_ = nullptr;  // room for where those are that a block's layer is made of
    std::array<T*, 2> memory_{};
    T* sums_ = nullptr;  // of rows, not yet along them
    T* results_ = nullptr;
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
