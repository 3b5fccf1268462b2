// Linear layers, outputs in lanes, and inputs of the gradient; tanh, the loss of logits, descent row by row.
// docs/math/dense.md. Twin: assembly/dense.ts
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

template <class T> void tangents(int count, const T* a, T* h, T* slope) {
  for (int j = 0; j < count; j += LANES<T>) {
    const V<T> v = loadSome(a + j, count - j);
    storeSome(h + j, tanh<T>(v), count - j);
    storeSome(slope + j, sech2<T>(exp<T>(T(-2) * abs<T>(v))), count - j);
  }
}
// bce(a, y), the probability of a, and the derivative d of the first
template <class T> void entropies(int count, const T* a, const T* y, T* terms, T* probabilities, T* d) {
  for (int j = 0; j < count; j += LANES<T>) {
    const int left = count - j;
    const V<T> v = loadSome(a + j, left), t = loadSome(y + j, left), e = exp<T>(-abs<T>(v)), z = sigmoid<T>(v, e);
    storeSome(terms + j, nmadd<T>(v, t, pmax<T>(v, V<T>{})) + log1p<T>(e), left);
    storeSome(probabilities + j, z, left);
    storeSome(d + j, z - t, left);
  }
}
// C += x B, over N chosen rows of B and values of x; all rows are whole lines
template <class T, int N> void addRows(int width, const int* chosen, const T* x, const T* B, T* C) {
  V<T> s[N];
  const T* row[N];
  EACH(p, N) {
    s[p] = splat(x[chosen[p]]);
    row[p] = B + size_t(chosen[p]) * width;
  }
  for (int j = 0; j < width; j += LANES<T>) {
    V<T> v = load(C + j);
    EACH(p, N) v = madd<T>(s[p], load(row[p] + j), v);
    store(C + j, v);
  }
}
// C -= s B
template <class T> void subtract(int width, T s, const T* B, T* C) {
  const V<T> v = splat(s);
  for (int j = 0; j < width; j += LANES<T>) store(C + j, nmadd<T>(v, load(B + j), load(C + j)));
}
}

template <class T> int affine(int n, int i, int o, const T* x, const T* W, T* y) {
  for (int at = 0; at < n; at += TILE, x += size_t(TILE) * i, y += size_t(TILE) * o)
    gemm(least(TILE, n - at), i, o, x, i, 1, W, pad<T>(o), y, o);
  return 0;
}

// In f64 rows are added to the sums one by one; in f32 a tile is summed in f32, as fast as the data allow, and added to
// the sums in f64. Columns of dy are gathered first: columns that lie 2^k bytes apart evict each other from the cache
// (0.63 -> 0.77 of affine's speed).
template <class T> int gradient(
    int n, int i, int o, const T* x, const T* dy, T* lines, T* strip, T* part, T* total, double* dW, double* db) {
  const int width = pad<T>(i);
  for (int at = 0; at < n; at += TILE, x += size_t(TILE) * i, dy += size_t(TILE) * o) {
    const int rows = least(TILE, n - at);
    if (i != width) fill(rows, i, x, lines);
    const T* B = i != width ? lines : x;
    for (int first = 0; first < o; first += STRIP) {
      const int some = least(STRIP, o - first);
      for (int r = 0; r < rows; r++)
        for (int j = 0; j < some; j += LANES<T>)
          store(strip + r * LINE + j, loadSome(dy + size_t(r) * o + first + j, some - j));
      double* sums = dW + size_t(first) * i;
      if constexpr (sizeof(T) == sizeof(double)) {
        gemm(some, rows, i, strip, 1, LINE, B, width, sums, i);
      } else {
        memset(part, 0, size_t(some) * width * sizeof(T));
        gemm(some, rows, i, strip, 1, LINE, B, width, part, width);
        for (int p = 0; p < some; p++) accumulate(i, part + p * width, sums + size_t(p) * i);
      }
      totals(rows, strip, total);
      accumulate(some, total, db + first);
    }
  }
  return 0;
}

template <class T> int activate(int n, int o, const T* a, T* h, T* slope) {
  for (; n > 0; n--, a += o, h += o, slope += o) tangents(o, a, h, slope);
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
    entropies(count, logits, y, terms, probabilities, dLogits);
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

// Inputs that are 0, most pixels of a picture, change nothing and are left out (digits 784-200-10: 48 -> 12 µs a row).
// W is kept in its other orientation as well, so that no sum goes across the lanes.
template <class T> int sgd(
    int n, int i, int units, int o, const T* x, const T* y, const T* rate, int* active, T* h, T* slope, T* e, T* logits,
    T* Q, T* terms, T* back, T* V, T* b, T* W, T* c, T* loss) {
  const int width = pad<T>(units), line = pad<T>(o);
  memset(h, 0, size_t(width) * sizeof(T));
  memset(slope, 0, size_t(width) * sizeof(T));
  memset(Q, 0, size_t(line) * sizeof(T));
  for (int q = 0; q < o; q++)
    for (int j = 0; j < width; j++) back[size_t(q) * width + j] = j < units ? W[size_t(j) * line + q] : 0;
  for (int r = 0; r < n; r++, x += i, y += o) {
    int count = 0;
    for (int j = 0; j < i; j++)
      if (x[j] != 0) active[count++] = j;
    memcpy(e, b, size_t(width) * sizeof(T));
    int p = 0;
    for (; p + 4 <= count; p += 4) addRows<T, 4>(width, active + p, x, V, e);
    for (; p < count; p++) addRows<T, 1>(width, active + p, x, V, e);
    tangents(units, e, h, slope);
    memcpy(logits, c, size_t(line) * sizeof(T));
    gemm(1, units, line, h, 0, 1, W, line, logits, line);
    entropies(o, logits, y, terms, logits, Q);
    T sum = 0;
    for (int j = 0; j < o; j++) sum += terms[j];
    loss[r] = sum;
    if (!(sum - sum == 0)) return r + 1;
    memset(e, 0, size_t(width) * sizeof(T));
    gemm(1, o, width, Q, 0, 1, back, width, e, width);
    for (int j = 0; j < width; j += LANES<T>) store(e + j, load(e + j) * load(slope + j) * rate[0]);
    for (int j = 0; j < line; j += LANES<T>) store(Q + j, load(Q + j) * rate[0]);
    for (int j = 0; j < units; j++) subtract(line, h[j], Q, W + size_t(j) * line);
    for (int q = 0; q < o; q++) subtract(width, Q[q], h, back + size_t(q) * width);
    for (int p = 0; p < count; p++) subtract(width, x[active[p]], e, V + size_t(active[p]) * width);
    subtract(width, T(1), e, b);
    subtract(line, T(1), Q, c);
  }
  return 0;
}
}
INSTANTIATE_DENSE
