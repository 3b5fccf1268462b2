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
    for (int j = 0; j < count; j++)
      for (int i = 0; i < N; i++) {
        const int64_t at = from + i * step + j;
        lines[j * N + i] = at >= 0 && at < n ? x[at] : T(0);
      }
  }
}
// out[i] = Σ_j w[j] x[i + start - j], j ascending, for first <= i < last
template <class T>
void sums(int n, int taps, int64_t start, const T* x, const T* w, int first, int last, T* lines, T* tile, T* out) {
  constexpr int N = LANES<T>;
  while (first < last) {
    const int count = least(last - first, N * TILE), step = least(TILE, (count + N - 1) / N);
    const int rows = (step + R - 1) / R * R;
    pack<T>(n, x, first + start - (taps - 1), step, wholeLines<T>(rows + taps - 1), lines);
    for (int r = 0; r < rows; r += R) {
      V<T> a[R]{};
      const T* p = lines + (int64_t(r) + taps - 1) * N;
      for (int j = 0; j < taps; j++, p -= N) {
        const V<T> c = splat(w[j]);
        _Pragma("GCC unroll 16")
        for (int i = 0; i < R; i++) a[i] = madd<T>(c, at(p, i), a[i]);
      }
      _Pragma("GCC unroll 16")
      for (int i = 0; i < R; i++) set(tile, r + i, a[i]);
    }
    const int whole = count / step;
    transposeOut<T>(whole, step, tile, out + first);
    for (int j = 0; j < count - whole * step; j++) out[first + whole * step + j] = tile[j * N + whole];
    first += count;
  }
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
constexpr int SIDE = 64;
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
// The transform of each column; row 8j + i of the result is frequency j + 8i.
template <class T, bool FIRST>
void forwardSide(const T* re, const T* im, const T* twiddles, const T* roots, T* columns, T* toRe, T* toIm) {
  constexpr int N = LANES<T>;
  T *cre = columns, *cim = columns + SIDE * N;
  for (int c = 0; c < SIDE; c += N) {
    for (int a = 0; a < 8; a++)
      radix8<T, Twist::after, false>(
          re + a * SIDE + c, im + a * SIDE + c, 8 * SIDE, roots + 8 * a, roots + SIDE + 8 * a, cre + a * N, cim + a * N,
          8 * N);
    for (int j = 0; j < SIDE; j += 8)
      if constexpr (FIRST) {
        const T* t = twiddles + j * SIDE + c;
        radix8<T, Twist::after, true>(cre + j * N, cim + j * N, N, t, t + TRANSFORM, cre + j * N, cim + j * N, N);
      } else
        radix8<T, Twist::none, false>(
            cre + j * N, cim + j * N, N, cre, cre, toRe + j * SIDE + c, toIm + j * SIDE + c, SIDE);
    if constexpr (FIRST) {
      transposeOut<T>(N, SIDE, cre, toRe + c * SIDE);
      transposeOut<T>(N, SIDE, cim, toIm + c * SIDE);
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
      const T *x = re + j * SIDE + c, *y = im + j * SIDE + c, *t = twiddles + j * SIDE + c;
      if constexpr (FIRST) radix8<T, Twist::none, false>(x, y, SIDE, t, t, cre + j * N, cim + j * N, N);
      else radix8<T, Twist::before, true>(x, y, SIDE, t, t + TRANSFORM, cre + j * N, cim + j * N, N);
    }
    for (int a = 0; a < 8; a++) {
      const T *cosines = roots + 8 * a, *sines = roots + SIDE + 8 * a;
      if constexpr (FIRST)
        radix8<T, Twist::before, false>(
            cre + a * N, cim + a * N, 8 * N, cosines, sines, cre + a * N, cim + a * N, 8 * N);
      else
        radix8<T, Twist::before, false>(
            cre + a * N, cim + a * N, 8 * N, cosines, sines, toRe + a * SIDE + c, toIm + a * SIDE + c, 8 * SIDE);
    }
    if constexpr (FIRST) {
      transposeOut<T>(N, SIDE, cre, toRe + c * SIDE);
      transposeOut<T>(N, SIDE, cim, toIm + c * SIDE);
    }
  }
}
// The order of the frequencies is the same for all transforms, and nobody else's business; `inverse` divides by
// nothing.
template <class T> void transform(const T* signal, const T* twiddles, const T* roots, T* columns, T* spectrum) {
  T *re = spectrum, *im = spectrum + TRANSFORM;
  forwardSide<T, true>(signal, signal + TRANSFORM, twiddles, roots, columns, re, im);
  forwardSide<T, false>(re, im, twiddles, roots, columns, re, im);
}
template <class T> void inverse(const T* spectrum, const T* twiddles, const T* roots, T* columns, T* signal) {
  T *re = signal, *im = signal + TRANSFORM;
  inverseSide<T, true>(spectrum + TRANSFORM, spectrum, twiddles, roots, columns, im, re);
  inverseSide<T, false>(im, re, twiddles, roots, columns, im, re);
}

// ---- blocks: two stretches of the signal are the real and the imaginary part of one transform ----
// to[q] = scale x[from + q] for q < count, then 0
template <class T> void window(int64_t n, const T* x, int64_t from, int64_t count, T scale, T* to) {
  const int before = from < 0 ? int(from < -TRANSFORM ? TRANSFORM : -from) : 0;
  int64_t end = n - from < count ? n - from : count;
  end = end < 0 ? 0 : end > TRANSFORM ? TRANSFORM : end;
  int q = 0;
  for (; q < before; q++) to[q] = 0;
  for (; q < end; q++) to[q] = x[from + q] * scale;
  for (; q < TRANSFORM; q++) to[q] = 0;
}
// to = a b, or to += a b; `to` may be a
template <class T> void multiply(bool first, const T* a, const T* b, T* to) {
  for (int q = 0; q < TRANSFORM; q += LANES<T>) {
    const V<T> ar = load(a + q), ai = load(a + TRANSFORM + q), br = load(b + q), bi = load(b + TRANSFORM + q);
    const V<T> re = first ? ar * br : madd<T>(ar, br, load(to + q));
    const V<T> im = first ? ar * bi : madd<T>(ar, bi, load(to + TRANSFORM + q));
    store(to + q, nmadd<T>(ai, bi, re));
    store(to + TRANSFORM + q, madd<T>(ai, br, im));
  }
}
// the largest |x| of a block, and of what came before it
template <class T> T largest(const T* x, T top) {
  V<T> most = splat(top);
  for (int q = 0; q < TRANSFORM; q += LANES<T>) most = pmax<T>(most, abs<T>(load(x + q)));
  for (int i = 0; i < LANES<T>; i++) top = most[i] > top ? most[i] : top;
  return top;
}
// loud[q]: whether some of the 16 values from 16 q on are larger than `least`
template <class T> void listen(const T* x, T least, int* loud) {
  const V<T> limit = splat(least);
  for (int q = 0; q < TRANSFORM / 16; q++, x += 16) {
    bool some = false;
    for (int i = 0; i < 16; i += LANES<T>) some |= anyGreater<T>(abs<T>(load(x + i)), limit);
    loud[q] = some;
  }
}
// Beyond it a product of transforms might overflow where the sum does not.
template <class T> INLINE T vast() { return sizeof(T) == 8 ? T(1e300) : T(1e30); }
// The error of a transform is that of its largest value: it must not be larger than that of a sum (the sum of |w x|
// times eps, per term). A window of `taps` values whose largest is over 4/taps of the block's is safe: the errors of
// the transform average out, those of a sum are bounded by the worst case (docs/math/convolution.md).
template <class T> INLINE T threshold(T top, int taps) { return top * (T(4) / T(taps)); }
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
  sums<T>(n, taps, start, x, w, 0, results, lines, tile, out);
  return 0;
}

template <class T> int correlate(
    int n, int taps, int results, int start, int /*span*/, const T* x, const T* w, T* lines, T* tile, double* total,
    T* out) {
  for (int j = 0; j < results; j++) total[j] = 0;
  products<T>(n, results, start, x, w, 0, taps, lines, tile, total);
  for (int j = 0; j < results; j++) out[j] = T(total[j]);
  return 0;
}

// Overlap-save: of the TRANSFORM values that a block of a part makes, the first part - 1 have gone round and are wrong.
template <class T> int convolveFft(
    int n, int taps, int results, int start, int parts, int /*span*/, const T* x, const T* w, const T* twiddles,
    const T* roots, T* columns, T* spectra, T* block, int* loud, int* sure, T* lines, T* tile, T* out) {
  constexpr int GROUPS = TRANSFORM / 16;
  if (taps == 0 || parts == 0) return convolve<T>(n, taps, results, start, 0, x, w, lines, tile, out);
  const int part = (taps + parts - 1) / parts, run = TRANSFORM - part + 1;
  T *spectrum = block + 2 * TRANSFORM, *product = block + 4 * TRANSFORM, weight = 0;
  for (int j = 0; j < taps; j++) weight += w[j] < 0 ? -w[j] : w[j];
  for (int p = 0; p < parts; p++) {
    window<T>(taps, w, int64_t(p) * part, part, T(1. / TRANSFORM), block);
    memset(block + TRANSFORM, 0, TRANSFORM * sizeof(T));
    transform<T>(block, twiddles, roots, columns, spectra + size_t(p) * 2 * TRANSFORM);
  }
  for (int64_t i = 0; i < results; i += 2 * run) {
    const int64_t from = i + start - (part - 1);
    T top = 0;
    for (int p = 0; p < parts; p++) {
      for (int half = 0; half < 2; half++) {
        T* const to = block + half * TRANSFORM;
        window<T>(n, x, from + int64_t(half) * run - int64_t(p) * part, TRANSFORM, T(1), to);
        top = largest<T>(to, top);
      }
      T* const a = p == 0 ? product : spectrum;
      transform<T>(block, twiddles, roots, columns, a);
      multiply<T>(p == 0, a, spectra + size_t(p) * 2 * TRANSFORM, product);
    }
    if (!(top > 0)) {  // silence
      for (int64_t q = i; q < results && q < i + 2 * run; q++) out[q] = 0;
      continue;
    }
    memset(sure, 0, 2 * GROUPS * sizeof(int));
    if (top < vast<T>() && top * weight < vast<T>())
      for (int p = 0; p < parts; p++) {
        const int behind = (part - least(part, taps - p * part) + 15) / 16;
        for (int half = 0; half < 2; half++) {
          T* const to = block + half * TRANSFORM;
          if (parts > 1) window<T>(n, x, from + int64_t(half) * run - int64_t(p) * part, TRANSFORM, T(1), to);
          listen<T>(to, threshold<T>(top, taps), loud);
          // the groups of values that all 16 results of a group share
          for (int g = 0, q = 0, last = -1; g * 16 < run; g++) {
            for (; q < g + part / 16; q++)
              if (loud[q]) last = q;
            if (last > g + behind) sure[half * GROUPS + g] = 1;
          }
        }
      }
    inverse<T>(product, twiddles, roots, columns, block);
    for (int half = 0; half < 2; half++) {
      const int64_t first = i + int64_t(half) * run;
      const int count = int(results - first < run ? results - first : run);
      if (count <= 0) break;
      memcpy(out + first, block + half * TRANSFORM + part - 1, size_t(count) * sizeof(T));
      for (int g = 0; g * 16 < count; g++) {
        const int begin = g;
        while (g * 16 < count && !sure[half * GROUPS + g]) g++;
        if (g > begin)
          sums<T>(n, taps, start, x, w, int(first + begin * 16), int(first + least(count, g * 16)), lines, tile, out);
      }
    }
  }
  return 0;
}

// Blocks of w, with the values of x that they meet: conj(W) X is summed over all of them, and transformed once.
template <class T> int correlateFft(
    int n, int taps, int results, int start, int /*span*/, const T* x, const T* w, const T* twiddles, const T* roots,
    T* columns, T* block, int* loud, T* lines, T* tile, double* total, T* out) {
  T *a = block, *b = block + 2 * TRANSFORM, *spectrum = block + 4 * TRANSFORM, *product = block + 6 * TRANSFORM;
  for (int j = 0; j < results; j++) total[j] = 0;
  for (int from = 0; taps > 0 && from < results; from += PART) {
    const int part = least(PART, results - from), longest = TRANSFORM - part + 1;
    const int pairs = (taps + 2 * int64_t(longest) - 1) / (2 * longest);
    const int run = (taps + 2 * int64_t(pairs) - 1) / (2 * int64_t(pairs));
    const int64_t shift = int64_t(start) - from;
    memset(product, 0, 2 * TRANSFORM * sizeof(T));
    for (int64_t i = 0; i < taps; i += 2 * run) {
      T topW = 0, topX = 0, own[2];
      for (int half = 0; half < 2; half++) {
        const int64_t first = i + int64_t(half) * run, count = taps - first < run ? taps - first : run;
        window<T>(taps, w, first, count, T(1), a + half * TRANSFORM);
        window<T>(n, x, first - shift, count > 0 ? count + part - 1 : 0, T(1), b + half * TRANSFORM);
        own[half] = largest<T>(a + half * TRANSFORM, 0);
        topW = own[half] > topW ? own[half] : topW;
        topX = largest<T>(b + half * TRANSFORM, topX);
      }
      bool trusted = topW < vast<T>() && topX < vast<T>() && topW * topX < vast<T>();
      for (int half = 0; half < 2 && trusted; half++) {
        if (!(own[half] > 0)) continue;
        listen<T>(b + half * TRANSFORM, threshold<T>(topX, part), loud);
        const int64_t left = taps - i - int64_t(half) * run, count = left < run ? left : run;
        bool some = false;  // among the values that all results share
        for (int q = (part + 14) / 16; q < count / 16; q++) some |= loud[q] != 0;
        trusted = some;
      }
      if (!trusted) {
        const int64_t end = i + 2 * int64_t(run) < taps ? i + 2 * int64_t(run) : taps;
        products<T>(n, part, shift, x, w, i, end, lines, tile, total + from);
        continue;
      }
      transform<T>(b, twiddles, roots, columns, spectrum);
      transform<T>(a, twiddles, roots, columns, b);
      for (int q = 0; q < TRANSFORM; q += LANES<T>) {
        const V<T> ar = load(b + q), ai = load(b + TRANSFORM + q);
        const V<T> br = load(spectrum + q), bi = load(spectrum + TRANSFORM + q);
        store(product + q, madd<T>(ai, bi, madd<T>(ar, br, load(product + q))));
        store(product + TRANSFORM + q, nmadd<T>(ai, br, madd<T>(ar, bi, load(product + TRANSFORM + q))));
      }
    }
    inverse<T>(product, twiddles, roots, columns, a);
    for (int j = 0; j < part; j++) total[from + j] += double(a[j] * T(1. / TRANSFORM));
  }
  for (int j = 0; j < results; j++) out[j] = T(total[j]);
  return 0;
}
}
INSTANTIATE_CONVOLUTION
