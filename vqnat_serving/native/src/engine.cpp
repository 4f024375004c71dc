// The C interface of the engine, and which of its builds this processor runs.
//
// model.inc is compiled once for each instruction set, in a namespace of its own.
#include <Python.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "interface.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define VQNAT_X86 1
#endif

#define STRINGIFY(x) #x
#define PRAGMA(x) _Pragma(STRINGIFY(x))
#if defined(__clang__)
#define BEGIN_TARGET(features) \
  PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define END_TARGET PRAGMA(clang attribute pop)
#else
#define BEGIN_TARGET(features) PRAGMA(GCC push_options) PRAGMA(GCC target(features))
#define END_TARGET PRAGMA(GCC pop_options)
#endif

#define WIDTH 4
#define ROWS 4
namespace plain {
#include "model.inc"
}
#undef WIDTH
#undef ROWS

#ifdef VQNAT_X86
#define WIDTH 8
#define ROWS 6
BEGIN_TARGET("avx2,fma")
namespace avx2 {
#include "model.inc"
}
END_TARGET
#undef WIDTH
#undef ROWS

#define WIDTH 16
#define ROWS 8
BEGIN_TARGET("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")
#define VNNI 1
namespace avx512 {
#include "model.inc"
}
#undef VNNI
END_TARGET
#undef WIDTH
#undef ROWS
#endif

namespace {

// 2: AVX-512 with VNNI, 1: AVX2, 0: anything else
int processor() {
#ifdef VQNAT_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return 2;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
  return 0;
}

}  // namespace

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

// The widest instruction set that this processor has.
EXPORT int vqnat_processor() { return processor(); }

// A model from its sizes and weights, which are copied; null when memory is short. level: as of vqnat_processor, or less.
EXPORT void* vqnat_load(const Sizes* sizes, const Weight* weights, int level) {
  try {
#ifdef VQNAT_X86
    if (level >= 2) return static_cast<Engine*>(new avx512::Model(*sizes, weights));
    if (level == 1) return static_cast<Engine*>(new avx2::Model(*sizes, weights));
#endif
    return static_cast<Engine*>(new plain::Model(*sizes, weights));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

EXPORT void vqnat_free(void* model) { delete static_cast<Engine*>(model); }

// 0, or 1 when memory is short.
EXPORT int vqnat_translate(void* model, const Batch* batch) {
  try {
    static_cast<Engine*>(model)->translate(*batch);
    return 0;
  } catch (const std::bad_alloc&) {
    return 1;
  }
}

// Python finds the library as a module; its functions are called by ctypes.
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_engine", nullptr, -1, nullptr, nullptr, nullptr, nullptr, nullptr};
PyMODINIT_FUNC PyInit__engine(void) { return PyModule_Create(&module); }
