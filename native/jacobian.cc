// Chains of Jacobians; columns of the product in lanes. docs/math/jacobian.md. Twin: assembly/jacobian.ts
#include "kernels/jacobian.h"
#include "linalg.h"
namespace ISA::jacobian {
namespace {
// A product is multiplied by STEP or its inverse, exactly, until the square of its norm lies within these bounds.
template <class T> constexpr bool F64 = sizeof(T) == 8;
template <class T> INLINE T STEP() { return T(F64<T> ? 0x1p256 : 0x1p32); }
template <class T> INLINE T INVERSE() { return T(F64<T> ? 0x1p-256 : 0x1p-32); }
template <class T> INLINE double LEAST() { return F64<T> ? 0x1p-400 : 0x1p-50; }
template <class T> INLINE double MOST() { return F64<T> ? 0x1p400 : 0x1p50; }
template <class T> INLINE int EXPONENT() { return F64<T> ? 256 : 32; }
constexpr int ROUNDS = 40;  // rescales any finite number, and ends for those that are not

constexpr int N = SUMS / TALLEST;  // vectors of a tile

// ---- C[row] = slope[row] Σ_c U[row,c] M[c] over the given rows and columns ----
// R rows and N vectors; both skip, and nothing is packed: a chain of relu takes a quarter of the operations.
template <class T, int R, int N> INLINE void tile(
    const T* const* u, const T* slope, const int32_t* column, int count, const T* M, int width, T* const* c, int j) {
  V<T> s[R][N] = {};
  for (int k = 0; k < count; k++) {
    const int p = column[k];
    V<T> y[N];
    EACH(v, N) y[v] = load(M + size_t(p) * width + j + v * LANES<T>);
    EACH(r, R) {
      const V<T> x = splat(u[r][p]);
      EACH(v, N) s[r][v] = madd<T>(x, y[v], s[r][v]);
    }
  }
  EACH(r, R)
    EACH(v, N) store(c[r] + j + v * LANES<T>, splat(slope[r]) * s[r][v]);
}
template <class T, int R, int N> void tile(
    int rows, const T* const* u, const T* slope, const int32_t* column, int count, const T* M, int width, T* const* c,
    int j) {
  if constexpr (R > 1)
    if (rows < R) return tile<T, R - 1, N>(rows, u, slope, column, count, M, width, c, j);
  tile<T, R, N>(u, slope, column, count, M, width, c, j);
}
// `compact`: the rows of C follow each other, and do not stand where those of U do. 192 bytes of each row of M stay in
// the first cache while all rows of U pass.
template <class T> void multiply(
    int d, const T* U, const T* slopes, const int32_t* row, int rows, const int32_t* column, int columns, const T* M,
    int width, T* C, bool compact) {
  const T* u[TALLEST];
  T slope[TALLEST];
  T* c[TALLEST];
  constexpr int GROUP = 192 / BYTES;
  const int vectors = width / LANES<T>;
  for (int from = 0, end; from < vectors; from = end) {
    const int ahead = vectors - from;
    end = from + (N > 2 && (ahead == 4 || ahead == 2) ? 2 : least(ahead, GROUP));  // 2 and 2 rather than 3 and 1
    for (int i = 0; i < rows;) {  // two blocks as tall as each other, where one and a small one would be left
      const int rest = rows - i, tall = rest > TALLEST && rest < 2 * TALLEST ? (rest + 1) / 2 : least(rest, TALLEST);
      for (int r = 0; r < tall; r++) {
        u[r] = U + size_t(row[i + r]) * d;
        slope[r] = slopes[row[i + r]];
        c[r] = C + size_t(compact ? i + r : row[i + r]) * width;
      }
      for (int j = from; j < end;) {
        const int left = end - j, some = least(left, N);
        if (some == N) tile<T, TALLEST, N>(tall, u, slope, column, columns, M, width, c, j * LANES<T>);
        else if (some == 2) tile<T, TALLEST, 2>(tall, u, slope, column, columns, M, width, c, j * LANES<T>);
        else tile<T, TALLEST, 1>(tall, u, slope, column, columns, M, width, c, j * LANES<T>);
        j += some;
      }
      i += tall;
    }
  }
}

// ---- the norm of a product ----
// Sums of squares by 64-byte lines, so that every level adds in the same order: even rows, odd rows, then the lanes
template <class T, int LINES> INLINE void squaresOf(const int32_t* row, int rows, const T* C, int width, V<T>* total) {
  constexpr int VECTORS = 64 / BYTES, EVERY = LINES * VECTORS;
  V<T> even[EVERY] = {}, odd[EVERY] = {};
  int i = 0;
  for (; i + 2 <= rows; i += 2) {
    const T *a = C + size_t(row[i]) * width, *b = C + size_t(row[i + 1]) * width;
    EACH(v, EVERY) {
      const V<T> x = load(a + v * LANES<T>), y = load(b + v * LANES<T>);
      even[v] = madd<T>(x, x, even[v]);
      odd[v] = madd<T>(y, y, odd[v]);
    }
  }
  if (i < rows)
    EACH(v, EVERY) {
      const V<T> x = load(C + size_t(row[i]) * width + v * LANES<T>);
      even[v] = madd<T>(x, x, even[v]);
    }
  EACH(v, EVERY) total[v % VECTORS] += even[v] + odd[v];
}
template <class T> double squares(const int32_t* row, int rows, const T* C, int width, T* line) {
  constexpr int LINE = 64 / sizeof(T), LINES = BYTES / 16;  // eight sums at every level
  V<T> total[64 / BYTES] = {};
  int j = 0;
  for (; j + LINES * LINE <= width; j += LINES * LINE) squaresOf<T, LINES>(row, rows, C + j, width, total);
  for (; j < width; j += LINE) squaresOf<T, 1>(row, rows, C + j, width, total);
  EACH(v, 64 / BYTES) store(line + v * LANES<T>, total[v]);
  double sum = 0;
  for (int i = 0; i < LINE; i++) sum += double(line[i]);
  return sum;
}
// logs[t] = ½ log logs[t] + exponents[t] log 2, for squares that are normal numbers
void logNorms(int n, const double* exponents, double* logs) {
  for (int t = 0; t < n; t += LANES<double>) {
    const V<double> half = 0.5 * log<double>(loadSome(logs + t, n - t));
    storeSome(logs + t, madd<double>(splat(LN2), loadSome(exponents + t, n - t), half), n - t);
  }
}
template <class T> bool isZero(const int32_t* row, int rows, const T* C, int width) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < width; j++)
      if (C[size_t(row[i]) * width + j] != 0) return false;
  return true;
}
template <class T> void rescale(const int32_t* row, int rows, T* C, int width, T by) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < width; j += LANES<T>) {
      T* c = C + size_t(row[i]) * width + j;
      store(c, load(c) * by);
    }
}

// ---- Householder reflections of C [rows x k], rows `width` apart; column j from row p on becomes v ----
// dots[l] = Σ_i C[i,j] C[i,l] over i >= p, lanes: columns l
template <class T> void dotsOf(int rows, int p, int j, const T* C, int width, T* dots) {
  for (int l = j / LANES<T> * LANES<T>; l < width; l += LANES<T>) {
    V<T> s{};
    for (int i = p; i < rows; i++) s = madd<T>(splat(C[size_t(i) * width + j]), load(C + size_t(i) * width + l), s);
    store(dots + l, s);
  }
}
// Makes a reflection of column j from row p on, the first that no column before it has taken, and applies it to those
// on its right; returns log |R[j,j]|. A column of zeros takes no row.
template <class T> double reflect(int rows, int k, int p, int j, T* C, int width, T* dots, T* beta) {
  int exponent = 0;
  for (int round = 0;; round++) {
    dotsOf(rows, p, j, C, width, dots);
    const double s = double(dots[j]);
    if ((s > LEAST<T>() && s < MOST<T>()) || round == ROUNDS) break;
    bool zero = true;
    for (int i = p; i < rows; i++) zero = zero && C[size_t(i) * width + j] == 0;
    if (zero) break;
    // R[j,j] scales with its column, and Q does not change
    for (int i = p; i < rows; i++) C[size_t(i) * width + j] *= s < 1 ? STEP<T>() : INVERSE<T>();
    exponent += s < 1 ? -EXPONENT<T>() : EXPONENT<T>();
  }
  const double square = double(dots[j]);
  if (square == 0) {
    beta[j] = 0;
    return -INF;
  }
  const T norm = T(sqrt(square)), x = C[size_t(p) * width + j], signedNorm = x < 0 ? -norm : norm;
  const T* top = C + size_t(p) * width;
  const T b = T(1) / (norm * (norm + (x < 0 ? -x : x)));  // 2 / |v|², v = x + signedNorm e_p
  // v ᵀ C[l] = dots[l] + signedNorm C[p,l]
  for (int l = j + 1; l < k; l++) dots[l] = b * madd(signedNorm, top[l], dots[l]);
  dots[j] = 0;
  C[size_t(p) * width + j] = x + signedNorm;
  const int first = j / LANES<T> * LANES<T>;
  for (int l = first; l < j; l++) dots[l] = 0;
  for (int i = p; i < rows; i++) {
    T* c = C + size_t(i) * width;
    const V<T> v = splat(c[j]);
    for (int l = first; l < width; l += LANES<T>) store(c + l, nmadd<T>(v, load(dots + l), load(c + l)));
  }
  beta[j] = b;
  return madd(LN2, double(exponent), 0.5 * log(square));
}
// Q[:,j..] = H Q[:,j..], the reflection of column j; rows of C are compact
template <class T>
void apply(int rows, int p, int j, const T* C, int width, const T* beta, const int32_t* row, T* Q, T* dots) {
  const int first = j / LANES<T> * LANES<T>;
  for (int l = first; l < width; l += LANES<T>) {
    V<T> s{};
    for (int i = p; i < rows; i++)
      s = madd<T>(splat(C[size_t(i) * width + j]), load(Q + size_t(row[i]) * width + l), s);
    store(dots + l, s * beta[j]);
  }
  for (int i = p; i < rows; i++) {
    T* q = Q + size_t(row[i]) * width;
    const V<T> v = splat(C[size_t(i) * width + j]);
    for (int l = first; l < width; l += LANES<T>) store(q + l, nmadd<T>(v, load(dots + l), load(q + l)));
  }
}
}

// by one look at each: s (s - 1) (most - |x|) >= 0 for s = |x| inverse, which is no subnormal number but 0
template <class T> int moderate(int n, const T* x, const T* inverse, const T* most) {
  const V<T> least = splat(-K<T>::normal), scale = splat(*inverse), top = splat(*most);
  for (int i = 0; i < n; i += LANES<T>) {
    const V<T> size = abs<T>(loadSome(x + i, n - i)), s = size * scale, sign = s * (s - T(1)) * (top - size);
    if (everyGreater<T>(sign, least)) continue;
    for (int lane = 0; lane < LANES<T>; lane++)
      if (!(sign[lane] > -K<T>::normal)) return 1 + i + lane;
  }
  return 0;
}

template <class T> int product(
    int n, int d, int matrices, const T* W, const T* slopes, const double* shift, int32_t* active, int32_t* before,
    T* next, T* line, double* exponents, T* product, double* exponent, double* logNorm) {
  const int width = pad<T>(d), size = matrices > 1 ? d * d : 0;
  T *now = product, *other = next;
  double e = 0, s = 0;
  int t = 0, rows = 0;
  memset(product, 0, size_t(d) * width * sizeof(T));
  for (; t < n; t++, slopes += d, W += size) {
    std::swap(active, before);
    const int columns = rows;
    rows = nonzero(d, slopes, active);
    if (t == 0)
      for (int i = 0; i < rows; i++)
        for (int j = 0; j < d; j++) now[size_t(active[i]) * width + j] = slopes[active[i]] * W[active[i] * d + j];
    else {
      multiply(d, W, slopes, active, rows, before, columns, now, width, other, false);
      std::swap(now, other);
    }
    e += shift[t];
    s = squares(active, rows, now, width, line);
    for (int round = 0; !(s > LEAST<T>() && s < MOST<T>()) && round < ROUNDS; round++) {
      if (s == 0 && isZero(active, rows, now, width)) break;
      rescale(active, rows, now, width, s < 1 ? STEP<T>() : INVERSE<T>());
      e += s < 1 ? -EXPONENT<T>() : EXPONENT<T>();
      s = squares(active, rows, now, width, line);
    }
    if (s == 0) break;  // and so are all products after it
    logNorm[t] = s;
    exponents[t] = e;
  }
  logNorms(t, exponents, logNorm);
  if (t < n) rows = 0, e = 0;
  T by = 1;
  for (; s >= 4 && s < INF; s *= 0.25, e++) by *= T(0.5);
  for (; s < 1 && s > 0; s *= 4, e--) by *= 2;
  rescale(active, rows, now, width, by);
  for (; t < n; t++) logNorm[t] = -INF;
  *exponent = e;
  if (n == 0) {
    for (int i = 0; i < d; i++) product[size_t(i) * width + i] = 1;
    return 0;
  }
  // rows that are not active hold an older product
  for (int i = 0, r = 0; i < d; i++) {
    T* to = product + size_t(i) * width;
    if (r == rows || active[r] != i) memset(to, 0, width * sizeof(T));
    else if (r++, now != product) memcpy(to, now + size_t(i) * width, width * sizeof(T));
  }
  return 0;
}

template <class T> int spectrum(
    int n, int d, int matrices, int exponents, const T* W, const T* slopes, const double* shift, int32_t* active,
    int32_t* before, T* next, T* dots, T* beta, T* Q, double* logR) {
  const int width = pad<T>(exponents), size = matrices > 1 ? d * d : 0;
  int rows = d;
  for (int i = 0; i < d; i++) active[i] = i;
  for (int t = 0; t < n; t++, slopes += d, W += size, logR += exponents) {
    std::swap(active, before);
    const int columns = rows;
    rows = nonzero(d, slopes, active);
    multiply(d, W, slopes, active, rows, before, columns, Q, width, next, true);
    int p = 0;
    for (int j = 0; j < exponents; j++) {
      beta[j] = 0;
      const double log = p < rows ? reflect(rows, exponents, p, j, next, width, dots, beta) : -INF;
      p += beta[j] != 0;
      logR[j] = madd(LN2, shift[t], log);
    }
    memset(Q, 0, size_t(d) * width * sizeof(T));
    // v[p] has the sign that R[j,j] has not: the column of Q changes its own, so that R[j,j] >= 0
    for (int j = exponents - 1; j >= 0; j--)
      if (beta[j] != 0) {
        p--;
        Q[size_t(active[p]) * width + j] = next[size_t(p) * width + j] > 0 ? -1 : 1;
        apply(rows, p, j, next, width, beta, active, Q, dots);
      }
  }
  return 0;
}

template <class T> int backpropagate(
    int n, int d, int matrices, int states, const T* W, const T* slopes, const T* g, int32_t* active, T* weight,
    T* adjoint) {
  const size_t size = matrices > 1 ? size_t(d) * d : 0;
  memcpy(adjoint, g, size_t(states) * d * sizeof(T));
  for (int t = n - 1; t >= 0; t--) {
    const T *J = W + t * size, *slope = slopes + size_t(t) * d, *after = adjoint + size_t(t + 1) * d;
    T* to = adjoint + size_t(t) * d;
    for (int i = 0; i < d; i++) weight[i] = slope[i] * after[i];
    const int rows = nonzero(d, weight, active);
    int i = 0;
    for (; i + 4 <= rows; i += 4) {
      const T* row[4];
      V<T> x[4];
      EACH(p, 4) {
        row[p] = J + size_t(active[i + p]) * d;
        x[p] = splat(weight[active[i + p]]);
      }
      for (int j = 0; j < d; j += LANES<T>) {
        V<T> c = loadSome(to + j, d - j);
        EACH(p, 4) c = madd<T>(x[p], loadSome(row[p] + j, d - j), c);
        storeSome(to + j, c, d - j);
      }
    }
    for (; i < rows; i++) {
      const T* row = J + size_t(active[i]) * d;
      const V<T> x = splat(weight[active[i]]);
      for (int j = 0; j < d; j += LANES<T>)
        storeSome(to + j, madd<T>(x, loadSome(row + j, d - j), loadSome(to + j, d - j)), d - j);
    }
  }
  return 0;
}

template <class T>
int unroll(int n, int d, int activation, const T* a, const T* W, const T* first, T* z, T* h, T* slopes) {
  const int width = pad<T>(d);
  memset(z, 0, width * sizeof(T));
  for (int t = 0; t < n; t++, a += d, h += d, slopes += d) {
    memcpy(z, a, d * sizeof(T));
    gemm(1, d, d, t == 0 ? first : h - d, d, 1, W, width, z, width);
    for (int j = 0; j < d; j += LANES<T>) {
      const V<T> x = load(z + j);
      if (Activation(activation) == Activation::tanh) {
        storeSome(h + j, tanh<T>(x), d - j);
        storeSome(slopes + j, sech2<T>(exp<T>(T(-2) * abs<T>(x))), d - j);
      } else {
        storeSome(h + j, pmax<T>(x, V<T>{}), d - j);
        storeSome(slopes + j, whereGreater<T>(x, V<T>{}, splat(T(1))), d - j);
      }
    }
  }
  return 0;
}
}
INSTANTIATE_JACOBIAN
