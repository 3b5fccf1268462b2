// The limits of one core at one level: `peak SECONDS` prints a JSON line per limit, the best of the bursts that fit
// into SECONDS. An item is a flop (product-sums count 2, fused or not) or a byte read.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include "simd.h"

namespace ISA { namespace {
#if defined __aarch64__
#define REGISTER "w"
#else
#define REGISTER "v"
#endif
#if defined __aarch64__ || defined __AVX512F__
constexpr int CHAINS = 24;  // of 32 registers
#else
constexpr int CHAINS = 12;  // of 16
#endif
#define CHAIN(i) \
  _Pragma("GCC unroll 24") \
  for (int i = 0; i < CHAINS; i++)

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
// Returns the items per nanosecond of the fastest burst.
template <class Burst> double best(double seconds, double items, Burst burst) {
  double rate = 0;
  const double end = now() + seconds;
  do {
    const double start = now();
    burst();
    const double speed = items / (now() - start) * 1e-9;
    if (speed > rate) rate = speed;
  } while (now() < end);
  return rate;
}

// Independent chains of vectors in registers. Fused: a b + c. Unfused: every other chain multiplies and the rest add,
// since product-sums made of dependent pairs leave units idle, depending on luck.
template <class T> double flops(double seconds) {
  const long steps = 200000;
  V<T> b = splat(T(0.9999));
  V<T> c = splat(T(1e-4));
  asm volatile("" : "+" REGISTER(b), "+" REGISTER(c));
  return best(seconds, double(steps) * CHAINS * LANES<T> * (FUSED ? 2 : 1), [=] {
    V<T> a[CHAINS];
    CHAIN(i) a[i] = splat(T(i));
    for (long step = 0; step < steps; step++) {
      CHAIN(i) a[i] = FUSED ? madd<T>(a[i], b, c) : i % 2 ? a[i] + c : a[i] * b;
      CHAIN(i) asm volatile("" : "+" REGISTER(a[i]));
    }
  });
}

double reading(double seconds, size_t bytes) {
  const size_t block = 8 * BYTES;
  std::vector<double> room((bytes + 64) / sizeof(double), 1.0);
  const char* first = reinterpret_cast<const char*>((reinterpret_cast<uintptr_t>(room.data()) + 63) / 64 * 64);
  const size_t passes = (size_t(1) << 24) / bytes + 1;
  return best(seconds, double(passes) * bytes, [&] {
    for (size_t pass = 0; pass < passes; pass++)
      for (const char* p = first; p < first + bytes; p += block)
        EACH(i, 8) {
          const V<double> v = load(reinterpret_cast<const double*>(p + i * BYTES));
          asm volatile("" : : REGISTER(v));
        }
  });
}

void print(const char* variant, const char* dtype, double rate, bool counts) {
  printf(
      "{\"variant\":\"%s\",\"dtype\":\"%s\",\"nsPerItem\":%.6g,\"gflops\":%.5g}\n", variant, dtype, 1 / rate,
      counts ? rate : 0);
}
}}  // namespace ISA

int main(int count, char** words) {
  using namespace ISA;
  const double seconds = count > 1 ? atof(words[1]) : 0.1;
  const char* sum = FUSED ? "fma" : "mul+add";
  print(sum, "f64", flops<double>(seconds), true);
  print(sum, "f32", flops<float>(seconds), true);
  print("read 16 KB", "f64", reading(seconds, size_t(16) << 10), false);
  print("read 512 KB", "f64", reading(seconds, size_t(512) << 10), false);
  print("read 8 MB", "f64", reading(seconds, size_t(8) << 20), false);
  print("read 256 MB", "f64", reading(seconds, size_t(256) << 20), false);
}
