// Mixture densities, each from a row of raw numbers; rows in lanes. docs/math.md § density. Twin: assembly/density.ts
#include "kernels/density.h"
#include "linalg.h"
namespace ISA::density {
namespace {
constexpr double LOG_2PI = 1.8378770664093453;
constexpr double NEGLIGIBLE = -41.58883083359672;  // 60 log 2, below the largest of a row
enum { EXP, SOFTPLUS, TANH };                      // what makes standard deviations of raw values

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
template <class T> INLINE V<T> exponentials(int m, V<T> top, T* lines) {
  V<T> sum = {};
  for (int j = 0; j < m; j++) {
    const V<T> t = at(lines, j) - top, e = whereGreater<T>(t, splat(T(NEGLIGIBLE)), exp<T>(t));
    set(lines, j, e);
    sum += e;
  }
  return sum;
}

// Of k standard deviations s: e = 1/s, slope = d log s / d raw; returns Σ log s, NaN where one of them is not > 0 (or
// not a normal number). Raw values are k lines, or the diagonal of a packed triangle. A value below `floor` counts as
// floor + softplus(r - floor).
template <class T, int KIND, bool TRIANGLE>
INLINE V<T> deviations(int k, const T* raw, T floor, int place, T* e, T* slope, int* failed) {
  V<T> sum = {};
  for (int l = 0; l < k; l++) {
    V<T> r = at(raw, TRIANGLE ? tri(l) + l : l), s = splat(T(1)), least = splat(-LIMIT<T>), size = r;
    if (KIND != TANH && floor > T(-INF)) {
      const V<T> t = r - floor, q = exp<T>(-abs<T>(t));
      sum += t - t;  // -infinity would pass unnoticed
      r = softplus<T>(t, q) + floor;
      s = sigmoid<T>(t, q);
      size = r;
    }
    if (KIND == EXP) {
      set(e, l, exp<T>(-pmax<T>(r, least)));
      sum += r;
    } else if (KIND == SOFTPLUS) {
      const V<T> q = exp<T>(-abs<T>(r)), sd = softplus<T>(r, q);
      set(e, l, T(1) / sd);
      s *= sigmoid<T>(r, q) / sd;
      sum += log<T>(sd);
    } else {
      const V<T> q = exp<T>(T(-2) * abs<T>(r)), variance = tanh<T>(r);
      set(e, l, T(1) / sqrt<T>(variance));
      s = T(0.5) * sech2<T>(q) / variance;
      sum += madd<T>(splat(T(0.5)), log<T>(variance), r - r);
      size = variance;
      least = splat(NORMAL<T>);
    }
    set(slope, l, s);
    if (!everyGreater<T>(size, least)) sum += note<T>(size, least, place + l, failed);
  }
  return sum;
}

// joint[j] = r[j] - top - Σ log L[l,l] - ½|u|²,  u = L⁻¹(x - μ);  L from deviations and, with TRIANGLE, from the values
// below the diagonal. With GRADIENT, of -log N: means become a = L⁻ᵀu, diagonal values slope (1 - u[l] a[l] L[l,l]).
// Returns 0, NaN where a component has no finite density
template <class T, int KIND, bool TRIANGLE, bool GRADIENT>
V<T> gaussians(int m, int k, T floor, V<T> top, T* tile, const T* y, T* e, T* slope, T* u, T* joint, int* failed) {
  T *mean = tile + m * LANES<T>, *L = mean + m * k * LANES<T>;
  V<T> bad = {};
  for (int j = 0; j < m; j++) {
    const V<T> sum = deviations<T, KIND, TRIANGLE>(k, L, floor, j * (k + 1) + 1, e, slope, failed);
    V<T> square = {};
    for (int l = 0; l < k; l++) {
      V<T> t = at(y, l) - at(mean, l);
      if (TRIANGLE)
        for (int i = 0; i < l; i++) t = nmadd<T>(at(L, tri(l) + i), at(u, i), t);
      t *= at(e, l);
      set(u, l, t);
      square = madd<T>(t, t, square);
    }
    const V<T> log = nmadd<T>(splat(T(0.5)), square, at(tile, j) - top - sum);
    set(joint, j, log);
    bad += log - log;
    if (GRADIENT) {
      for (int l = k - 1; l >= 0; l--) {
        V<T> t = at(u, l);
        if (TRIANGLE)
          for (int i = l + 1; i < k; i++) t = nmadd<T>(at(L, tri(i) + l), at(mean, i), t);
        set(mean, l, t * at(e, l));
        set(L, TRIANGLE ? tri(l) + l : l, at(slope, l) * nmadd<T>(at(u, l), t, splat(T(1))));
      }
      u += k * LANES<T>;
    }
    mean += k * LANES<T>;
    L += (TRIANGLE ? tri(k) : k) * LANES<T>;
  }
  return bad;
}

// With a floor, r of a correlation counts as R tanh(r/R), R = log 2 - floor: then s √(1-ρ²) is above it, too. tanh(r/R)
template <class T> INLINE V<T> bounded(V<T> r, T floor) { return tanh<T>(r / splat(T(LN2) - floor)); }
// The same for two coordinates and [log s_x, log s_y, atanh ρ] (Graves 2013); values become their derivatives.
// With q = e^(-2|r|): 1 - |ρ| = 2q/(1+q), 1 - ρ² = 4q/(1+q)²; nothing cancels where ρ rounds to 1.
template <class T, bool GRADIENT>
V<T> correlated(int m, T floor, V<T> top, T* tile, const T* y, T* e, T* slope, T* joint, int* failed) {
  T *mean = tile + m * LANES<T>, *C = mean + m * 2 * LANES<T>;
  V<T> bad = {};
  for (int j = 0; j < m; j++, mean += 2 * LANES<T>, C += 3 * LANES<T>) {
    V<T> sum = deviations<T, EXP, false>(2, C, floor, j * 3 + 1, e, slope, failed);
    V<T> r = at(C, 2), steep = splat(T(1));
    if (floor > T(-INF)) {
      const V<T> t = bounded<T>(r, floor);
      sum += r - r;  // infinity would pass unnoticed
      r = t * (T(LN2) - floor);
      steep = nmadd<T>(t, t, steep);
    }
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
      set(C, 0, at(slope, 0) * nmadd<T>(u, a, splat(T(1))));
      set(C, 1, at(slope, 1) * nmadd<T>(v, b, splat(T(1))));
      set(C, 2, -steep * madd<T>(w, a, tanh<T>(r)));
    }
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

template <class T, bool GRADIENT> V<T> components(
    Mapping mapping, int m, int k, T floor, V<T> top, T* tile, const T* y, T* e, T* slope, T* u, T* L, T* inverse,
    T* joint, int* failed) {
  switch (mapping) {
    case Mapping::tanhFull:
      return tanhFull<T, GRADIENT>(m, k, top, tile, y, u, L, inverse, joint, failed);
    case Mapping::tanhDiag:
      return gaussians<T, TANH, false, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::cholExp:
      return gaussians<T, EXP, true, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::cholSoftplus:
      return gaussians<T, SOFTPLUS, true, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::diagExp:
      return gaussians<T, EXP, false, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping::diagSoftplus:
      return gaussians<T, SOFTPLUS, false, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
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

// joint becomes γ; the values of a tile times γ are the gradient: logits π - γ, means -γ a, L below its diagonal -γ a
// uᵀ. dy = Σ_j γ[j] a[j]. A component with γ = 0 has a gradient of exactly 0. Returns a sum of squares that is finite
// only if all of this is. (Entries below the diagonal are products of two numbers whose squares are finite.)
template <class T, bool TRIANGLE>
V<T> gradients(int m, int k, int p, V<T> scale, V<T> share, T* tile, const T* u, T* joint, T* dy) {
  T *mean = tile + m * LANES<T>, *C = mean + m * k * LANES<T>;
  V<T> squares = {};
  for (int l = 0; l < k; l++) set(dy, l, V<T>{});
  for (int j = 0; j < m; j++, mean += k * LANES<T>, C += p * LANES<T>) {
    const V<T> gamma = at(joint, j) * share;
    set(joint, j, gamma);
    set(tile, j, madd<T>(at(tile, j), scale, -gamma));
    for (int l = 0; l < k; l++) {
      const V<T> a = whereGreater<T>(gamma, V<T>{}, gamma * at(mean, l));
      set(mean, l, -a);
      set(dy, l, at(dy, l) + a);
      squares = madd<T>(a, a, squares);
      if (TRIANGLE)
        for (int i = 0; i < l; i++) set(C, tri(l) + i, whereGreater<T>(gamma, V<T>{}, -a * at(u, i)));
    }
    for (int c = 0; c < (TRIANGLE ? k : p); c++) {
      T* value = C + (TRIANGLE ? tri(c) + c : c) * LANES<T>;
      const V<T> g = whereGreater<T>(gamma, V<T>{}, gamma * load(value));
      store(value, g);
      squares = madd<T>(g, g, squares);
    }
    if (TRIANGLE) u += k * LANES<T>;
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
    T* e, T* slope, int* failed, T* line, T* y, T* L, T* joint, T* u, T* inverse, T* dy, T* logDensity, T* r, T* dRaw,
    T* dx) {
  constexpr int N = LANES<T>;
  const bool triangle = mapping == Mapping::cholExp || mapping == Mapping::cholSoftplus;
  if (mapping == Mapping::graves && k != 2) return 1;
  memset(failed, 0, N * sizeof(int));
  for (int from = 0; from < n; from += N) {
    const int rows = least(N, n - from);
    transposeIn<T>(rows, w, raw, tile);
    transposeIn<T>(rows, v, x, y);
    const V<T> top = largest<T>(m, tile);
    V<T> check = components<T, GRADIENT>(mapping, m, k, floor, top, tile, y, e, slope, u, L, inverse, joint, failed);
    const V<T> total = exponentials<T>(m, top, tile), best = largest<T>(m, joint);
    const V<T> sum = exponentials<T>(m, best, joint), share = T(1) / sum;
    const V<T> log = best + ISA::log<T>(sum) - ISA::log<T>(total) - T(0.5 * k * LOG_2PI) -
                     bernoulli<T, GRADIENT>(q, tile + (w - q) * N, y + k * N, dy + k * N);
    store(line, log);
    check += log - log;
    if (GRADIENT) {
      const V<T> scale = T(1) / total;
      const V<T> squares = triangle ? gradients<T, true>(m, k, p, scale, share, tile, u, joint, dy)
                                    : gradients<T, false>(m, k, p, scale, share, tile, u, joint, dy);
      check += squares - squares;
      transposeOut<T>(rows, w, tile, dRaw);
      transposeOut<T>(rows, v, dy, dx);
    } else
      for (int j = 0; j < m; j++) set(joint, j, at(joint, j) * share);
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
    T* tile, T* e, T* slope, int* failed, T* line, T* y, T* L, T* joint, T* u, T* logDensity, T* r) {
  return evaluate<T, false>(
      n, k, m, q, p, w, v, f, Mapping(mapping), raw, x, *floor, tile, e, slope, failed, line, y, L, joint, u, nullptr,
      y, logDensity, r, nullptr, nullptr);
}

template <class T> int lossGradient(
    int n, int k, int m, int q, int p, int w, int v, int f, int mapping, const T* raw, const T* x, const T* floor,
    T* tile, T* e, T* slope, int* failed, T* line, T* y, T* L, T* joint, T* u, T* inverse, T* dy, T* logDensity, T* r,
    T* dRaw, T* dx) {
  return evaluate<T, true>(
      n, k, m, q, p, w, v, f, Mapping(mapping), raw, x, *floor, tile, e, slope, failed, line, y, L, joint, u, inverse,
      dy, logDensity, r, dRaw, dx);
}

namespace {
// 1/e; infinite where deviations found no smaller e
template <class T> INLINE V<T> deviation(V<T> e) { return T(1) / whereGreater<T>(e, splat(T(2) * NORMAL<T>), e); }
// The values of one component become its factor; returns what is NaN where they have none
template <class T, int KIND, bool TRIANGLE> V<T> factors(int k, T* C, T floor, int place, T* e, T* slope, int* failed) {
  const V<T> sum = deviations<T, KIND, TRIANGLE>(k, C, floor, place, e, slope, failed);
  for (int l = 0; l < k; l++) set(C, TRIANGLE ? tri(l) + l : l, deviation<T>(at(e, l)));
  return sum;
}
// [s_x, ρ s_y, s_y √(1-ρ²)]
template <class T> V<T> correlatedFactor(T* C, T floor, int place, T* e, T* slope, int* failed) {
  V<T> sum = deviations<T, EXP, false>(2, C, floor, place, e, slope, failed), r = at(C, 2);
  if (floor > T(-INF)) r = bounded<T>(r, floor) * (T(LN2) - floor);
  const V<T> q = exp<T>(-abs<T>(r)), most = splat(T(0.5) * LIMIT<T>), sy = deviation<T>(at(e, 1));
  if (!everyGreater<T>(most, abs<T>(r))) sum += note<T>(most, abs<T>(r), place + 1, failed);
  set(C, 0, deviation<T>(at(e, 0)));
  set(C, 1, tanh<T>(r) * sy);
  set(C, 2, T(2) * q / madd<T>(q, q, splat(T(1))) * sy);
  return sum;
}
template <class T> V<T> factorOf(Mapping mapping, int k, T* C, T floor, int place, T* e, T* slope, int* failed) {
  switch (mapping) {
    case Mapping::tanhFull:
      return factor<T>(k, C, C, place, failed);
    case Mapping::tanhDiag:
      return factors<T, TANH, false>(k, C, floor, place, e, slope, failed);
    case Mapping::cholExp:
      return factors<T, EXP, true>(k, C, floor, place, e, slope, failed);
    case Mapping::cholSoftplus:
      return factors<T, SOFTPLUS, true>(k, C, floor, place, e, slope, failed);
    case Mapping::diagExp:
      return factors<T, EXP, false>(k, C, floor, place, e, slope, failed);
    case Mapping::diagSoftplus:
      return factors<T, SOFTPLUS, false>(k, C, floor, place, e, slope, failed);
    default:
      return correlatedFactor<T>(C, floor, place, e, slope, failed);
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
    T* slope, int* failed, T* weights, T* L, T* probabilities) {
  constexpr int N = LANES<T>;
  if (Mapping(mapping) == Mapping::graves && k != 2) return 1;
  memset(failed, 0, N * sizeof(int));
  T *C = tile + (m + m * k) * N, *logits = C + m * p * N;
  for (int from = 0; from < n; from += N) {
    const int rows = least(N, n - from);
    transposeIn<T>(rows, w, raw, tile);
    V<T> check = differences<T>(w, tile);
    const V<T> total = exponentials<T>(m, largest<T>(m, tile), tile), scale = T(1) / total;
    for (int j = 0; j < m; j++) {
      set(tile, j, at(tile, j) * scale);
      const V<T> sum = factorOf<T>(Mapping(mapping), k, C + j * p * N, *floor, j * f + 1, e, slope, failed);
      check += sum - sum;
    }
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
