#include "daemon/scheduling/band_pipeline.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <utility>
#include <vector>

using namespace slab::daemon;

namespace {

using Loads = BandPipeline::Loads;
using Flushes = BandPipeline::Flushes;

// What stands in the ring and on disk, worked out beside the pipeline: a slot holds the number of the band that was
// put there last, and only what is in a slot can be computed or written.
class Ring {
  public:
    Ring(std::int64_t bands, int slots, Loads loads, Flushes flushes)
        : pipeline_(bands, slots, loads, flushes), loads_(loads), flushes_(flushes),
          loaded_in_(static_cast<std::size_t>(slots), -1), computed_in_(static_cast<std::size_t>(slots), -1),
          on_disk_(static_cast<std::size_t>(bands), false) {}

    // One thing that can happen, at random. False: nothing can, for ever.
    bool happen(std::mt19937& random, int deaths_in_thousand) {
        if (static_cast<int>(random() % 1000) < deaths_in_thousand) {
            lose_mover();
            return true;
        }
        const auto first = static_cast<unsigned>(random() % 5);
        for (unsigned i = 0; i < 2 * 5; ++i) {  // twice: what is passed in no time shows in the second round
            if (act((first + i) % 5, random)) {
                return true;
            }
        }
        return false;
    }

    const BandPipeline& pipeline() const { return pipeline_; }
    bool all_on_disk() const {
        for (std::int64_t band = 0; band < static_cast<std::int64_t>(on_disk_.size()); ++band) {
            if (is_flushed(band) && !on_disk_[static_cast<std::size_t>(band)]) {
                return false;
            }
        }
        return true;
    }
    std::int64_t computed() const { return computed_; }
    std::int64_t most_at_once() const { return most_at_once_; }

  private:
    bool is_flushed(std::int64_t band) const {
        return flushes_ == Flushes::file ||
               (flushes_ == Flushes::last_band && band + 1 == static_cast<std::int64_t>(on_disk_.size()));
    }

    bool act(unsigned what, std::mt19937& random) {
        switch (what) {
        case 0: return begin_load();
        case 1: return end_load();
        case 2: return begin_or_end_compute();
        case 3: return begin_flush();
        default: return end_flush(random);
        }
    }

    std::size_t slot(std::int64_t band) const { return static_cast<std::size_t>(pipeline_.slot_of(band)); }

    bool begin_load() {
        const auto band = pipeline_.take_load();
        if (!band) {
            return false;
        }
        REQUIRE(loads_ == Loads::files);
        REQUIRE(*band == next_load_);
        ++next_load_;
        REQUIRE(is_free_for(*band));
        loading_.push_back(*band);
        return true;
    }

    // What the slot held is on disk (or nobody writes it), no flush reads it, and the band after it has copied what
    // the two share of the inputs, which it does when its load ends.
    bool is_free_for(std::int64_t band) const {
        const std::int64_t before = band - static_cast<std::int64_t>(loaded_in_.size());
        if (before < 0) {
            return true;
        }
        const bool written = !is_flushed(before) || on_disk_[static_cast<std::size_t>(before)];
        const bool copied = loaded_in_.size() == 1 || loads_ == Loads::nothing ||
                            std::ranges::find(loading_, before + 1) == loading_.end();
        return written && copied && before < computed_ &&
               std::ranges::find(flushing_, before) == flushing_.end();
    }

    bool end_load() {  // the mover answers in order
        if (loading_.empty()) {
            return false;
        }
        const std::int64_t band = loading_.front();
        loading_.pop_front();
        loaded_in_[slot(band)] = band;
        pipeline_.loaded(band);
        return true;
    }

    bool begin_or_end_compute() {
        if (computing_ >= 0) {
            computed_in_[slot(computing_)] = computing_;
            ++computed_;
            pipeline_.computed(std::exchange(computing_, -1));
            return true;
        }
        const auto band = pipeline_.take_compute();
        if (!band) {
            return false;
        }
        REQUIRE(*band == computed_);  // in order, each once
        REQUIRE((loads_ == Loads::nothing || loaded_in_[slot(*band)] == *band));
        REQUIRE(is_free_for(*band));
        computing_ = *band;
        most_at_once_ = std::max<std::int64_t>(
            most_at_once_, 1 + static_cast<std::int64_t>(loading_.size() + flushing_.size()));
        return true;
    }

    bool begin_flush() {
        const auto band = pipeline_.take_flush();
        if (!band) {
            return false;
        }
        REQUIRE(is_flushed(*band));
        REQUIRE(*band < computed_);
        REQUIRE(computed_in_[slot(*band)] == *band);
        REQUIRE(std::ranges::find(flushing_, *band) == flushing_.end());
        flushing_.push_back(*band);
        return true;
    }

    bool end_flush(std::mt19937& random) {  // in any order: the disk has its own
        if (flushing_.empty()) {
            return false;
        }
        const auto which = flushing_.begin() + static_cast<std::ptrdiff_t>(random() % flushing_.size());
        const std::int64_t band = *which;
        flushing_.erase(which);
        if (random() % 10 == 0) {
            pipeline_.flush_again(band);  // the disk was full
            return true;
        }
        REQUIRE(computed_in_[slot(band)] == band);
        on_disk_[static_cast<std::size_t>(band)] = true;
        pipeline_.flushed(band);
        return true;
    }

    // What it was loading is not there; what it was flushing may be on disk in part.
    void lose_mover() {
        next_load_ -= static_cast<std::int64_t>(loading_.size());
        loading_.clear();
        flushing_.clear();
        pipeline_.begin_transfers_again();
    }

    BandPipeline pipeline_;
    Loads loads_;
    Flushes flushes_;
    std::vector<std::int64_t> loaded_in_;
    std::vector<std::int64_t> computed_in_;
    std::vector<bool> on_disk_;
    std::deque<std::int64_t> loading_;
    std::vector<std::int64_t> flushing_;
    std::int64_t next_load_ = 0;
    std::int64_t computing_ = -1;
    std::int64_t computed_ = 0;
    std::int64_t most_at_once_ = 0;
};

}  // namespace

TEST_CASE(
    "in any order of events bands are computed in order, and a slot is used again only when it is on disk") {
    std::mt19937 random(20261121);
    for (int round = 0; round < 3000; ++round) {
        const auto bands = static_cast<std::int64_t>(1 + random() % 20);
        const int slots = 1 + static_cast<int>(random() % 4);
        const Loads loads = random() % 4 == 0 ? Loads::nothing : Loads::files;
        const auto flushes =
            std::array{Flushes::nothing, Flushes::file, Flushes::file, Flushes::last_band}[random() % 4];
        const int deaths = static_cast<int>(random() % 3) * 30;
        Ring ring(bands, slots, loads, flushes);
        INFO(bands, " bands in ", slots, " slots, seed's round ", round);
        int events = 0;
        while (!ring.pipeline().all_flushed()) {
            REQUIRE(ring.happen(random, deaths));
            REQUIRE(++events < 100'000);
        }
        CHECK(ring.computed() == bands);
        CHECK(ring.pipeline().all_computed());
        CHECK(ring.all_on_disk());
        CHECK_FALSE(ring.happen(random, 0));
    }
}

TEST_CASE("with three slots a band is loaded, one computed and one flushed at the same time") {
    BandPipeline pipeline(5, 3, Loads::files, Flushes::file);
    CHECK(pipeline.take_load() == 0);
    CHECK(pipeline.take_load() == 1);
    CHECK(pipeline.take_load() == 2);
    CHECK_FALSE(pipeline.take_load().has_value());
    pipeline.loaded(0);
    CHECK(pipeline.take_compute() == 0);
    pipeline.computed(0);
    pipeline.loaded(1);
    CHECK(pipeline.take_compute() == 1);
    CHECK(pipeline.take_flush() == 0);

    CHECK(pipeline.stage_of(0) == BandStage::flushing);
    CHECK(pipeline.stage_of(1) == BandStage::computing);
    CHECK(pipeline.stage_of(2) == BandStage::loading);
    pipeline.flushed(0);
    CHECK(pipeline.take_load() == 3);
}

TEST_CASE("with one slot nothing overlaps") {
    BandPipeline pipeline(2, 1, Loads::files, Flushes::file);
    CHECK(pipeline.take_load() == 0);
    pipeline.loaded(0);
    CHECK_FALSE(pipeline.take_load().has_value());
    CHECK(pipeline.take_compute() == 0);
    pipeline.computed(0);
    CHECK_FALSE(pipeline.take_load().has_value());
    CHECK(pipeline.take_flush() == 0);
    CHECK_FALSE(pipeline.take_load().has_value());
    pipeline.flushed(0);
    CHECK(pipeline.take_load() == 1);
}

TEST_CASE("a band that is on disk before the one ahead of it keeps its slot until that one is too") {
    BandPipeline pipeline(4, 2, Loads::nothing, Flushes::file);
    CHECK_FALSE(pipeline.take_load().has_value());
    for (std::int64_t band = 0; band < 2; ++band) {
        CHECK(pipeline.take_compute() == band);
        pipeline.computed(band);
        CHECK(pipeline.take_flush() == band);
    }
    pipeline.flushed(1);
    static_cast<void>(pipeline.take_load());
    CHECK_FALSE(pipeline.take_compute().has_value());
    CHECK(pipeline.bands_flushed() == 0);
    pipeline.flushed(0);
    static_cast<void>(pipeline.take_load());
    CHECK(pipeline.take_compute() == 2);
    CHECK(pipeline.bands_flushed() == 2);
}

TEST_CASE("what a lost mover was loading and flushing is begun again, what it had done is not") {
    BandPipeline pipeline(6, 4, Loads::files, Flushes::file);
    for (std::int64_t band = 0; band < 4; ++band) {
        CHECK(pipeline.take_load() == band);
    }
    pipeline.loaded(0);
    pipeline.loaded(1);
    CHECK(pipeline.take_compute() == 0);
    pipeline.computed(0);
    CHECK(pipeline.take_compute() == 1);
    CHECK(pipeline.take_flush() == 0);

    pipeline.begin_transfers_again();

    CHECK(pipeline.stage_of(0) == BandStage::computed);
    CHECK(pipeline.stage_of(1) == BandStage::computing);  // no worker was lost
    CHECK(pipeline.take_flush() == 0);
    CHECK(pipeline.take_load() == 2);
    CHECK(pipeline.take_load() == 3);
    CHECK_FALSE(pipeline.take_load().has_value());
}

TEST_CASE("a phase that somebody else began goes on where it stood, without a gap") {
    BandPipeline pipeline(10, 4, Loads::files, Flushes::file);
    pipeline.resume_at(3);
    pipeline.resume(3, BandStage::computed);
    pipeline.resume(4, BandStage::loaded);
    pipeline.resume(6, BandStage::loaded);  // 5 is missing: of no use

    CHECK(pipeline.bands_flushed() == 3);
    CHECK(pipeline.bands_computed() == 4);
    CHECK(pipeline.take_flush() == 3);
    CHECK(pipeline.take_compute() == 4);
    CHECK(pipeline.take_load() == 5);
    CHECK(pipeline.take_load() == 6);
    CHECK_FALSE(pipeline.take_load().has_value());
}

TEST_CASE("a band computed behind one that is not is of no use to a resumed phase") {
    BandPipeline pipeline(10, 4, Loads::files, Flushes::file);
    pipeline.resume(0, BandStage::loaded);
    pipeline.resume(1, BandStage::computed);

    CHECK(pipeline.bands_computed() == 0);
    CHECK(pipeline.take_compute() == 0);
    CHECK(pipeline.take_load() == 1);
}
