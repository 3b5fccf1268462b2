// Linear layers, outputs in lanes, and inputs of the gradient; the loss of logits. docs/math/dense.md. Twin:
// assembly/dense.ts
#include "kernels/dense.h"
#include "linalg.h"
namespace ISA::dense {
namespace {
constexpr int STRIP = 24;  // outputs: their part of dW stays near, and every level has whole panels of them
constexpr int LINE = 32;   // values from one row of a strip to the next: whole vectors

// total[j] = Σ_r strip[r,j], r ascending; several vectors at once, as each waits for its last sum. (The last strip may
// have fewer outputs: the sums beyond them are of stale values, and are never read.)
template <class T> void totals(int n, const T* strip, T* total) {
  constexpr int N = least(4, LINE / LANES<T>);
  for (int j = 0; j < LINE; j += N * LANES<T>) {
    V<T> s[N]{};
    for (int r = 0; r < n; r++)
      EACH(v, N) s[v] += load(strip + r * LINE + j + v * LANES<T>);
    EACH(v, N) store(total + j + v * LANES<T>, s[v]);
  }
}
template <class T> void accumulate(int n, const T* x, double* sum) {
  for (int j = 0; j < n; j++) sum[j] += double(x[j]);
}
}

template <class T> int affine(int n, int i, int o, const T* x, const T* W, T* y) {
  for (int at = 0; at < n; at += TILE, x += size_t(TILE) * i, y += size_t(TILE) * o)
    gemm(least(TILE, n - at), i, o, x, i, 1, W, pad<T>(o), y, o);
  return 0;
}

// A tile is summed in T, as fast as the data allow, and added to the sums in f64. Its columns of dy are gathered first:
// columns that lie 2^k bytes apart evict each other from the cache (0.63 -> 0.77 of affine's speed).
template <class T> int gradient(
    int n, int i, int o, const T* x, const T* dy, T* lines, T* strip, T* part, T* total, double* dW, double* db) {
  const int width = pad<T>(i);
  for (int at = 0; at < n; at += TILE, x += size_t(TILE) * i, dy += size_t(TILE) * o) {
    const int rows = least(TILE, n - at);
    if (i != width) fill(rows, i, x, lines);
    const T* B = i != width ? lines : x;
    for (int first = 0; first < o; first += STRIP) {
      const int some = least(STRIP, o - first);
      memset(part, 0, size_t(some) * width * sizeof(T));
      for (int r = 0; r < rows; r++)
        for (int j = 0; j < some; j += LANES<T>)
          store(strip + r * LINE + j, loadSome(dy + size_t(r) * o + first + j, some - j));
      gemm(some, rows, i, strip, 1, LINE, B, width, part, width);
      for (int p = 0; p < some; p++) accumulate(i, part + p * width, dW + size_t(first + p) * i);
      totals(rows, strip, total);
      accumulate(some, total, db + first);
    }
  }
  return 0;
}

// The values of a tile go through the lanes as they lie in memory, whatever the number of outputs; then each row adds
// its terms.
template <class T> int crossEntropy(
    int n, int o, const T* logits, const T* y, const T* weights, const T* classWeights, T* terms, T* loss,
    T* probabilities, T* dLogits) {
  int failed = 0;
  for (int at = 0; at < n; at += TILE) {
    const int rows = least(TILE, n - at), count = rows * o;
    for (int j = 0; j < count; j += LANES<T>) {
      const int left = count - j;
      const V<T> a = loadSome(logits + j, left), t = loadSome(y + j, left), e = exp<T>(-abs<T>(a));
      const V<T> z = sigmoid<T>(a, e);
      storeSome(terms + j, nmadd<T>(a, t, pmax<T>(a, V<T>{})) + log1p<T>(e), left);
      storeSome(probabilities + j, z, left);
      storeSome(dLogits + j, z - t, left);
    }
    const T* term = terms;
    for (int r = 0; r < rows; r++, term += o, dLogits += o) {
      T sum = 0;
      for (int j = 0; j < o; j++) {
        sum = madd(classWeights[j], term[j], sum);
        dLogits[j] *= weights[r] * classWeights[j];
      }
      loss[r] = weights[r] * sum;
      if (!failed && !(loss[r] - loss[r] == 0)) failed = at + r + 1;
    }
    logits += count;
    y += count;
    probabilities += count;
    weights += rows;
    loss += rows;
  }
  return failed;
}
}
INSTANTIATE_DENSE
