// Mixture densities, each from a row of raw numbers; rows in lanes. docs/math.md § density. Twin: assembly/density.ts
#include "kernels/density.h"
#include "linalg.h"
namespace ISA::density {
namespace {
constexpr double LOG_2PI = 1.8378770664093453;
constexpr double NEGLIGIBLE = 8.673617379884035e-19;  // 2^-60 of the largest of a row
constexpr size_t STREAM = 1 << 22;                    // bytes: what has more does not stay in the caches
enum { EXP, SOFTPLUS, TANH };                         // what makes standard deviations of raw values

// Where !(a > b): the lane failed at `place`, if it had not failed before. NaN in these lanes, else 0
template <class T> V<T> note(V<T> a, V<T> b, int place, int* failed) {
  for (int i = 0; i < LANES<T>; i++)
    if (!(a[i] > b[i]) && !failed[i]) failed[i] = place;
  return a > b ? V<T>{} : splat(T(__builtin_nan("")));
}

// The largest of m lines. (A NaN among them may be missed.)
template <class T> INLINE V<T> largest(int m, const T* lines) {
  V<T> top = splat(T(-INF));
  for (int j = 0; j < m; j++) top = pmax<T>(top, at(lines, j));
  return top;
}
// t becomes exp(t - top), or 0 where that is negligible; their sum
template <class T> INLINE V<T> shares(int m, V<T> top, T* lines) {
  V<T> sum = {};
  exponentials<T>(m, top, splat(T(NEGLIGIBLE)), lines);
  for (int j = 0; j < m; j++) sum += at(lines, j);
  return sum;
}

// From value l of a diagonal to the next: it lies in a packed triangle, or by itself
template <class T, bool TRIANGLE> INLINE int toNext(int l) { return (TRIANGLE ? l + 2 : 1) * LANES<T>; }
// Of m k standard deviations s: e = 1/s, slope = d log s / d raw; sums[j] = Σ_l log s, NaN where one of them is not > 0
// (or not a normal number). The raw values of a component are the first k of p lines, or the diagonal of a packed
// triangle. With a floor, r counts as floor + softplus(r - floor), which is left in its place.
template <class T, int KIND, bool TRIANGLE>
INLINE void deviations(int m, int k, int p, T* raw, T floor, T* e, T* slope, T* sums, int* failed) {
  const bool floored = KIND != TANH && floor > T(-INF);
  if (floored) {
    for (int j = 0; j < m; j++) {
      const T* value = raw + j * p * LANES<T>;
      for (int l = 0; l < k; value += toNext<T, TRIANGLE>(l++)) set(e, j * k + l, -abs<T>(load(value) - floor));
    }
    exponentials<T>(m * k, V<T>{}, V<T>{}, e);
    for (int j = 0; j < m; j++) {
      T* value = raw + j * p * LANES<T>;
      for (int l = 0; l < k; value += toNext<T, TRIANGLE>(l++)) {
        const V<T> t = load(value) - floor, q = at(e, j * k + l);
        set(slope, j * k + l, sigmoid<T>(t, q));
        store(value, softplus<T>(t, q) + floor + (t - t));  // -infinity would pass unnoticed
      }
    }
  }
  for (int j = 0; j < m; j++) {
    const T* value = raw + j * p * LANES<T>;
    V<T> sum = {};
    for (int l = 0; l < k; value += toNext<T, TRIANGLE>(l++)) {
      const V<T> r = load(value);
      V<T> size = r, least = splat(-LIMIT<T>);
      if (KIND == EXP) {
        set(e, j * k + l, -pmax<T>(r, least));
        sum += r;
      } else if (KIND == SOFTPLUS) set(e, j * k + l, -abs<T>(r));
      else {
        size = tanh<T>(r);
        least = splat(NORMAL<T>);
        set(e, j * k + l, T(-2) * abs<T>(r));
        sum += madd<T>(splat(T(0.5)), log<T>(size), r - r);
      }
      if (!everyGreater<T>(size, least)) sum += note<T>(size, least, j * (k + 1) + l + 1, failed);
    }
    set(sums, j, sum);
  }
  exponentials<T>(m * k, V<T>{}, V<T>{}, e);
  if (KIND == EXP) return;
  for (int j = 0; j < m; j++) {
    const T* value = raw + j * p * LANES<T>;
    V<T> sum = {};
    for (int l = 0; l < k; value += toNext<T, TRIANGLE>(l++)) {
      const V<T> r = load(value), q = at(e, j * k + l);
      if (KIND == SOFTPLUS) {
        const V<T> sd = softplus<T>(r, q), steep = sigmoid<T>(r, q) / sd;
        set(e, j * k + l, T(1) / sd);
        set(slope, j * k + l, floored ? at(slope, j * k + l) * steep : steep);
        sum += log<T>(sd);
      } else {
        const V<T> variance = tanh<T>(r);
        set(e, j * k + l, T(1) / sqrt<T>(variance));
        set(slope, j * k + l, T(0.5) * sech2<T>(q) / variance);
      }
    }
    set(sums, j, at(sums, j) + sum);
  }
}

// joint[j] = r[j] - top - Σ log L[l,l] - ½|u|²,  u = L⁻¹(x - μ);  L from deviations and, with TRIANGLE, from the values
// below the diagonal. Returns 0, NaN where a component has no finite density. Two components go side by side, as one
// alone waits at every step for the one before (avx2, k=8 M=10: 460 -> 404 ns; what a step needs of the two before it
// stays in registers); the last of an odd number goes with itself.
template <class T, int KIND, bool TRIANGLE> INLINE V<T> gaussians(
    int m, int k, T floor, V<T> top, T* tile, const T* y, T* e, T* slope, T* u, T* joint, int* failed) {
  const int p = TRIANGLE ? tri(k) : k, mk = k * LANES<T>, mp = p * LANES<T>;
  T *mean = tile + m * LANES<T>, *L = mean + m * mk;
  V<T> bad = {};
  deviations<T, KIND, TRIANGLE>(m, k, p, L, floor, e, slope, joint, failed);
  for (int j = 0; j < m; j += 2) {
    const int next = j + 1 < m;
    const T *row[] = {L, L + next * mp}, *means[] = {mean, mean + next * mk}, *es[] = {e, e + next * mk};
    T* us[] = {u, u + next * mk};
    V<T> square[2] = {}, last[2] = {}, before[2] = {}, t[2], log[2];
    for (int l = 0; l < k; l++) {
      EACH(c, 2) t[c] = at(y, l) - at(means[c], l);
      if (TRIANGLE) {
        for (int i = 0; i < l - 2; i++)
          EACH(c, 2) t[c] = nmadd<T>(at(row[c], i), at(us[c], i), t[c]);
        if (l > 1)
          EACH(c, 2) t[c] = nmadd<T>(at(row[c], l - 2), before[c], t[c]);
        if (l > 0)
          EACH(c, 2) t[c] = nmadd<T>(at(row[c], l - 1), last[c], t[c]);
        EACH(c, 2) row[c] += (l + 1) * LANES<T>;
      }
      EACH(c, 2) {
        before[c] = last[c];
        last[c] = t[c] * at(es[c], l);
        set(us[c], l, last[c]);
        square[c] = madd<T>(last[c], last[c], square[c]);
      }
    }
    EACH(c, 2) {
      const int i = j + c * next;
      log[c] = nmadd<T>(splat(T(0.5)), square[c], at(tile, i) - top - at(joint, i));
      bad += log[c] - log[c];
    }
    EACH(c, 2) set(joint, j + c * next, log[c]);
    mean += 2 * mk;
    e += 2 * mk;
    u += 2 * mk;
    L += 2 * mp;
  }
  return bad;
}
// γ times the gradient of -log N: means become -γ a, a = L⁻ᵀu, values below the diagonal -γ a uᵀ, those on it
// γ slope (1 - u[l] a[l] L[l,l]). What has γ = 0 is exactly 0. Returns a sum of squares that is finite only if all of
// this is: entries below the diagonal are products of two numbers whose squares are finite. Two go side by side again.
template <class T, bool TRIANGLE> INLINE V<T> gaussianGradients(
    int m, int k, bool sloped, T* mean, const T* e, const T* slope, const T* u, const T* gammas) {
  const int p = TRIANGLE ? tri(k) : k, mk = k * LANES<T>, mp = p * LANES<T>;
  T* L = mean + m * mk;
  V<T> squares = {};
  const V<T> none = {};
  for (int j = 0; j < m; j += 2) {
    const int next = j + 1 < m;
    const T *es[] = {e, e + next * mk}, *us[] = {u, u + next * mk}, *slopes[] = {slope, slope + next * mk};
    T *means[] = {mean, mean + next * mk}, *Ls[] = {L, L + next * mp};
    const V<T> gamma[] = {at(gammas, j), at(gammas, j + next)};
    V<T> last[2] = {}, before[2] = {}, t[2], z[2];
    for (int l = k - 1; l >= 0; l--) {
      EACH(c, 2) t[c] = whereGreater<T>(gamma[c], none, -gamma[c] * at(us[c], l));  // -γ a[l] L[l,l]
      int value = TRIANGLE ? tri(k - 1) + l : l;
      if (TRIANGLE) {  // up column l, to the diagonal
        for (int i = k - 1; i > l + 2; value -= i--)
          EACH(c, 2) t[c] = nmadd<T>(at(Ls[c], value), at(means[c], i), t[c]);
        if (l < k - 2) {
          EACH(c, 2) t[c] = nmadd<T>(at(Ls[c], value), before[c], t[c]);
          value -= l + 2;
        }
        if (l < k - 1) {
          EACH(c, 2) t[c] = nmadd<T>(at(Ls[c], value), last[c], t[c]);
          value -= l + 1;
        }
      }
      EACH(c, 2) {
        before[c] = last[c];
        last[c] = t[c] * at(es[c], l);
        squares = madd<T>(last[c], last[c], squares);
        z[c] = whereGreater<T>(gamma[c], none, madd<T>(at(us[c], l), t[c], gamma[c]));
        if (sloped) z[c] *= at(slopes[c], l);
        squares = madd<T>(z[c], z[c], squares);
      }
      EACH(c, 2) {
        set(means[c], l, last[c]);
        set(Ls[c], value, z[c]);
      }
    }
    if (TRIANGLE)
      for (int l = 1, row = 1; l < k; row += ++l)
        for (int i = 0; i < l; i++)
          EACH(c, 2) set(Ls[c], row + i, whereGreater<T>(gamma[c], none, at(means[c], l) * at(us[c], i)));
    mean += 2 * mk;
    e += 2 * mk;
    slope += 2 * mk;
    u += 2 * mk;
    L += 2 * mp;
  }
  return squares;
}

// tanh(r/R), R = log 2 - floor: with a floor, r of a correlation counts as R times that. √(1-ρ²) > e^floor/(1 +
// ¼e^2floor)
template <class T> INLINE V<T> bounded(V<T> r, T floor) { return tanh<T>(r / splat(T(LN2) - floor)); }
// The same for two coordinates and [log s_x, log s_y, atanh ρ] (Graves 2013); values become their derivatives.
// With q = e^(-2|r|): 1 - |ρ| = 2q/(1+q), 1 - ρ² = 4q/(1+q)²; nothing cancels where ρ rounds to 1.
template <class T, bool GRADIENT>
V<T> correlated(int m, T floor, V<T> top, T* tile, const T* y, T* e, T* slope, T* joint, int* failed) {
  const bool floored = floor > T(-INF);
  T *mean = tile + m * LANES<T>, *C = mean + m * 2 * LANES<T>;
  V<T> bad = {};
  deviations<T, EXP, false>(m, 2, 3, C, floor, e, slope, joint, failed);
  for (int j = 0; j < m; j++) {
    V<T> r = at(C, 2), t = floored ? bounded<T>(r, floor) : V<T>{}, sum = at(joint, j) + (r - r);
    if (floored) r = t * (T(LN2) - floor);
    const V<T> q = exp<T>(T(-2) * abs<T>(r)), most = splat(T(0.5) * LIMIT<T>);
    if (!everyGreater<T>(most, abs<T>(r))) sum += note<T>(most, abs<T>(r), j * 3 + 2, failed);
    const V<T> one = q + T(1), over = one * one / (T(4) * q), rest = withSign<T>(T(2) * q / one, r);
    const V<T> half = T(LN2) - abs<T>(r) - log1p<T>(q);  // ½ log(1 - ρ²)
    const V<T> u = (at(y, 0) - at(mean, 0)) * at(e, 0), v = (at(y, 1) - at(mean, 1)) * at(e, 1);
    const V<T> a = madd<T>(rest, v, u - withSign<T>(v, r)) * over;  // (u - ρ v) / (1 - ρ²)
    const V<T> w = madd<T>(rest, u, v - withSign<T>(u, r)), b = w * over;
    const V<T> log = nmadd<T>(splat(T(0.5)), madd<T>(w, b, u * u), at(tile, j) - top - sum - half);
    set(joint, j, log);
    bad += log - log;
    if (GRADIENT) {
      set(mean, 0, a * at(e, 0));
      set(mean, 1, b * at(e, 1));
      const V<T> x = nmadd<T>(u, a, splat(T(1))), z = nmadd<T>(v, b, splat(T(1))), s = -madd<T>(w, a, tanh<T>(r));
      set(C, 0, floored ? at(slope, 0) * x : x);
      set(C, 1, floored ? at(slope, 1) * z : z);
      set(C, 2, floored ? nmadd<T>(t, t, splat(T(1))) * s : s);
    }
    mean += 2 * LANES<T>;
    e += 2 * LANES<T>;
    slope += 2 * LANES<T>;
    C += 3 * LANES<T>;
  }
  return bad;
}

// tanh C = L Lᵀ, packed by rows (L may be C); returns Σ log L[l,l], NaN where a pivot is not > 0
template <class T> V<T> factor(int k, const T* C, T* L, int place, int* failed) {
  V<T> sum = {};
  for (int i = 0; i < k; i++)
    for (int j = 0; j <= i; j++) {
      const V<T> r = at(C, tri(i) + j);
      V<T> s = tanh<T>(r);
      sum += r - r;  // infinity would pass unnoticed
      for (int p = 0; p < j; p++) s = nmadd<T>(at(L, tri(i) + p), at(L, tri(j) + p), s);
      if (j < i) {
        set(L, tri(i) + j, s / at(L, tri(j) + j));
        continue;
      }
      const V<T> least = splat(NORMAL<T>);
      if (!everyGreater<T>(s, least)) sum += note<T>(s, least, place + i, failed);
      sum = madd<T>(splat(T(0.5)), log<T>(s), sum);
      set(L, tri(i) + i, sqrt<T>(s));
    }
  return sum;
}
// The lower triangle of (L Lᵀ)⁻¹ = WᵀW with W = L⁻¹, in the place of W
template <class T> void invert(int k, const T* L, T* W) {
  for (int j = 0; j < k; j++)
    for (int i = j; i < k; i++) {
      V<T> s = splat(T(i == j));
      for (int p = j; p < i; p++) s = nmadd<T>(at(L, tri(i) + p), at(W, tri(p) + j), s);
      set(W, tri(i) + j, s / at(L, tri(i) + i));
    }
  for (int i = 0; i < k; i++)
    for (int j = 0; j <= i; j++) {
      V<T> s = {};
      for (int p = i; p < k; p++) s = madd<T>(at(W, tri(p) + i), at(W, tri(p) + j), s);
      set(W, tri(i) + j, s);
    }
}
// The same for Σ = tanh of the values, entry by entry; values become ½ (2 - δ) (Σ⁻¹ - a aᵀ) sech²
template <class T, bool GRADIENT>
V<T> tanhFull(int m, int k, V<T> top, T* tile, const T* y, T* u, T* L, T* inverse, T* joint, int* failed) {
  T *mean = tile + m * LANES<T>, *C = mean + m * k * LANES<T>;
  V<T> bad = {};
  for (int j = 0; j < m; j++, mean += k * LANES<T>, C += tri(k) * LANES<T>) {
    const V<T> sum = factor<T>(k, C, L, j * (k + 1) + 1, failed);
    V<T> square = {};
    for (int l = 0; l < k; l++) {
      V<T> t = at(y, l) - at(mean, l);
      for (int i = 0; i < l; i++) t = nmadd<T>(at(L, tri(l) + i), at(u, i), t);
      t = t / at(L, tri(l) + l);
      set(u, l, t);
      square = madd<T>(t, t, square);
    }
    const V<T> log = nmadd<T>(splat(T(0.5)), square, at(tile, j) - top - sum);
    set(joint, j, log);
    bad += log - log;
    if (!GRADIENT) continue;
    for (int l = k - 1; l >= 0; l--) {
      V<T> t = at(u, l);
      for (int i = l + 1; i < k; i++) t = nmadd<T>(at(L, tri(i) + l), at(mean, i), t);
      set(mean, l, t / at(L, tri(l) + l));
    }
    invert<T>(k, L, inverse);
    for (int l = 0; l < k; l++)
      for (int i = 0; i <= l; i++) {
        const V<T> steep = sech2<T>(exp<T>(T(-2) * abs<T>(at(C, tri(l) + i))));
        const V<T> g = nmadd<T>(at(mean, l), at(mean, i), at(inverse, tri(l) + i));
        set(C, tri(l) + i, (i < l ? g : T(0.5) * g) * steep);
      }
  }
  return bad;
}

// joint[j] = log N(x) and the logit less the largest, but for what is the same for all components. (k = 2, as of pens,
// is spelt out where it is the default mapping: its loops are unrolled, avx2 188 -> 173 ns.)
template <class T, bool GRADIENT> V<T> components(
    Mapping mapping, int m, int k, T floor, V<T> top, T* tile, const T* y, T* e, T* slope, T* u, T* L, T* inverse,
    T* joint, int* failed) {
  switch (mapping) {
    case Mapping::tanhFull:
      return tanhFull<T, GRADIENT>(m, k, top, tile, y, u, L, inverse, joint, failed);
    case Mapping::tanhDiag:
      return gaussians<T, TANH, false>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::cholExp:
      if (k == 2) return gaussians<T, EXP, true>(m, 2, floor, top, tile, y, e, slope, u, joint, failed);
      return gaussians<T, EXP, true>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::cholSoftplus:
      return gaussians<T, SOFTPLUS, true>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::diagExp:
      return gaussians<T, EXP, false>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::diagSoftplus:
      return gaussians<T, SOFTPLUS, false>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    default:
      return correlated<T, GRADIENT>(m, floor, top, tile, y, e, slope, joint, failed);
  }
}

// Σ_b bce(logit[b], y[b]); with GRADIENT logits become sigmoid - y, and dy = -logit
template <class T, bool GRADIENT> INLINE V<T> bernoulli(int q, T* logits, const T* y, T* dy) {
  V<T> sum = {};
  for (int b = 0; b < q; b++) {
    const V<T> r = at(logits, b), value = at(y, b), e = exp<T>(-abs<T>(r));
    sum += nmadd<T>(r, value, pmax<T>(r, V<T>{})) + log1p<T>(e);
    if (GRADIENT) {
      set(logits, b, sigmoid<T>(r, e) - value);
      set(dy, b, -r);
    }
  }
  return sum;
}

// Values become γ times what they are, means -γ times; exactly 0 where γ = 0. Returns a sum of their squares
template <class T> V<T> scaled(int m, int k, int p, T* mean, const T* gammas) {
  T* C = mean + m * k * LANES<T>;
  V<T> squares = {};
  for (int j = 0; j < m; j++, mean += k * LANES<T>, C += p * LANES<T>) {
    const V<T> gamma = at(gammas, j), none = {};
    for (int l = 0; l < k; l++) {
      const V<T> g = whereGreater<T>(gamma, none, -gamma * at(mean, l));
      set(mean, l, g);
      squares = madd<T>(g, g, squares);
    }
    for (int c = 0; c < p; c++) {
      const V<T> g = whereGreater<T>(gamma, none, gamma * at(C, c));
      set(C, c, g);
      squares = madd<T>(g, g, squares);
    }
  }
  return squares;
}
// A tile becomes its gradient: logits π - γ, means -γ a, then the values. dy = Σ_j γ[j] a[j]
template <class T> V<T> gradients(
    Mapping mapping, int m, int k, int p, T floor, V<T> scale, T* tile, const T* e, const T* slope, const T* u,
    const T* gammas, T* dy) {
  T* mean = tile + m * LANES<T>;
  V<T> squares;
  for (int j = 0; j < m; j++) set(tile, j, madd<T>(at(tile, j), scale, -at(gammas, j)));
  switch (mapping) {
    case Mapping::tanhFull:
    case Mapping::graves:
      squares = scaled<T>(m, k, p, mean, gammas);
      break;
    case Mapping::cholExp:
    case Mapping::cholSoftplus: {
      const bool sloped = mapping != Mapping::cholExp || floor > T(-INF);
      squares = k == 2 ? gaussianGradients<T, true>(m, 2, sloped, mean, e, slope, u, gammas)
                       : gaussianGradients<T, true>(m, k, sloped, mean, e, slope, u, gammas);
      break;
    }
    default: {
      const bool sloped = mapping != Mapping::diagExp || floor > T(-INF);
      squares = gaussianGradients<T, false>(m, k, sloped, mean, e, slope, u, gammas);
    }
  }
  for (int l = 0; l < k; l++) {
    V<T> sum = {};
    for (int j = 0; j < m; j++) sum -= at(mean, j * k + l);
    set(dy, l, sum);
  }
  return squares;
}

template <class T> bool finite(int width, const T* values) {
  for (int i = 0; i < width; i++)
    if (!(values[i] - values[i] == 0)) return false;
  return true;
}
// INFO within a row: it is not finite; it failed at a place; or `whole` says that not all of its results are finite
template <class T> int failure(int w, const T* raw, int v, const T* x, int f, int failed, bool whole) {
  if (!finite(w, raw) || !finite(v, x)) return f;
  return failed ? failed : whole ? 0 : f;
}

template <class T, bool GRADIENT> int evaluate(
    int n, int k, int m, int q, int p, int w, int v, int f, Mapping mapping, const T* raw, const T* x, T floor, T* tile,
    T* e, T* slope, int* failed, T* line, T* y, T* u, T* L, T* joint, T* inverse, T* dy, T* logDensity, T* r, T* dRaw,
    T* dx) {
  constexpr int N = LANES<T>;
  if (mapping == Mapping::graves && k != 2) return 1;
  memset(failed, 0, N * sizeof(int));
  const bool streaming = GRADIENT && size_t(n) * w * sizeof(T) > STREAM;
  for (int from = 0; from < n; from += N) {
    const int rows = least(N, n - from);
    transposeIn<T>(rows, w, raw, tile);
    transposeIn<T>(rows, v, x, y);
    if (streaming) fetch(dRaw, rows * w);
    const V<T> top = largest<T>(m, tile);
    V<T> check = components<T, GRADIENT>(mapping, m, k, floor, top, tile, y, e, slope, u, L, inverse, joint, failed);
    const V<T> total = shares<T>(m, top, tile), best = largest<T>(m, joint);
    const V<T> sum = shares<T>(m, best, joint), share = T(1) / sum;
    const V<T> log = best + ISA::log<T>(sum) - ISA::log<T>(total) - T(0.5 * k * LOG_2PI) -
                     bernoulli<T, GRADIENT>(q, tile + (w - q) * N, y + k * N, dy + k * N);
    store(line, log);
    check += log - log;
    for (int j = 0; j < m; j++) set(joint, j, at(joint, j) * share);
    if (GRADIENT) {
      const V<T> squares = gradients<T>(mapping, m, k, p, floor, T(1) / total, tile, e, slope, u, joint, dy);
      check += squares - squares;
      transposeOut<T>(rows, w, tile, dRaw);
      transposeOut<T>(rows, v, dy, dx);
    }
    transposeOut<T>(rows, m, joint, r);
    transposeOut<T>(rows, 1, line, logDensity);
    if (!everyGreater<T>(splat(T(1)), check)) {
      for (int i = 0; i < rows; i++) {
        const bool whole = finite(1, logDensity + i) &&
                           (!GRADIENT || (finite(w, dRaw + size_t(i) * w) && finite(v, dx + size_t(i) * v)));
        const int place = failure(w, raw + size_t(i) * w, v, x + size_t(i) * v, f, failed[i], whole);
        if (place) return (from + i) * m * f + place;
      }
    }
    raw += size_t(N) * w;
    x += size_t(N) * v;
    r += size_t(N) * m;
    logDensity += N;
    if (GRADIENT) {
      dRaw += size_t(N) * w;
      dx += size_t(N) * v;
    }
  }
  return 0;
}
}

template <class T> int forward(
    int n, int k, int m, int q, int p, int w, int v, int f, int mapping, const T* raw, const T* x, const T* floor,
    T* tile, T* e, T* slope, int* failed, T* line, T* y, T* u, T* L, T* joint, T* logDensity, T* r) {
  return evaluate<T, false>(
      n, k, m, q, p, w, v, f, Mapping(mapping), raw, x, *floor, tile, e, slope, failed, line, y, u, L, joint, nullptr,
      y, logDensity, r, nullptr, nullptr);
}

template <class T> int lossGradient(
    int n, int k, int m, int q, int p, int w, int v, int f, int mapping, const T* raw, const T* x, const T* floor,
    T* tile, T* e, T* slope, int* failed, T* line, T* y, T* u, T* L, T* joint, T* inverse, T* dy, T* logDensity, T* r,
    T* dRaw, T* dx) {
  return evaluate<T, true>(
      n, k, m, q, p, w, v, f, Mapping(mapping), raw, x, *floor, tile, e, slope, failed, line, y, u, L, joint, inverse,
      dy, logDensity, r, dRaw, dx);
}

namespace {
// 1/e; infinite where deviations found no smaller e
template <class T> INLINE V<T> deviation(V<T> e) { return T(1) / whereGreater<T>(e, splat(T(2) * NORMAL<T>), e); }
// Values become factors; sums NaN where a component has none
template <class T, int KIND, bool TRIANGLE>
void factors(int m, int k, T* C, T floor, T* e, T* slope, T* sums, int* failed) {
  const int p = TRIANGLE ? tri(k) : k;
  deviations<T, KIND, TRIANGLE>(m, k, p, C, floor, e, slope, sums, failed);
  for (int j = 0; j < m; j++, C += p * LANES<T>)
    for (int l = 0; l < k; l++) set(C, TRIANGLE ? tri(l) + l : l, deviation<T>(at(e, j * k + l)));
}
// [s_x, ρ s_y, s_y √(1-ρ²)]
template <class T> void correlatedFactors(int m, T* C, T floor, T* e, T* slope, T* sums, int* failed) {
  deviations<T, EXP, false>(m, 2, 3, C, floor, e, slope, sums, failed);
  for (int j = 0; j < m; j++, C += 3 * LANES<T>) {
    V<T> r = at(C, 2);
    if (floor > T(-INF)) r = bounded<T>(r, floor) * (T(LN2) - floor);
    const V<T> q = exp<T>(-abs<T>(r)), most = splat(T(0.5) * LIMIT<T>), sy = deviation<T>(at(e, 2 * j + 1));
    if (!everyGreater<T>(most, abs<T>(r))) set(sums, j, note<T>(most, abs<T>(r), j * 3 + 2, failed));
    set(C, 0, deviation<T>(at(e, 2 * j)));
    set(C, 1, tanh<T>(r) * sy);
    set(C, 2, T(2) * q / madd<T>(q, q, splat(T(1))) * sy);
  }
}
template <class T> void allFactors(Mapping mapping, int m, int k, T* C, T floor, T* e, T* slope, T* sums, int* failed) {
  switch (mapping) {
    case Mapping::tanhFull:
      for (int j = 0; j < m; j++, C += tri(k) * LANES<T>) set(sums, j, factor<T>(k, C, C, j * (k + 1) + 1, failed));
      return;
    case Mapping::tanhDiag:
      return factors<T, TANH, false>(m, k, C, floor, e, slope, sums, failed);
    case Mapping::cholExp:
      return factors<T, EXP, true>(m, k, C, floor, e, slope, sums, failed);
    case Mapping::cholSoftplus:
      return factors<T, SOFTPLUS, true>(m, k, C, floor, e, slope, sums, failed);
    case Mapping::diagExp:
      return factors<T, EXP, false>(m, k, C, floor, e, slope, sums, failed);
    case Mapping::diagSoftplus:
      return factors<T, SOFTPLUS, false>(m, k, C, floor, e, slope, sums, failed);
    default:
      return correlatedFactors<T>(m, C, floor, e, slope, sums, failed);
  }
}
// 0, NaN in lanes where one of the lines is not finite
template <class T> V<T> differences(int count, const T* lines) {
  V<T> sum = {};
  for (int j = 0; j < count; j++) sum += at(lines, j) - at(lines, j);
  return sum;
}
}

template <class T> int distribution(
    int n, int k, int m, int q, int p, int w, int, int f, int mapping, const T* raw, const T* floor, T* tile, T* e,
    T* slope, int* failed, T* sums, T* weights, T* L, T* probabilities) {
  constexpr int N = LANES<T>;
  if (Mapping(mapping) == Mapping::graves && k != 2) return 1;
  memset(failed, 0, N * sizeof(int));
  T *C = tile + (m + m * k) * N, *logits = C + m * p * N;
  for (int from = 0; from < n; from += N) {
    const int rows = least(N, n - from);
    transposeIn<T>(rows, w, raw, tile);
    V<T> check = differences<T>(w, tile);
    const V<T> total = shares<T>(m, largest<T>(m, tile), tile), scale = T(1) / total;
    for (int j = 0; j < m; j++) {
      set(tile, j, at(tile, j) * scale);
      set(sums, j, V<T>{});
    }
    allFactors<T>(Mapping(mapping), m, k, C, *floor, e, slope, sums, failed);
    check += differences<T>(m, sums);
    for (int b = 0; b < q; b++) {
      const V<T> r = at(logits, b);
      set(logits, b, sigmoid<T>(r, exp<T>(-abs<T>(r))));
    }
    check += differences<T>(w, tile);
    transposeOut<T>(rows, m, tile, weights);
    transposeOut<T>(rows, m * p, C, L);
    transposeOut<T>(rows, q, logits, probabilities);
    if (!everyGreater<T>(splat(T(1)), check))
      for (int i = 0; i < rows; i++) {
        const bool whole = finite(m * p, L + size_t(i) * m * p);  // weights and probabilities are
        const int place = failure(w, raw + size_t(i) * w, 0, raw, f, failed[i], whole);
        if (place) return (from + i) * m * f + place;
      }
    raw += size_t(N) * w;
    weights += size_t(N) * m;
    L += size_t(N) * m * p;
    probabilities += size_t(N) * q;
  }
  return 0;
}
}
INSTANTIATE_DENSITY
