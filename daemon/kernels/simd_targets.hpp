#pragma once

// Which instruction sets the kernels are compiled for. Include this before <hwy/highway.h> in every source
// that does: sources that disagree would report one level and run another. AVX3_DL (Ice Lake and later, Zen
// 4) is not among Highway's defaults; zoom uses its shuffle across 64 bytes.
#define HWY_WANT_AVX3_DL
// SSSE3 without SSE4 ended in 2008: it would be one copy in six of all code. With the sanitizers' checks, which take minutes a
// copy to compile, one copy of each length of vectors.
#ifdef SLABD_SANITIZE
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#else
#define HWY_DISABLED_TARGETS HWY_SSSE3
#endif
