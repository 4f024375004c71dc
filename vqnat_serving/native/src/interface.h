// What crosses from Python to the engine. The same structures are in ../library.py.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

// A matrix or vector. int8: data are integers (rows, columns) and scale has one factor for each row.
struct Weight {
  const void* data;
  const float* scale;  // null: data are float32
  int64_t rows, columns;
};

struct Stack {
  int32_t layers, dim, ffn, heads, normalize_before;
};

struct Sizes {
  Stack encoder, predictor, decoder;  // predictor.layers 0: no latents
  int32_t vocabulary, codes, steps;   // target words; K; nc
  int32_t upsample, upsample_below;   // output positions for each expanded position (source token without latents)
  int32_t first_position;             // of the source's position table
  int32_t expectation;                // the decoder reads the mean of all codes by their probabilities, not the best
};

// A batch without padding: the sentences' rows lie one after the other.
struct Batch {
  int64_t sentences;
  const int64_t* tokens;         // all source tokens
  const int64_t* source_lengths;  // (B,)
  const int64_t* limits;          // (B,) the most codes
  int32_t fixed;                  // every sentence has as many codes as its limit
  int32_t scored;                 // whether scores are wanted
  int64_t turns;                  // steps of the search; at least as many as the largest limit
  // Null, or the words that each source token allows: those from [starts[token], starts[token + 1]) of shortlist; what
  // every sentence may use is at the place after the last token, shortlist_always.
  const int32_t* shortlist_starts;
  const int32_t* shortlist;
  int64_t shortlist_always;
  // Results.
  int64_t* codes;         // (B, most), most the largest limit
  int64_t* code_lengths;  // (B,)
  float* code_scores;     // (B,) log p of the codes, the end included
  int64_t* words;         // the output positions, sentence after sentence
  float* word_scores;     // as words
};

// Weights in huge pages: a small batch reads them once each, and then half of the time would go to finding pages.
template <class T>
struct HugePages {
  typedef T value_type;
  static constexpr std::size_t SIZE = std::size_t(1) << 21;

  HugePages() = default;
  template <class U>
  HugePages(const HugePages<U>&) {}

  T* allocate(std::size_t count) {
    std::size_t bytes = count * sizeof(T);
    std::size_t alignment = bytes < SIZE ? 64 : SIZE;
    void* found = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (!found) throw std::bad_alloc();
#ifdef __linux__
    if (alignment == SIZE) madvise(found, bytes, MADV_HUGEPAGE);  // a wish; nothing depends on it
#endif
    return static_cast<T*>(found);
  }
  void deallocate(T* place, std::size_t) { std::free(place); }
  friend bool operator==(const HugePages&, const HugePages&) { return true; }
  friend bool operator!=(const HugePages&, const HugePages&) { return false; }
};

template <class T>
using Large = std::vector<T, HugePages<T>>;

struct Engine {
  virtual ~Engine() = default;
  virtual void translate(const Batch& batch) const = 0;
};
