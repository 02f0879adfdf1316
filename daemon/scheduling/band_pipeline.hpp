#pragma once

#include "daemon/scheduling/tile_grid.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace slab::daemon {

// Where the band is that a slot of the ring holds.
enum class BandStage : std::uint8_t {
    empty,      // the slot is free
    loading,    // the mover fills its inputs
    loaded,     // they are there; it waits for the band before it
    computing,  // its tiles are given out
    computed,   // every tile is filled
    flushing,   // the mover writes it
    flushed,    // written, but not yet the band before it
};

// Which band of one phase is loaded, computed and flushed next: pure policy. Bands go through their stages in order,
// band n in slot n % slots, so that loading n+1, computing n and flushing n-1 overlap; with one slot nothing does.
// What a phase does not need (nothing to load, no file to write) is passed in no time.
class BandPipeline {
  public:
    enum class Loads : std::uint8_t { nothing, files };
    enum class Flushes : std::uint8_t {
        nothing,
        file,
        last_band,  // what is written is there only when the last band is done
    };

    BandPipeline() = default;
    BandPipeline(std::int64_t bands, int slots, Loads loads, Flushes flushes);

    int slot_of(std::int64_t band) const {
        return static_cast<int>(band % static_cast<std::int64_t>(slots_.size()));
    }
    BandStage stage_of(std::int64_t band) const;  // empty also for one that has left its slot

    // The band whose turn it is, if it is now; taking it says that it was begun.
    std::optional<std::int64_t> take_load();
    std::optional<std::int64_t> take_compute();
    std::optional<std::int64_t> take_flush();

    void loaded(std::int64_t band);
    void computed(std::int64_t band);
    void flushed(std::int64_t band);

    // The mover, or its last words, are lost: what it loaded and flushed is to be begun again.
    void begin_transfers_again();
    // There was no room for this band on disk: it is to be flushed again.
    void flush_again(std::int64_t band);

    // For a phase that somebody else began: the bands before `first` have left, `band` stands at a stage.
    void resume_at(std::int64_t first);
    void resume(std::int64_t band, BandStage stage);

    std::int64_t next_load() const { return next_load_; }  // bands() when all have been begun
    std::int64_t bands() const { return bands_; }
    std::int64_t bands_flushed() const { return flushed_; }  // they have left their slots
    std::int64_t bands_computed() const { return computed_; }
    bool all_computed() const { return computed_ == bands_; }
    bool all_flushed() const { return flushed_ == bands_; }

  private:
    bool has_nothing_to_flush(std::int64_t band) const {
        return flushes_ == Flushes::nothing || (flushes_ == Flushes::last_band && band + 1 < bands_);
    }
    BandStage& stage(std::int64_t band) { return slots_[static_cast<std::size_t>(slot_of(band))]; }

    std::int64_t bands_ = 0;
    std::vector<BandStage> slots_{BandStage::empty};
    Loads loads_ = Loads::nothing;
    Flushes flushes_ = Flushes::nothing;
    // Bands below these numbers have been begun to load, have been computed, have been flushed.
    std::int64_t next_load_ = 0;
    std::int64_t computed_ = 0;
    std::int64_t flushed_ = 0;
};

}  // namespace slab::daemon
