// Mixture densities, each from a row of raw numbers; rows in lanes. docs/math/density.md. Twin: assembly/density.ts
// Map: deviations (raw values -> 1/s, Σ log s); per mapping the log densities of a tile (gaussians, correlated,
// tanhFull) and their gradients; bernoulli; evaluate (one tile after another), then forward and lossGradient; factors
// of the covariances, then distribution.
#include "kernels/density.h"
#include "linalg.h"
namespace ISA::density {
namespace {
constexpr double LOG_2PI = 1.8378770664093453;
constexpr double NEGLIGIBLE = 8.673617379884035e-19;  // 2^-60 of the largest of a row
constexpr size_t STREAM = 1 << 22;                    // bytes: more does not stay in the caches
enum { EXP, SOFTPLUS, TANH };                         // how raw values become standard deviations

// Records `place` for the lanes where !(a > b), unless they failed before. Returns NaN in these lanes, 0 in the others
template <class T> V<T> recordFailure(V<T> a, V<T> b, int place, int* failed) {
  for (int i = 0; i < LANES<T>; i++)
    if (!(a[i] > b[i]) && !failed[i]) failed[i] = place;
  return whereNotGreater<T>(a, b, splat(T(__builtin_nan(""))));
}

// The largest of k lines. (A NaN among them may be missed.)
template <class T> INLINE V<T> largest(int k, const T* lines) {
  V<T> top = splat(T(-INF));
  for (int j = 0; j < k; j++) top = pmax<T>(top, at(lines, j));
  return top;
}
// t becomes exp(t - top), or 0 where that is negligible; their sum
template <class T> INLINE V<T> shares(int k, V<T> top, T* lines) {
  V<T> sum = {};
  exponentials<T>(k, top, splat(T(NEGLIGIBLE)), lines);
  for (int j = 0; j < k; j++) sum += at(lines, j);
  return sum;
}

// Distance from value l of a diagonal to the next, in a packed triangle or by itself
template <class T, bool TRIANGLE> INLINE int toNext(int l) { return (TRIANGLE ? l + 2 : 1) * LANES<T>; }
// e = 1/s and slope = ∂log s/∂raw for k d standard deviations s; sums[j] = Σ_l log s, NaN where one of them is not > 0
// (or not a normal number). The raw values of a component are the first d of its lines, or the diagonal of a packed
// triangle. With a floor, r counts as floor + softplus(r - floor), which is left in its place.
template <class T, int KIND, bool TRIANGLE>
INLINE void deviations(int k, int d, int values, T* raw, T floor, T* e, T* slope, T* sums, int* failed) {
  const bool floored = KIND != TANH && floor > T(-INF);
  if (floored) {
    for (int j = 0; j < k; j++) {
      const T* value = raw + j * values * LANES<T>;
      for (int l = 0; l < d; value += toNext<T, TRIANGLE>(l++)) set(e, j * d + l, -abs<T>(load(value) - floor));
    }
    exponentials<T>(k * d, V<T>{}, V<T>{}, e);
    for (int j = 0; j < k; j++) {
      T* value = raw + j * values * LANES<T>;
      for (int l = 0; l < d; value += toNext<T, TRIANGLE>(l++)) {
        const V<T> t = load(value) - floor, h = at(e, j * d + l);
        set(slope, j * d + l, sigmoid<T>(t, h));
        store(value, softplus<T>(t, h) + floor + (t - t));  // -infinity would pass unnoticed
      }
    }
  }
  for (int j = 0; j < k; j++) {
    const T* value = raw + j * values * LANES<T>;
    V<T> sum = {};
    for (int l = 0; l < d; value += toNext<T, TRIANGLE>(l++)) {
      const V<T> r = load(value);
      V<T> size = r, least = splat(-K<T>::limit);
      if (KIND == EXP) {
        set(e, j * d + l, -pmax<T>(r, least));
        sum += r;
      } else if (KIND == SOFTPLUS) set(e, j * d + l, -abs<T>(r));
      else {
        size = tanh<T>(r);
        least = splat(K<T>::normal);
        set(e, j * d + l, T(-2) * abs<T>(r));
        sum += madd<T>(splat(T(0.5)), log<T>(size), r - r);
      }
      if (!everyGreater<T>(size, least)) sum += recordFailure<T>(size, least, j * (d + 1) + l + 1, failed);
    }
    set(sums, j, sum);
  }
  exponentials<T>(k * d, V<T>{}, V<T>{}, e);
  if (KIND == EXP) return;
  for (int j = 0; j < k; j++) {
    const T* value = raw + j * values * LANES<T>;
    V<T> sum = {};
    for (int l = 0; l < d; value += toNext<T, TRIANGLE>(l++)) {
      const V<T> r = load(value), h = at(e, j * d + l);
      if (KIND == SOFTPLUS) {
        const V<T> sd = softplus<T>(r, h), steep = sigmoid<T>(r, h) / sd;
        set(e, j * d + l, T(1) / sd);
        set(slope, j * d + l, floored ? at(slope, j * d + l) * steep : steep);
        sum += log<T>(sd);
      } else {
        const V<T> variance = tanh<T>(r);
        set(e, j * d + l, T(1) / sqrt<T>(variance));
        set(slope, j * d + l, T(0.5) * sech2<T>(h) / variance);
      }
    }
    set(sums, j, at(sums, j) + sum);
  }
}

// joint[j] = r[j] - top - Σ log L[l,l] - ½|u|²,  u = L⁻¹(x - μ);  L from deviations and, with TRIANGLE, from the values
// below the diagonal. Returns 0, NaN where a component has no finite density. Components go in pairs, as one alone
// waits at every step for the one before (avx2, d=8 k=10: 460 -> 404 ns; the values a step needs of the two before it
// stay in registers); the last of an odd number is paired with itself.
template <class T, int KIND, bool TRIANGLE> INLINE V<T> gaussians(
    int k, int d, T floor, V<T> top, T* tile, const T* y, T* e, T* slope, T* u, T* joint, int* failed) {
  const int values = TRIANGLE ? tri(d) : d, dLines = d * LANES<T>, valueLines = values * LANES<T>;
  T *mean = tile + k * LANES<T>, *L = mean + k * dLines;
  V<T> bad = {};
  deviations<T, KIND, TRIANGLE>(k, d, values, L, floor, e, slope, joint, failed);
  for (int j = 0; j < k; j += 2) {
    const int next = j + 1 < k;
    const T *row[] = {L, L + next * valueLines}, *means[] = {mean, mean + next * dLines},
            *es[] = {e, e + next * dLines};
    T* us[] = {u, u + next * dLines};
    V<T> square[2] = {}, last[2] = {}, before[2] = {}, t[2], log[2];
    for (int l = 0; l < d; l++) {
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
    mean += 2 * dLines;
    e += 2 * dLines;
    u += 2 * dLines;
    L += 2 * valueLines;
  }
  return bad;
}
// γ times the gradient of -log N: means become -γ a, a = L⁻ᵀu, values below the diagonal -γ a uᵀ, those on it
// γ slope (1 - u[l] a[l] L[l,l]); all are exactly 0 where γ = 0. Returns a sum of squares that is finite only if all of
// this is: entries below the diagonal are products of two numbers whose squares are finite. Components go in pairs
// again.
template <class T, bool TRIANGLE> INLINE V<T> gaussianGradients(
    int k, int d, bool sloped, T* mean, const T* e, const T* slope, const T* u, const T* gammas) {
  const int values = TRIANGLE ? tri(d) : d, dLines = d * LANES<T>, valueLines = values * LANES<T>;
  T* L = mean + k * dLines;
  V<T> squares = {};
  const V<T> none = {};
  for (int j = 0; j < k; j += 2) {
    const int next = j + 1 < k;
    const T *es[] = {e, e + next * dLines}, *us[] = {u, u + next * dLines}, *slopes[] = {slope, slope + next * dLines};
    T *means[] = {mean, mean + next * dLines}, *Ls[] = {L, L + next * valueLines};
    const V<T> gamma[] = {at(gammas, j), at(gammas, j + next)};
    V<T> last[2] = {}, before[2] = {}, t[2], z[2];
    for (int l = d - 1; l >= 0; l--) {
      EACH(c, 2) t[c] = whereGreater<T>(gamma[c], none, -gamma[c] * at(us[c], l));  // -γ a[l] L[l,l]
      int value = TRIANGLE ? tri(d - 1) + l : l;
      if (TRIANGLE) {  // up column l, to the diagonal
        for (int i = d - 1; i > l + 2; value -= i--)
          EACH(c, 2) t[c] = nmadd<T>(at(Ls[c], value), at(means[c], i), t[c]);
        if (l < d - 2) {
          EACH(c, 2) t[c] = nmadd<T>(at(Ls[c], value), before[c], t[c]);
          value -= l + 2;
        }
        if (l < d - 1) {
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
      for (int l = 1, row = 1; l < d; row += ++l)
        for (int i = 0; i < l; i++)
          EACH(c, 2) set(Ls[c], row + i, whereGreater<T>(gamma[c], none, at(means[c], l) * at(us[c], i)));
    mean += 2 * dLines;
    e += 2 * dLines;
    slope += 2 * dLines;
    u += 2 * dLines;
    L += 2 * valueLines;
  }
  return squares;
}

// tanh(r/R), R = log 2 - floor: with a floor, r of a correlation counts as R times that. √(1-ρ²) > e^floor/(1 +
// ¼e^2floor)
template <class T> INLINE V<T> bounded(V<T> r, T floor) { return tanh<T>(r / splat(T(LN2) - floor)); }
// The same for two coordinates and values [log s_x, log s_y, atanh ρ] (Graves 2013), which become their derivatives.
// With h = e^(-2|r|): 1 - |ρ| = 2h/(1+h), 1 - ρ² = 4h/(1+h)²; nothing cancels where ρ rounds to 1.
template <class T, bool GRADIENT>
V<T> correlated(int k, T floor, V<T> top, T* tile, const T* y, T* e, T* slope, T* joint, int* failed) {
  const bool floored = floor > T(-INF);
  T *mean = tile + k * LANES<T>, *C = mean + k * 2 * LANES<T>;
  V<T> bad = {};
  deviations<T, EXP, false>(k, 2, 3, C, floor, e, slope, joint, failed);
  for (int j = 0; j < k; j++) {
    V<T> r = at(C, 2), t = floored ? bounded<T>(r, floor) : V<T>{}, sum = at(joint, j) + (r - r);
    if (floored) r = t * (T(LN2) - floor);
    const V<T> h = exp<T>(T(-2) * abs<T>(r)), most = splat(T(0.5) * K<T>::limit);
    if (!everyGreater<T>(most, abs<T>(r))) sum += recordFailure<T>(most, abs<T>(r), j * 3 + 2, failed);
    const V<T> one = h + T(1), over = one * one / (T(4) * h), rest = withSign<T>(T(2) * h / one, r);
    const V<T> half = T(LN2) - abs<T>(r) - log1p<T>(h);  // ½ log(1 - ρ²)
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
template <class T> V<T> factor(int d, const T* C, T* L, int place, int* failed) {
  V<T> sum = {};
  for (int i = 0; i < d; i++)
    for (int j = 0; j <= i; j++) {
      const V<T> r = at(C, tri(i) + j);
      V<T> s = tanh<T>(r);
      sum += r - r;  // infinity would pass unnoticed
      for (int p = 0; p < j; p++) s = nmadd<T>(at(L, tri(i) + p), at(L, tri(j) + p), s);
      if (j < i) {
        set(L, tri(i) + j, s / at(L, tri(j) + j));
        continue;
      }
      const V<T> least = splat(K<T>::normal);
      if (!everyGreater<T>(s, least)) sum += recordFailure<T>(s, least, place + i, failed);
      sum = madd<T>(splat(T(0.5)), log<T>(s), sum);
      set(L, tri(i) + i, sqrt<T>(s));
    }
  return sum;
}
// Lower triangle of (L Lᵀ)⁻¹ = WᵀW with W = L⁻¹, in the place of W
template <class T> void invert(int d, const T* L, T* W) {
  for (int j = 0; j < d; j++)
    for (int i = j; i < d; i++) {
      V<T> s = splat(T(i == j));
      for (int p = j; p < i; p++) s = nmadd<T>(at(L, tri(i) + p), at(W, tri(p) + j), s);
      set(W, tri(i) + j, s / at(L, tri(i) + i));
    }
  for (int i = 0; i < d; i++)
    for (int j = 0; j <= i; j++) {
      V<T> s = {};
      for (int p = i; p < d; p++) s = madd<T>(at(W, tri(p) + i), at(W, tri(p) + j), s);
      set(W, tri(i) + j, s);
    }
}
// The same for Σ = tanh of the values, entry by entry; the values become ½ (2 - δ) (Σ⁻¹ - a aᵀ) sech²
template <class T, bool GRADIENT>
V<T> tanhFull(int k, int d, V<T> top, T* tile, const T* y, T* u, T* L, T* inverse, T* joint, int* failed) {
  T *mean = tile + k * LANES<T>, *C = mean + k * d * LANES<T>;
  V<T> bad = {};
  for (int j = 0; j < k; j++, mean += d * LANES<T>, C += tri(d) * LANES<T>) {
    const V<T> sum = factor<T>(d, C, L, j * (d + 1) + 1, failed);
    V<T> square = {};
    for (int l = 0; l < d; l++) {
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
    for (int l = d - 1; l >= 0; l--) {
      V<T> t = at(u, l);
      for (int i = l + 1; i < d; i++) t = nmadd<T>(at(L, tri(i) + l), at(mean, i), t);
      set(mean, l, t / at(L, tri(l) + l));
    }
    invert<T>(d, L, inverse);
    for (int l = 0; l < d; l++)
      for (int i = 0; i <= l; i++) {
        const V<T> steep = sech2<T>(exp<T>(T(-2) * abs<T>(at(C, tri(l) + i))));
        const V<T> g = nmadd<T>(at(mean, l), at(mean, i), at(inverse, tri(l) + i));
        set(C, tri(l) + i, (i < l ? g : T(0.5) * g) * steep);
      }
  }
  return bad;
}

// joint[j] = log N(x) + the logit less the largest, but for the terms all components share. (d = 2, as for pens, is
// spelt out in the default mapping: its loops are unrolled, avx2 188 -> 173 ns.)
template <class T, bool GRADIENT> V<T> components(
    Mapping mapping, int k, int d, T floor, V<T> top, T* tile, const T* y, T* e, T* slope, T* u, T* L, T* inverse,
    T* joint, int* failed) {
  switch (mapping) {
    case Mapping::tanhFull:
      return tanhFull<T, GRADIENT>(k, d, top, tile, y, u, L, inverse, joint, failed);
    case Mapping::tanhDiag:
      return gaussians<T, TANH, false>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::cholExp:
      if (d == 2) return gaussians<T, EXP, true>(k, 2, floor, top, tile, y, e, slope, u, joint, failed);
      return gaussians<T, EXP, true>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::cholSoftplus:
      return gaussians<T, SOFTPLUS, true>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::diagExp:
      return gaussians<T, EXP, false>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::diagSoftplus:
      return gaussians<T, SOFTPLUS, false>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    default:
      return correlated<T, GRADIENT>(k, floor, top, tile, y, e, slope, joint, failed);
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

// Multiplies values by γ and means by -γ: exactly 0 where γ = 0. Returns the sum of their squares
template <class T> V<T> scaled(int k, int d, int values, T* mean, const T* gammas) {
  T* C = mean + k * d * LANES<T>;
  V<T> squares = {};
  for (int j = 0; j < k; j++, mean += d * LANES<T>, C += values * LANES<T>) {
    const V<T> gamma = at(gammas, j), none = {};
    for (int l = 0; l < d; l++) {
      const V<T> g = whereGreater<T>(gamma, none, -gamma * at(mean, l));
      set(mean, l, g);
      squares = madd<T>(g, g, squares);
    }
    for (int c = 0; c < values; c++) {
      const V<T> g = whereGreater<T>(gamma, none, gamma * at(C, c));
      set(C, c, g);
      squares = madd<T>(g, g, squares);
    }
  }
  return squares;
}
// A tile becomes its gradient: logits π - γ, means -γ a, then the values. dy = Σ_j γ[j] a[j]
template <class T> V<T> gradients(
    Mapping mapping, int k, int d, int values, T floor, V<T> scale, T* tile, const T* e, const T* slope, const T* u,
    const T* gammas, T* dy) {
  T* mean = tile + k * LANES<T>;
  V<T> squares;
  for (int j = 0; j < k; j++) set(tile, j, madd<T>(at(tile, j), scale, -at(gammas, j)));
  switch (mapping) {
    case Mapping::tanhFull:
    case Mapping::graves:
      squares = scaled<T>(k, d, values, mean, gammas);
      break;
    case Mapping::cholExp:
    case Mapping::cholSoftplus: {
      const bool sloped = mapping != Mapping::cholExp || floor > T(-INF);
      squares = d == 2 ? gaussianGradients<T, true>(k, 2, sloped, mean, e, slope, u, gammas)
                       : gaussianGradients<T, true>(k, d, sloped, mean, e, slope, u, gammas);
      break;
    }
    default: {
      const bool sloped = mapping != Mapping::diagExp || floor > T(-INF);
      squares = gaussianGradients<T, false>(k, d, sloped, mean, e, slope, u, gammas);
    }
  }
  for (int l = 0; l < d; l++) {
    V<T> sum = {};
    for (int j = 0; j < k; j++) sum -= at(mean, j * d + l);
    set(dy, l, sum);
  }
  return squares;
}

template <class T> bool finite(int width, const T* values) {
  for (int i = 0; i < width; i++)
    if (!(values[i] - values[i] == 0)) return false;
  return true;
}
// INFO within a row: where it failed, or `pivots` if it is not finite or its results are not (`whole`)
template <class T>
int failure(int outputs, const T* raw, int observed, const T* x, int pivots, int failed, bool whole) {
  if (!finite(outputs, raw) || !finite(observed, x)) return pivots;
  return failed ? failed : whole ? 0 : pivots;
}

template <class T, bool GRADIENT> int evaluate(
    int n, int d, int k, int q, int values, int outputs, int observed, int pivots, Mapping mapping, const T* raw,
    const T* x, T floor, T* tile, T* e, T* slope, int* failed, T* line, T* y, T* u, T* L, T* joint, T* inverse, T* dy,
    T* logDensity, T* r, T* dRaw, T* dx) {
  constexpr int N = LANES<T>;
  if (mapping == Mapping::graves && d != 2) return 1;
  memset(failed, 0, N * sizeof(int));
  const bool streaming = GRADIENT && size_t(n) * outputs * sizeof(T) > STREAM;
  for (int from = 0; from < n; from += N) {
    const int rows = least(N, n - from);
    transposeIn<T>(rows, outputs, raw, tile);
    transposeIn<T>(rows, observed, x, y);
    if (streaming) fetch(dRaw, rows * outputs);
    const V<T> top = largest<T>(k, tile);
    V<T> check = components<T, GRADIENT>(mapping, k, d, floor, top, tile, y, e, slope, u, L, inverse, joint, failed);
    const V<T> total = shares<T>(k, top, tile), best = largest<T>(k, joint);
    const V<T> sum = shares<T>(k, best, joint), share = T(1) / sum;
    const V<T> log = best + ISA::log<T>(sum) - ISA::log<T>(total) - T(0.5 * d * LOG_2PI) -
                     bernoulli<T, GRADIENT>(q, tile + (outputs - q) * N, y + d * N, dy + d * N);
    store(line, log);
    check += log - log;
    for (int j = 0; j < k; j++) set(joint, j, at(joint, j) * share);
    if (GRADIENT) {
      const V<T> squares = gradients<T>(mapping, k, d, values, floor, T(1) / total, tile, e, slope, u, joint, dy);
      check += squares - squares;
      transposeOut<T>(rows, outputs, tile, dRaw);
      transposeOut<T>(rows, observed, dy, dx);
    }
    transposeOut<T>(rows, k, joint, r);
    transposeOut<T>(rows, 1, line, logDensity);
    if (!everyGreater<T>(splat(T(1)), check)) {
      for (int i = 0; i < rows; i++) {
        const bool whole =
            finite(1, logDensity + i) &&
            (!GRADIENT || (finite(outputs, dRaw + size_t(i) * outputs) && finite(observed, dx + size_t(i) * observed)));
        const int place =
            failure(outputs, raw + size_t(i) * outputs, observed, x + size_t(i) * observed, pivots, failed[i], whole);
        if (place) return (from + i) * k * pivots + place;
      }
    }
    raw += size_t(N) * outputs;
    x += size_t(N) * observed;
    r += size_t(N) * k;
    logDensity += N;
    if (GRADIENT) {
      dRaw += size_t(N) * outputs;
      dx += size_t(N) * observed;
    }
  }
  return 0;
}
}

template <class T> int forward(
    int n, int d, int k, int q, int values, int outputs, int observed, int pivots, int mapping, const T* raw,
    const T* x, const T* floor, T* tile, T* e, T* slope, int* failed, T* line, T* y, T* u, T* L, T* joint,
    T* logDensity, T* r) {
  return evaluate<T, false>(
      n, d, k, q, values, outputs, observed, pivots, Mapping(mapping), raw, x, *floor, tile, e, slope, failed, line, y,
      u, L, joint, nullptr, y, logDensity, r, nullptr, nullptr);
}

template <class T> int lossGradient(
    int n, int d, int k, int q, int values, int outputs, int observed, int pivots, int mapping, const T* raw,
    const T* x, const T* floor, T* tile, T* e, T* slope, int* failed, T* line, T* y, T* u, T* L, T* joint, T* inverse,
    T* dy, T* logDensity, T* r, T* dRaw, T* dx) {
  return evaluate<T, true>(
      n, d, k, q, values, outputs, observed, pivots, Mapping(mapping), raw, x, *floor, tile, e, slope, failed, line, y,
      u, L, joint, inverse, dy, logDensity, r, dRaw, dx);
}

namespace {
// 1/e; infinite where deviations found no smaller e
template <class T> INLINE V<T> deviation(V<T> e) { return T(1) / whereGreater<T>(e, splat(T(2) * K<T>::normal), e); }
// Values become factors; sums NaN where a component has none
template <class T, int KIND, bool TRIANGLE>
void factors(int k, int d, T* C, T floor, T* e, T* slope, T* sums, int* failed) {
  const int values = TRIANGLE ? tri(d) : d;
  deviations<T, KIND, TRIANGLE>(k, d, values, C, floor, e, slope, sums, failed);
  for (int j = 0; j < k; j++, C += values * LANES<T>)
    for (int l = 0; l < d; l++) set(C, TRIANGLE ? tri(l) + l : l, deviation<T>(at(e, j * d + l)));
}
// [s_x, ρ s_y, s_y √(1-ρ²)]
template <class T> void correlatedFactors(int k, T* C, T floor, T* e, T* slope, T* sums, int* failed) {
  deviations<T, EXP, false>(k, 2, 3, C, floor, e, slope, sums, failed);
  for (int j = 0; j < k; j++, C += 3 * LANES<T>) {
    V<T> r = at(C, 2);
    if (floor > T(-INF)) r = bounded<T>(r, floor) * (T(LN2) - floor);
    const V<T> h = exp<T>(-abs<T>(r)), most = splat(T(0.5) * K<T>::limit), sy = deviation<T>(at(e, 2 * j + 1));
    if (!everyGreater<T>(most, abs<T>(r))) set(sums, j, recordFailure<T>(most, abs<T>(r), j * 3 + 2, failed));
    set(C, 0, deviation<T>(at(e, 2 * j)));
    set(C, 1, tanh<T>(r) * sy);
    set(C, 2, T(2) * h / madd<T>(h, h, splat(T(1))) * sy);
  }
}
template <class T> void allFactors(Mapping mapping, int k, int d, T* C, T floor, T* e, T* slope, T* sums, int* failed) {
  switch (mapping) {
    case Mapping::tanhFull:
      for (int j = 0; j < k; j++, C += tri(d) * LANES<T>) set(sums, j, factor<T>(d, C, C, j * (d + 1) + 1, failed));
      return;
    case Mapping::tanhDiag:
      return factors<T, TANH, false>(k, d, C, floor, e, slope, sums, failed);
    case Mapping::cholExp:
      return factors<T, EXP, true>(k, d, C, floor, e, slope, sums, failed);
    case Mapping::cholSoftplus:
      return factors<T, SOFTPLUS, true>(k, d, C, floor, e, slope, sums, failed);
    case Mapping::diagExp:
      return factors<T, EXP, false>(k, d, C, floor, e, slope, sums, failed);
    case Mapping::diagSoftplus:
      return factors<T, SOFTPLUS, false>(k, d, C, floor, e, slope, sums, failed);
    default:
      return correlatedFactors<T>(k, C, floor, e, slope, sums, failed);
  }
}
// NaN in the lanes where one of the lines is not finite, else 0
template <class T> V<T> differences(int count, const T* lines) {
  V<T> sum = {};
  for (int j = 0; j < count; j++) sum += at(lines, j) - at(lines, j);
  return sum;
}
}

template <class T> int distribution(
    int n, int d, int k, int q, int values, int outputs, int /*observed*/, int pivots, int mapping, const T* raw,
    const T* floor, T* tile, T* e, T* slope, int* failed, T* sums, T* weights, T* L, T* probabilities) {
  constexpr int N = LANES<T>;
  if (Mapping(mapping) == Mapping::graves && d != 2) return 1;
  memset(failed, 0, N * sizeof(int));
  T *C = tile + (k + k * d) * N, *logits = C + k * values * N;
  for (int from = 0; from < n; from += N) {
    const int rows = least(N, n - from);
    transposeIn<T>(rows, outputs, raw, tile);
    V<T> check = differences<T>(outputs, tile);
    const V<T> total = shares<T>(k, largest<T>(k, tile), tile), scale = T(1) / total;
    for (int j = 0; j < k; j++) {
      set(tile, j, at(tile, j) * scale);
      set(sums, j, V<T>{});
    }
    allFactors<T>(Mapping(mapping), k, d, C, *floor, e, slope, sums, failed);
    check += differences<T>(k, sums);
    for (int b = 0; b < q; b++) {
      const V<T> r = at(logits, b);
      set(logits, b, sigmoid<T>(r, exp<T>(-abs<T>(r))));
    }
    check += differences<T>(outputs, tile);
    transposeOut<T>(rows, k, tile, weights);
    transposeOut<T>(rows, k * values, C, L);
    transposeOut<T>(rows, q, logits, probabilities);
    if (!everyGreater<T>(splat(T(1)), check))
      for (int i = 0; i < rows; i++) {
        const bool whole = finite(k * values, L + size_t(i) * k * values);  // weights and probabilities are
        const int place = failure(outputs, raw + size_t(i) * outputs, 0, raw, pivots, failed[i], whole);
        if (place) return (from + i) * k * pivots + place;
      }
    raw += size_t(N) * outputs;
    weights += size_t(N) * k;
    L += size_t(N) * k * values;
    probabilities += size_t(N) * q;
  }
  return 0;
}
}
INSTANTIATE_DENSITY
