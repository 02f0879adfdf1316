#include "daemon/plugins/plugin_roster.hpp"

#include "common/protocol/message.hpp"

namespace slab::daemon {

void PluginRoster::add(PluginEntry entry, UniqueDescriptor image) {
    entries_.push_back(std::move(entry));
    if (image) {
        image_numbers_.push_back(image.get());
        images_.push_back(std::move(image));
    }
}

Json PluginRoster::to_json() const {
    Json list = Json::array();
    for (const PluginEntry& entry : entries_) {
        list.push_back({{"plugin", entry.path},
                        {"kernels", entry.kernels},
                        {"refused", entry.refusal ? error_to_json(*entry.refusal) : Json()}});
    }
    return list;
}

}  // namespace slab::daemon
