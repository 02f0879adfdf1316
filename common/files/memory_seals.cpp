#include "common/files/memory_seals.hpp"

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace slab {

bool seal_memory(int memfd) {
    using namespace std::chrono_literals;
    constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    // Beside what the kernel itself waits in each call.
    for (auto pause = 1ms; pause < 1s; pause *= 2) {
        if (::fcntl(memfd, F_ADD_SEALS, seals) == 0) {
            return true;
        }
        if (errno != EBUSY) {
            return false;
        }
        std::this_thread::sleep_for(pause);
    }
    return ::fcntl(memfd, F_ADD_SEALS, seals) == 0;
}

}  // namespace slab
