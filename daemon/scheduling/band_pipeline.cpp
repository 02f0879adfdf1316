#include "daemon/scheduling/band_pipeline.hpp"

#include <algorithm>
#include <cstdlib>

namespace slab::daemon {

BandPipeline::BandPipeline(std::int64_t bands, int slots, Loads loads, Flushes flushes)
    : bands_(bands), slots_(static_cast<std::size_t>(slots), BandStage::empty), loads_(loads),
      flushes_(flushes) {}

BandStage BandPipeline::stage_of(std::int64_t band) const {
    const bool in_slot = band >= flushed_ && band < next_load_;
    return in_slot ? slots_[static_cast<std::size_t>(slot_of(band))] : BandStage::empty;
}

std::optional<std::int64_t> BandPipeline::take_load() {
    while (next_load_ < bands_ && stage(next_load_) == BandStage::empty) {
        // The band that had the slot is on disk, but the one after it may still have to copy what they share of the
        // inputs: it does so when its own load ends.
        const std::int64_t after_last = next_load_ - static_cast<std::int64_t>(slots_.size()) + 1;
        if (after_last > 0 && after_last < next_load_ && stage_of(after_last) == BandStage::loading) {
            break;
        }
        const std::int64_t band = next_load_++;
        stage(band) = loads_ == Loads::files ? BandStage::loading : BandStage::loaded;
        if (loads_ == Loads::files) {
            return band;
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> BandPipeline::take_compute() {
    if (computed_ < next_load_ && stage(computed_) == BandStage::loaded) {
        stage(computed_) = BandStage::computing;
        return computed_;
    }
    return std::nullopt;
}

std::optional<std::int64_t> BandPipeline::take_flush() {
    for (std::int64_t band = flushed_; band < computed_; ++band) {
        if (stage(band) == BandStage::computed) {
            stage(band) = BandStage::flushing;
            return band;
        }
    }
    return std::nullopt;
}

void BandPipeline::loaded(std::int64_t band) {
    if (stage_of(band) != BandStage::loading) {
        std::abort();  // our bookkeeping is wrong: workers would read what is not there
    }
    stage(band) = BandStage::loaded;
}

void BandPipeline::computed(std::int64_t band) {
    if (band != computed_ || stage(band) != BandStage::computing) {
        std::abort();
    }
    ++computed_;
    stage(band) = BandStage::computed;
    if (has_nothing_to_flush(band)) {
        stage(band) = BandStage::flushing;
        flushed(band);
    }
}

void BandPipeline::flushed(std::int64_t band) {
    if (stage_of(band) != BandStage::flushing) {
        std::abort();  // a slot would be given to the next band while this one is not on disk
    }
    stage(band) = BandStage::flushed;
    while (flushed_ < computed_ && stage(flushed_) == BandStage::flushed) {
        stage(flushed_++) = BandStage::empty;
    }
}

void BandPipeline::begin_transfers_again() {
    for (std::int64_t band = flushed_; band < next_load_; ++band) {
        if (stage(band) == BandStage::flushing) {
            stage(band) = BandStage::computed;
        }
    }
    // Loads are in order: the first that had not arrived, and all after it.
    for (std::int64_t band = flushed_; band < next_load_; ++band) {
        if (stage(band) == BandStage::loading) {
            for (std::int64_t later = band; later < next_load_; ++later) {
                stage(later) = BandStage::empty;
            }
            next_load_ = band;
        }
    }
}

void BandPipeline::flush_again(std::int64_t band) {
    if (stage_of(band) == BandStage::flushing) {
        stage(band) = BandStage::computed;
    }
}

void BandPipeline::resume_at(std::int64_t first) {
    flushed_ = computed_ = next_load_ = first;
}

void BandPipeline::resume(std::int64_t band, BandStage to) {
    if (band != next_load_ || stage(band) != BandStage::empty) {
        return;  // only what follows without a gap is of use
    }
    const bool in_order = computed_ == band;
    if (to == BandStage::computed && !in_order) {
        return;
    }
    stage(band) = to;
    ++next_load_;
    computed_ += to == BandStage::computed ? 1 : 0;
    if (to == BandStage::computed && has_nothing_to_flush(band)) {
        stage(band) = BandStage::flushing;
        flushed(band);
    }
}

}  // namespace slab::daemon
