#pragma once

namespace slab {

// From here on nobody can change the bytes of a memfd, their number, or its seals. Nobody may have it mapped for writing.
// False: errno says why.
//
// The kernel refuses for as long as it holds a page itself, for instance to move it elsewhere: that is waited for.
bool seal_memory(int memfd);

}  // namespace slab
