// Convolution: segments of the signal, or frequencies, in lanes. docs/math/convolution.md. Twin:
// assembly/convolution.ts
#include "kernels/convolution.h"
#include "linalg.h"
namespace ISA::convolution {
namespace {
// ---- direct sums: LANES segments of the signal side by side, one line is one value of each ----
constexpr int R = VECTORS;  // results that are summed at once
template <class T> INLINE int wholeLines(int64_t count) { return (count + LANES<T> - 1) / LANES<T> * LANES<T>; }

// lines[j][lane] = x[from + lane step + j], 0 where there is none; `count` lines, a multiple of LANES
template <class T> void pack(int64_t n, const T* x, int64_t from, int step, int count, T* lines) {
  constexpr int N = LANES<T>;
  if (from >= 0 && from + (N - 1) * step + count <= n) {
    for (int j = 0; j < count; j += N) {
      V<T> v[N];
      _Pragma("GCC unroll 16")
      for (int i = 0; i < N; i++) v[i] = load(x + from + i * step + j);
      transpose<T>(v);
      _Pragma("GCC unroll 16")
      for (int i = 0; i < N; i++) set(lines, j + i, v[i]);
    }
  } else {
    memset(lines, 0, size_t(count) * N * sizeof(T));
    for (int i = 0; i < N; i++, from += step) {
      const int64_t end = n - from < count ? n - from : count;
      for (int64_t j = from < 0 ? -from : 0; j < end; j++) lines[j * N + i] = x[from + j];
    }
  }
}
// `rows` lines of a tile, G at once, of what `sums` needs. Returns whether one is not finite.
template <class T, int G> bool sumLines(int rows, int taps, const T* w, const T* lines, T* tile) {
  constexpr int N = LANES<T>;
  V<T> bad{};
  for (int r = 0; r < rows; r += G) {
    V<T> a[G]{};
    const T* p = lines + (int64_t(r) + taps - 1) * N;
    for (int j = 0; j < taps; j++, p -= N) {
      const V<T> c = splat(w[j]);
      _Pragma("GCC unroll 16")
      for (int i = 0; i < G; i++) a[i] = madd<T>(c, at(p, i), a[i]);
    }
    _Pragma("GCC unroll 16")
    for (int i = 0; i < G; i++) {
      set(tile, r + i, a[i]);
      bad = madd<T>(a[i], V<T>{}, bad);
    }
  }
  return !everyGreater<T>(splat(T(1)), bad);
}
// out[i] = Σ_j w[j] x[i + start - j], j ascending, for first <= i < last. Returns whether
// one may not be finite: to read all results again for it would take a sixth of the time of K=31.
template <class T>
bool sums(int n, int taps, int64_t start, const T* x, const T* w, int first, int last, T* lines, T* tile, T* out) {
  constexpr int N = LANES<T>;
  bool bad = false;
  while (first < last) {
    const int count = least(last - first, N * TILE), step = least(TILE, (count + N - 1) / N);
    const int rows = (step + R - 1) / R * R;
    pack<T>(n, x, first + start - (taps - 1), step, wholeLines<T>(rows + taps - 1), lines);
    // few results, as between transforms
    bad |= step <= 4 ? sumLines<T, 4>(4, taps, w, lines, tile) : sumLines<T, R>(rows, taps, w, lines, tile);
    const int whole = count / step;
    transposeOut<T>(whole, step, tile, out + first);
    for (int j = 0; j < count - whole * step; j++) out[first + whole * step + j] = tile[j * N + whole];
    first += count;
  }
  return bad;
}
// total[i] += each lane of row i, in their order
template <class T> INLINE void addLanes(int rows, const T* lines, double* total) {
  for (int i = 0; i < rows; i++)
    for (int lane = 0; lane < LANES<T>; lane++) total[i] += double(lines[i * LANES<T> + lane]);
}
// total[j] += Σ_i w[i] x[i + j - start] for first <= i < last: a segment of TILE is summed in T
template <class T> void products(
    int n, int results, int64_t start, const T* x, const T* w, int64_t first, int64_t last, T* lines, T* tile,
    double* total) {
  constexpr int N = LANES<T>;
  T* const sum = tile + N * TILE;
  for (; first < last; first += N * TILE) {
    const int rows = int(last - first < TILE ? last - first : TILE);
    pack<T>(last, w, first, TILE, wholeLines<T>(rows), tile);
    pack<T>(n, x, first - start, TILE, wholeLines<T>(rows + (results + R - 1) / R * R - 1), lines);
    for (int j = 0; j < results; j += R) {
      V<T> a[R]{};
      const T *p = lines + int64_t(j) * N, *q = tile;
      for (int t = 0; t < rows; t++, p += N, q += N) {
        const V<T> c = load(q);
        _Pragma("GCC unroll 16")
        for (int i = 0; i < R; i++) a[i] = madd<T>(c, at(p, i), a[i]);
      }
      _Pragma("GCC unroll 16")
      for (int i = 0; i < R; i++) set(sum, i, a[i]);
      addLanes<T>(least(R, results - j), sum, total + j);
    }
  }
}

// ---- transforms: 64 rows of 64 values; first along the columns, then, turned round, along the rows ----
// Rows are one cache line longer than their values: 512 bytes apart, the lines of a column would fall into the same
// places of the cache (K=1025 forward, f64: avx512 2.3 -> 1.8 ns, avx2 3.5 -> 2.7, baseline 6.8 -> 4.6). The real parts
// are a PLANE, the imaginary ones another.
constexpr int SIDE = 64;
template <class T> constexpr int ROW = SIDE + 64 / sizeof(T);
// x + iy times c + is
template <class T> INLINE void twist(V<T>& x, V<T>& y, V<T> c, V<T> s) {
  const V<T> t = nmadd<T>(y, s, x * c);
  y = madd<T>(x, s, y * c);
  x = t;
}
enum class Twist { none, before, after };
// The transform of eight vectors, `step` apart, with twists before or after it: factor i is a number of all lanes, i
// apart, or (VECTOR) a vector of row i. Backwards: exchange re and im.
template <class T, Twist WHEN, bool VECTOR>
INLINE void radix8(const T* re, const T* im, int step, const T* cosines, const T* sines, T* toRe, T* toIm, int toStep) {
  V<T> x[8], y[8], a[4], b[4], d[4], e[4];
  // the transform of four vectors a + ib: every second frequency, from `to` on
  const auto four = [&](const V<T>* a, const V<T>* b, int to) __attribute__((always_inline)) {
    const V<T> p = a[0] + a[2], q = a[0] - a[2], r = a[1] + a[3], u = a[1] - a[3];
    const V<T> P = b[0] + b[2], Q = b[0] - b[2], S = b[1] + b[3], U = b[1] - b[3];
    x[to] = p + r;
    y[to] = P + S;
    x[to + 2] = q + U;
    y[to + 2] = Q - u;
    x[to + 4] = p - r;
    y[to + 4] = P - S;
    x[to + 6] = q - U;
    y[to + 6] = Q + u;
  };
  EACH(i, 8) {
    x[i] = load(re + i * step);
    y[i] = load(im + i * step);
  }
  if constexpr (WHEN == Twist::before) {
    _Pragma("GCC unroll 8")
    for (int i = !VECTOR; i < 8; i++)
      if constexpr (VECTOR) twist<T>(x[i], y[i], load(cosines + i * SIDE), load(sines + i * SIDE));
      else twist<T>(x[i], y[i], splat(cosines[i]), splat(sines[i]));
  }
  EACH(i, 4) {
    a[i] = x[i] + x[i + 4];
    b[i] = y[i] + y[i + 4];
    d[i] = x[i] - x[i + 4];
    e[i] = y[i] - y[i + 4];
  }
  const V<T> h = splat(T(0.7071067811865476));
  four(a, b, 0);
  const V<T> d1 = (d[1] + e[1]) * h, e1 = (e[1] - d[1]) * h, d3 = (e[3] - d[3]) * h, e3 = -((d[3] + e[3]) * h);
  const V<T> d2 = e[2], e2 = -d[2];
  const V<T> odd[] = {d[0], d1, d2, d3}, odder[] = {e[0], e1, e2, e3};
  four(odd, odder, 1);
  if constexpr (WHEN == Twist::after) {
    _Pragma("GCC unroll 8")
    for (int i = !VECTOR; i < 8; i++)
      if constexpr (VECTOR) twist<T>(x[i], y[i], load(cosines + i * SIDE), load(sines + i * SIDE));
      else twist<T>(x[i], y[i], splat(cosines[i]), splat(sines[i]));
  }
  EACH(i, 8) {
    store(toRe + i * toStep, x[i]);
    store(toIm + i * toStep, y[i]);
  }
}
// SIDE lines of some columns as rows
template <class T> INLINE void turnOut(const T* lines, T* to) {
  constexpr int N = LANES<T>;
  for (int j = 0; j < SIDE; j += N) {
    V<T> v[N];
    _Pragma("GCC unroll 16")
    for (int i = 0; i < N; i++) v[i] = at(lines, j + i);
    transpose<T>(v);
    _Pragma("GCC unroll 16")
    for (int i = 0; i < N; i++) store(to + i * ROW<T> + j, v[i]);
  }
}
// The transform of each column; row 8j + i of the result is frequency j + 8i.
template <class T, bool FIRST>
void forwardSide(const T* re, const T* im, const T* twiddles, const T* roots, T* columns, T* toRe, T* toIm) {
  constexpr int N = LANES<T>;
  T *cre = columns, *cim = columns + SIDE * N;
  for (int c = 0; c < SIDE; c += N) {
    for (int a = 0; a < 8; a++)
      radix8<T, Twist::after, false>(
          re + a * ROW<T> + c, im + a * ROW<T> + c, 8 * ROW<T>, roots + 8 * a, roots + SIDE + 8 * a, cre + a * N,
          cim + a * N, 8 * N);
    for (int j = 0; j < SIDE; j += 8)
      if constexpr (FIRST) {
        const T* t = twiddles + j * SIDE + c;
        radix8<T, Twist::after, true>(cre + j * N, cim + j * N, N, t, t + TRANSFORM, cre + j * N, cim + j * N, N);
      } else
        radix8<T, Twist::none, false>(
            cre + j * N, cim + j * N, N, cre, cre, toRe + j * ROW<T> + c, toIm + j * ROW<T> + c, ROW<T>);
    if constexpr (FIRST) {
      turnOut<T>(cre, toRe + c * ROW<T>);
      turnOut<T>(cim, toIm + c * ROW<T>);
    }
  }
}
// The same backwards, but for exchanged re and im.
template <class T, bool FIRST>
void inverseSide(const T* re, const T* im, const T* twiddles, const T* roots, T* columns, T* toRe, T* toIm) {
  constexpr int N = LANES<T>;
  T *cre = columns, *cim = columns + SIDE * N;
  for (int c = 0; c < SIDE; c += N) {
    for (int j = 0; j < SIDE; j += 8) {
      const T *x = re + j * ROW<T> + c, *y = im + j * ROW<T> + c, *t = twiddles + j * SIDE + c;
      if constexpr (FIRST) radix8<T, Twist::none, false>(x, y, ROW<T>, t, t, cre + j * N, cim + j * N, N);
      else radix8<T, Twist::before, true>(x, y, ROW<T>, t, t + TRANSFORM, cre + j * N, cim + j * N, N);
    }
    for (int a = 0; a < 8; a++) {
      const T *cosines = roots + 8 * a, *sines = roots + SIDE + 8 * a;
      if constexpr (FIRST)
        radix8<T, Twist::before, false>(
            cre + a * N, cim + a * N, 8 * N, cosines, sines, cre + a * N, cim + a * N, 8 * N);
      else
        radix8<T, Twist::before, false>(
            cre + a * N, cim + a * N, 8 * N, cosines, sines, toRe + a * ROW<T> + c, toIm + a * ROW<T> + c, 8 * ROW<T>);
    }
    if constexpr (FIRST) {
      turnOut<T>(cre, toRe + c * ROW<T>);
      turnOut<T>(cim, toIm + c * ROW<T>);
    }
  }
}
// The order of the frequencies is the same for all transforms, and nobody else's business; `inverse` divides by
// nothing.
template <class T> void transform(const T* signal, const T* twiddles, const T* roots, T* columns, T* spectrum) {
  T *re = spectrum, *im = spectrum + PLANE;
  forwardSide<T, true>(signal, signal + PLANE, twiddles, roots, columns, re, im);
  forwardSide<T, false>(re, im, twiddles, roots, columns, re, im);
}
template <class T> void inverse(const T* spectrum, const T* twiddles, const T* roots, T* columns, T* signal) {
  T *re = signal, *im = signal + PLANE;
  inverseSide<T, true>(spectrum + PLANE, spectrum, twiddles, roots, columns, im, re);
  inverseSide<T, false>(im, re, twiddles, roots, columns, im, re);
}

// ---- blocks: two stretches of the signal are the real and the imaginary part of one transform ----
// A block's value q becomes x[from + q] for q < count, then 0. Returns the largest |x| of them and of what came before.
template <class T> T window(int64_t n, const T* x, int64_t from, int64_t count, T top, T* to) {
  constexpr int N = LANES<T>, G = SIDE / N < 4 ? SIDE / N : 4;
  const int64_t before = from < 0 ? -from : 0, end = n - from < count ? n - from : count;
  V<T> most[G] = {splat(top)};
  for (int q = 0; q < TRANSFORM; q += SIDE, to += ROW<T>) {
    if (q + SIDE <= before || q >= end) {
      memset(to, 0, SIDE * sizeof(T));
      continue;
    }
    if (q < before || q + SIDE > end)
      for (int j = 0; j < SIDE; j++) to[j] = q + j >= before && q + j < end ? x[from + q + j] : T(0);
    const T* p = q < before || q + SIDE > end ? to : x + from + q;
    for (int j = 0; j < SIDE; j += G * N)
      EACH(i, G) {
        const V<T> v = load(p + j + i * N);
        most[i] = pmax<T>(most[i], abs<T>(v));
        store(to + j + i * N, v);
      }
  }
  EACH(i, G) most[0] = pmax<T>(most[0], most[i]);
  for (int i = 0; i < N; i++) top = most[0][i] > top ? most[0][i] : top;
  return top;
}
// The transform of w alone, over TRANSFORM
template <class T> void transformTaps(
    int taps, const T* w, int from, int part, const T* twiddles, const T* roots, T* columns, T* block, T* spectrum) {
  window<T>(taps, w, from, part, T(0), block);
  for (int r = 0; r < SIDE; r++)
    for (int j = 0; j < SIDE; j++) block[r * ROW<T> + j] *= T(1. / TRANSFORM);
  memset(block + PLANE, 0, PLANE * sizeof(T));
  transform<T>(block, twiddles, roots, columns, spectrum);
}
// to = a b, or to += a b; `to` may be a
template <class T> void multiply(bool first, const T* a, const T* b, T* to) {
  for (int r = 0; r < SIDE; r++, a += ROW<T>, b += ROW<T>, to += ROW<T>)
    for (int q = 0; q < SIDE; q += LANES<T>) {
      const V<T> ar = load(a + q), ai = load(a + PLANE + q), br = load(b + q), bi = load(b + PLANE + q);
      const V<T> re = first ? ar * br : madd<T>(ar, br, load(to + q));
      const V<T> im = first ? ar * bi : madd<T>(ar, bi, load(to + PLANE + q));
      store(to + q, nmadd<T>(ai, bi, re));
      store(to + PLANE + q, madd<T>(ai, br, im));
    }
}
// to += conj(a) b
template <class T> void correlated(const T* a, const T* b, T* to) {
  for (int r = 0; r < SIDE; r++, a += ROW<T>, b += ROW<T>, to += ROW<T>)
    for (int q = 0; q < SIDE; q += LANES<T>) {
      const V<T> ar = load(a + q), ai = load(a + PLANE + q), br = load(b + q), bi = load(b + PLANE + q);
      store(to + q, madd<T>(ai, bi, madd<T>(ar, br, load(to + q))));
      store(to + PLANE + q, nmadd<T>(ai, br, madd<T>(ar, bi, load(to + PLANE + q))));
    }
}
// `count` values of a block, from q on
template <class T> void copyOut(const T* block, int q, int count, T* to) {
  while (count > 0) {
    const T* from = block + q / SIDE * ROW<T> + q % SIDE;
    const int some = least(SIDE - q % SIDE, count);
    int j = 0;
    for (; j + LANES<T> <= some; j += LANES<T>) store(to + j, load(from + j));
    for (; j < some; j++) to[j] = from[j];
    q += some, to += some, count -= some;
  }
}
constexpr int GROUP_OF = 16, GROUPS = TRANSFORM / GROUP_OF;
// loud[g]: whether some of the 16 values of group g are larger than `least`
template <class T> void listen(const T* x, T least, int* loud) {
  const V<T> limit = splat(least);
  for (int r = 0; r < SIDE; r++, x += ROW<T>)
    for (int j = 0; j < SIDE; j += GROUP_OF) {
      V<T> most = abs<T>(load(x + j));
      for (int i = LANES<T>; i < GROUP_OF; i += LANES<T>) most = pmax<T>(most, abs<T>(load(x + j + i)));
      *loud++ = anyGreater<T>(most, limit);
    }
}
// sure[g] = 1 for the groups of results, `run` results in all, of which all share a loud value; a result meets `part`
// values, the first `behind` groups of them with a w of 0.
INLINE void makeSure(int run, int part, int behind, const int* loud, int* sure) {
  for (int g = 0, q = 0, last = -1; g * GROUP_OF < run; g++) {
    for (; q < g + part / GROUP_OF; q++)
      if (loud[q]) last = q;
    if (last > g + behind) sure[g] = 1;
  }
}
// groups among the first `count` values in which none is loud
INLINE int quietOf(int count, const int* loud) {
  int quiet = 0;
  for (int g = 0; g * GROUP_OF < count; g++) quiet += !loud[g];
  return quiet;
}
// The results first ... last of a block, whose first is value `part` - 1; those that are not sure are summed.
template <class T> void take(
    int n, int taps, int64_t start, const T* x, const T* w, const T* block, int part, const int* sure, int64_t first,
    int64_t last, T* lines, T* tile, T* out) {
  const int count = int(last - first);
  copyOut<T>(block, part - 1, count, out + first);
  for (int g = 0; g * GROUP_OF < count; g++) {
    const int begin = g;
    while (g * GROUP_OF < count && !sure[g]) g++;
    if (g > begin)
      sums<T>(
          n, taps, start, x, w, int(first + begin * GROUP_OF), int(first + least(count, g * GROUP_OF)), lines, tile,
          out);
  }
}
// Beyond it a product of transforms might overflow where the sum does not.
template <class T> INLINE T vast() { return sizeof(T) == 8 ? T(1e300) : T(1e30); }
// The error of a transform is that of its largest value: it must not be larger than that of a sum (the sum of |w x|
// times eps, per term). A window of `taps` values whose largest is over 4/taps of the block's is safe: the errors of
// the transform average out, those of a sum are bounded by the worst case (docs/math/convolution.md).
template <class T> INLINE T threshold(T top, int taps) { return top * (T(4) / T(taps)); }
// Whether two signals whose sum of products is wanted have loud values nearly everywhere, so that many of them meet
// whatever the shift: the error of a transform is that of the largest product, also where no result has it.
template <class T> INLINE bool areDense(int count, int quiet, T top, T other) {
  return quiet * 2 <= count / GROUP_OF && top < vast<T>() && other < vast<T>() && top * other < vast<T>();
}
template <class T> T weightOf(int taps, const T* w) {
  T weight = 0;
  for (int j = 0; j < taps; j++) weight += w[j] < 0 ? -w[j] : w[j];
  return weight;
}
// The values of a block that meet `part` results: as many in every block, two blocks at once
INLINE int runOf(int n, int part) {
  const int longest = TRANSFORM - part + 1, pairs = int((n + 2 * int64_t(longest) - 1) / (2 * longest));
  return pairs == 0 ? longest : int((n + 2 * int64_t(pairs) - 1) / (2 * int64_t(pairs)));
}
// total[j] += value j of a block that `inverse` made
template <class T> void addTotal(int count, const T* block, double* total) {
  for (int j = 0; j < count; j++) total[j] += double(block[j / SIDE * ROW<T> + j % SIDE] * T(1. / TRANSFORM));
}
}

template <class T> int finite(int n, const T* x) {
  const V<T> bound = splat(K<T>::infinity);
  for (int i = 0; i < n; i += LANES<T>) {
    const V<T> v = abs<T>(loadSome(x + i, n - i));
    if (everyGreater<T>(bound, v)) continue;
    for (int lane = 0;; lane++)
      if (!(v[lane] < K<T>::infinity)) return 1 + i + lane;
  }
  return 0;
}

template <class T>
int convolve(int n, int taps, int results, int start, int /*span*/, const T* x, const T* w, T* lines, T* tile, T* out) {
  return sums<T>(n, taps, start, x, w, 0, results, lines, tile, out) ? finite<T>(results, out) : 0;
}

template <class T> int correlate(
    int n, int taps, int results, int start, int /*span*/, const T* x, const T* w, T* lines, T* tile, double* total,
    T* out) {
  for (int j = 0; j < results; j++) total[j] = 0;
  products<T>(n, results, start, x, w, 0, taps, lines, tile, total);
  for (int j = 0; j < results; j++) out[j] = T(total[j]);
  return finite<T>(results, out);
}

// Overlap-save: of the TRANSFORM values that a block of a part makes, the first part - 1 have gone round and are wrong.
template <class T> int convolveFft(
    int n, int taps, int results, int start, int parts, int /*span*/, const T* x, const T* w, const T* twiddles,
    const T* roots, T* columns, T* spectra, T* block, int* loud, int* sure, T* lines, T* tile, T* out) {
  if (taps == 0 || parts == 0) return convolve<T>(n, taps, results, start, 0, x, w, lines, tile, out);
  const int part = (taps + parts - 1) / parts, run = TRANSFORM - part + 1;
  T *spectrum = block + 2 * PLANE, *product = block + 4 * PLANE;
  const T weight = weightOf<T>(taps, w);
  for (int p = 0; p < parts; p++)
    transformTaps<T>(taps, w, p * part, part, twiddles, roots, columns, block, spectra + size_t(p) * 2 * PLANE);
  for (int64_t i = 0; i < results; i += 2 * run) {
    const int64_t from = i + start - (part - 1);
    T top = 0;
    for (int p = 0; p < parts; p++) {
      for (int half = 0; half < 2; half++)
        top = window<T>(n, x, from + int64_t(half) * run - int64_t(p) * part, TRANSFORM, top, block + half * PLANE);
      T* const a = p == 0 ? product : spectrum;
      transform<T>(block, twiddles, roots, columns, a);
      multiply<T>(p == 0, a, spectra + size_t(p) * 2 * PLANE, product);
    }
    if (!(top > 0)) {  // silence
      for (int64_t q = i; q < results && q < i + 2 * run; q++) out[q] = 0;
      continue;
    }
    memset(sure, 0, 2 * GROUPS * sizeof(int));
    if (top < vast<T>() && top * weight < vast<T>())
      for (int p = 0; p < parts; p++) {
        const int behind = (part - least(part, taps - p * part) + GROUP_OF - 1) / GROUP_OF;
        for (int half = 0; half < 2; half++) {
          T* const to = block + half * PLANE;
          if (parts > 1) window<T>(n, x, from + int64_t(half) * run - int64_t(p) * part, TRANSFORM, T(0), to);
          listen<T>(to, threshold<T>(top, taps), loud);
          makeSure(run, part, behind, loud, sure + half * GROUPS);
        }
      }
    inverse<T>(product, twiddles, roots, columns, block);
    for (int half = 0; half < 2; half++) {
      const int64_t first = i + int64_t(half) * run, last = first + run < results ? first + run : results;
      if (first < last)
        take<T>(n, taps, start, x, w, block + half * PLANE, part, sure + half * GROUPS, first, last, lines, tile, out);
    }
  }
  return 0;
}

// Blocks of w, with the values of x that they meet: conj(W) X is summed over all of them, and transformed once.
template <class T> int correlateFft(
    int n, int taps, int results, int start, int /*span*/, const T* x, const T* w, const T* twiddles, const T* roots,
    T* columns, T* block, int* loud, T* lines, T* tile, double* total, T* out) {
  T *a = block, *b = block + 2 * PLANE, *spectrum = block + 4 * PLANE, *product = block + 6 * PLANE;
  for (int j = 0; j < results; j++) total[j] = 0;
  for (int from = 0; taps > 0 && from < results; from += PART) {
    const int part = least(PART, results - from), run = runOf(taps, part);
    const int64_t shift = int64_t(start) - from;
    memset(product, 0, 2 * PLANE * sizeof(T));
    for (int64_t i = 0; i < taps; i += 2 * run) {
      T topW = 0, topX = 0;
      for (int half = 0; half < 2; half++) {
        const int64_t first = i + int64_t(half) * run, count = taps - first < run ? taps - first : run;
        topW = window<T>(taps, w, first, count, topW, a + half * PLANE);
        topX = window<T>(n, x, first - shift, count > 0 ? count + part - 1 : 0, topX, b + half * PLANE);
      }
      const int64_t end = i + 2 * int64_t(run) < taps ? i + 2 * int64_t(run) : taps;
      int quiet = 0;
      for (int half = 0; half < 2; half++) {
        const int64_t left = end - i - int64_t(half) * run;
        if (left <= 0) continue;
        const int count = int(left < run ? left : run);
        listen<T>(a + half * PLANE, threshold<T>(topW, part), loud);
        quiet += quietOf(count, loud);
        listen<T>(b + half * PLANE, threshold<T>(topX, part), loud);
        quiet += quietOf(count + part - 1, loud);
      }
      if (!areDense<T>(int(end - i), quiet, topW, topX)) {
        products<T>(n, part, shift, x, w, i, end, lines, tile, total + from);
        continue;
      }
      transform<T>(b, twiddles, roots, columns, spectrum);
      transform<T>(a, twiddles, roots, columns, b);
      correlated<T>(b, spectrum, product);
    }
    inverse<T>(product, twiddles, roots, columns, a);
    addTotal<T>(part, a, total + from);
  }
  for (int j = 0; j < results; j++) out[j] = T(total[j]);
  return 0;
}

// Both at once: a window of dy meets w for dx, and a block of x for dw, so that it is transformed once.
template <class T> int gradientFft(
    int n, int taps, int results, int start, int /*span*/, const T* x, const T* w, const T* dy, const T* twiddles,
    const T* roots, T* columns, T* spectra, T* block, int* loud, int* sure, T* lines, T* tile, double* total, T* dx,
    T* dw) {
  const int64_t ahead = int64_t(taps) - 1 - start;
  for (int j = 0; j < taps; j++) total[j] = 0;
  if (taps == 0 || taps > PART) {
    sums<T>(results, taps, ahead, dy, w, 0, n, lines, tile, dx);
    products<T>(results, taps, start, dy, x, 0, n, lines, tile, total);
  } else {
    const int run = runOf(n, taps);
    const T weight = weightOf<T>(taps, w);
    T *a = block, *b = block + 2 * PLANE, *spectrum = block + 4 * PLANE, *product = block + 6 * PLANE;
    transformTaps<T>(taps, w, 0, taps, twiddles, roots, columns, block, spectra);
    memset(product, 0, 2 * PLANE * sizeof(T));
    for (int64_t i = 0; i < n; i += 2 * run) {
      const int64_t end = i + 2 * int64_t(run) < n ? i + 2 * int64_t(run) : n;
      T top = 0, topX = 0;
      for (int half = 0; half < 2; half++) {
        const int64_t first = i + int64_t(half) * run, count = end - first < run ? end - first : run;
        topX = window<T>(n, x, first, count, topX, a + half * PLANE);
        top = window<T>(results, dy, first - start, count > 0 ? count + taps - 1 : 0, top, b + half * PLANE);
      }
      if (!(top > 0)) {  // silence
        for (int64_t q = i; q < end; q++) dx[q] = 0;
        continue;
      }
      int quiet = 0;
      memset(sure, 0, 2 * GROUPS * sizeof(int));
      for (int half = 0; half < 2; half++) {
        const int64_t left = end - i - int64_t(half) * run;
        if (left <= 0) continue;
        const int count = int(left < run ? left : run);
        listen<T>(a + half * PLANE, threshold<T>(topX, taps), loud);
        quiet += quietOf(count, loud);
        listen<T>(b + half * PLANE, threshold<T>(top, taps), loud);
        quiet += quietOf(count + taps - 1, loud);
        if (top < vast<T>() && top * weight < vast<T>()) makeSure(run, taps, 0, loud, sure + half * GROUPS);
      }
      transform<T>(b, twiddles, roots, columns, spectrum);
      if (areDense<T>(int(end - i), quiet, topX, top)) {
        transform<T>(a, twiddles, roots, columns, b);
        correlated<T>(b, spectrum, product);
      } else products<T>(results, taps, start, dy, x, i, end, lines, tile, total);
      multiply<T>(true, spectrum, spectra, spectrum);
      inverse<T>(spectrum, twiddles, roots, columns, a);
      for (int half = 0; half < 2; half++) {
        const int64_t first = i + int64_t(half) * run, last = first + run < end ? first + run : end;
        if (first < last)
          take<T>(
              results, taps, ahead, dy, w, a + half * PLANE, taps, sure + half * GROUPS, first, last, lines, tile, dx);
      }
    }
    inverse<T>(product, twiddles, roots, columns, a);
    addTotal<T>(taps, a, total);
  }
  for (int j = 0; j < taps; j++) dw[j] = T(total[j]);
  return 0;
}
}
INSTANTIATE_CONVOLUTION
