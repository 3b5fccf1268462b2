// Systems of at most SMALL states, whose matrices lie in lanes: docs/math/lds.md. Twin: assembly/lds-lanes.ts
// A line is one element of as many matrices as there are lanes. The filter has sequences in lanes; the smoother has
// rows of one sequence in lanes, for all but the recursion itself. No lane looks at another one, so results do not
// depend on who is beside whom. A symmetric matrix is a triangle: its element (i, j) stands at `place(i, j)`.
#pragma once
#include "lds-observations.h"
namespace ISA::lds { namespace {
constexpr int SMALL = 8, N = LANES<double>;
typedef V<double> Line;
constexpr int place(int i, int j) { return i < j ? j * (j + 1) / 2 + i : i * (i + 1) / 2 + j; }

INLINE Line times(Line a, Line b, Line sum) { return madd<double>(a, b, sum); }
INLINE Line lessTimes(Line a, Line b, Line sum) { return nmadd<double>(a, b, sum); }
template <int n> INLINE void read(const double* lines, Line* v) {
  _Pragma("GCC unroll 64")
  for (int i = 0; i < n; i++) v[i] = at(lines, i);
}
template <int n> INLINE void write(const Line* v, double* lines) {
  _Pragma("GCC unroll 64")
  for (int i = 0; i < n; i++) set(lines, i, v[i]);
}

// x = P⁻¹ x, where P = L D Lᵀ with ones on the diagonal of L; inverse = 1/D
template <int M> INLINE void solve(const Line* L, const Line* inverse, Line* x) {
  EACH(i, M)
    EACH(p, M)
      if (p < i) x[i] = lessTimes(L[place(p, i)], x[p], x[i]);
  EACH(i, M) x[i] *= inverse[i];
  EACH(q, M)
    EACH(p, M)
      if (p > M - 1 - q) x[M - 1 - q] = lessTimes(L[place(M - 1 - q, p)], x[p], x[M - 1 - q]);
}

// ---- filter ----
// P = A F Aᵀ + Q and xp = A x
template <int M>
INLINE void predict(const double* A, const double* Q, const double* x, const double* F, double* xp, double* P) {
  EACH(i, M) {
    Line t[M], v{};
    EACH(k, M) v = times(splat(A[i * SMALL + k]), at(x, k), v);
    set(xp, i, v);
    EACH(j, M) {
      t[j] = Line{};
      EACH(k, M) t[j] = times(splat(A[i * SMALL + k]), at(F, k * M + j), t[j]);
    }
    EACH(j, M)
      if (j >= i) {
        Line p = splat(Q[i * SMALL + j]);
        EACH(k, M) p = times(t[k], splat(A[j * SMALL + k]), p);
        set(P, i * M + j, p);
        set(P, j * M + i, p);
      }
  }
}
// The density of a row is e^-(constant + (log |S| + square)/2); logarithms are taken of products that stay below this.
constexpr double MUCH = 1e100;
// The mean x and covariance P become those given y = H z + N(0, I) (Joseph's form), as in `update` of lds.cc; u is y,
// then y - H x. Returns log |S| + |y - H x|² in the metric of S, not finite where S is not positive definite.
template <int M> INLINE Line observe(
    int d, const double* H, double* u, double* x, double* P, double* K, double* S, double* E, double* T, double* pivots,
    double* w) {
  for (int i = 0; i < d; i++) {  // K = H P, S = K Hᵀ + I, u = y - H x
    Line h[M], k[M], v = at(u, i);
    read<M>(H + i * M * N, h);
    EACH(q, M) v = lessTimes(h[q], at(x, q), v);
    set(u, i, v);
    set(w, i, v);
    EACH(j, M) {
      k[j] = Line{};
      EACH(q, M) k[j] = times(h[q], at(P, q * M + j), k[j]);
      set(K, i * M + j, k[j]);
    }
    for (int j = 0; j <= i; j++) {
      v = splat(double(i == j));
      EACH(q, M) v = times(k[q], at(H, j * M + q), v);
      set(S, i * d + j, v);
    }
  }
  Line product = splat(1.), sum{}, positive = product;
  for (int j = 0; j < d; j++) {  // S = L D Lᵀ
    const Line pivot = at(S, j * d + j), inverse = 1 / pivot, grown = product * pivot;
    positive = whereGreater<double>(pivot, Line{}, positive);
    set(pivots, j, inverse);
    if (everyGreater<double>(splat(MUCH), grown)) {
      product = grown;
    } else {
      sum += whereNotGreater<double>(splat(MUCH), grown, log<double>(product));
      product = splat(MUCH) > grown ? grown : pivot;
    }
    for (int i = j + 1; i < d; i++) {
      const Line raw = at(S, i * d + j);
      set(S, i * d + j, raw * inverse);
      for (int c = j + 1; c <= i; c++) set(S, i * d + c, lessTimes(raw, at(S, c * d + j), at(S, i * d + c)));
    }
  }
  sum += log<double>(product);
  for (int i = 0; i < d; i++) {  // K = S⁻¹ K
    Line k[M], v = at(w, i);
    read<M>(K + i * M * N, k);
    for (int p = 0; p < i; p++) {
      const Line l = at(S, i * d + p);
      v = lessTimes(l, at(w, p), v);
      EACH(j, M) k[j] = lessTimes(l, at(K, p * M + j), k[j]);
    }
    set(w, i, v);
    write<M>(k, K + i * M * N);
    sum = times(v * at(pivots, i), v, sum);
  }
  for (int i = d - 1; i >= 0; i--) {
    Line k[M];
    read<M>(K + i * M * N, k);
    EACH(j, M) k[j] *= at(pivots, i);
    for (int p = i + 1; p < d; p++) {
      const Line l = at(S, p * d + i);
      EACH(j, M) k[j] = lessTimes(l, at(K, p * M + j), k[j]);
    }
    write<M>(k, K + i * M * N);
  }
  {  // x += Kᵀ u
    Line v[M];
    read<M>(x, v);
    for (int p = 0; p < d; p++)
      EACH(j, M) v[j] = times(at(u, p), at(K, p * M + j), v[j]);
    write<M>(v, x);
  }
  for (int i = 0; i < M; i++) {  // E = I - Hᵀ K
    Line e[M];
    EACH(j, M) e[j] = splat(double(i == j));
    for (int p = 0; p < d; p++) {
      const Line h = at(H, p * M + i);
      EACH(j, M) e[j] = lessTimes(h, at(K, p * M + j), e[j]);
    }
    write<M>(e, E + i * M * N);
  }
  for (int i = 0; i < M; i++) {  // T = P E
    Line t[M];
    EACH(j, M) t[j] = Line{};
    EACH(q, M) {
      const Line p = at(P, i * M + q);
      EACH(j, M) t[j] = times(p, at(E, q * M + j), t[j]);
    }
    write<M>(t, T + i * M * N);
  }
  EACH(i, M) {  // P = Eᵀ T + Kᵀ K
    Line p[M];
    EACH(j, M) p[j] = Line{};
    EACH(q, M) {
      const Line e = at(E, q * M + i);
      EACH(j, M)
        if (j >= i) p[j] = times(e, at(T, q * M + j), p[j]);
    }
    for (int q = 0; q < d; q++) {
      const Line k = at(K, q * M + i);
      EACH(j, M)
        if (j >= i) p[j] = times(k, at(K, q * M + j), p[j]);
    }
    EACH(j, M)
      if (j >= i) {
        set(P, i * M + j, p[j]);
        set(P, j * M + i, p[j]);
      }
  }
  return sum + (1 / positive - 1);
}
// Lines of w values as rows of `to`, each lane that is in use at its own row
void scatter(int used, const int* lanes, const int* rows, int w, const double* lines, double* to) {
  if (used < N || w < N) {
    for (int u = 0; u < used; u++) {
      double* row = to + size_t(rows[lanes[u]]) * w;
      for (int j = 0; j < w; j++) row[j] = lines[j * N + lanes[u]];
    }
    return;
  }
  for (int next = 0; next < w; next += N) {
    const int j = least(next, w - N);
    Line v[N];
    EACH(i, N) v[i] = at(lines, j + i);
    transpose<double>(v);
    EACH(i, N) store(to + size_t(rows[i]) * w + j, v[i]);
  }
}
// As many sequences as there are lanes go side by side; when one ends, the next one takes its lane. d <= SMALL, too.
template <int M> int filterLanes(
    int s, int d, int carried, bool predicted, bool filtered, const int* lengths, const double* model,
    const int* started, const double* x, double* work, double* state, double* predictedMean,
    double* predictedCovariance, double* mean, double* covariance, double* logDensity) {
  constexpr int LIST = SMALL * N, SQUARE = SMALL * LIST;
  const int D = pad<double>(d);
  const double *A = model, *Q = A + 2 * M * SMALL, *B = Q + 2 * M * SMALL, *H = B + d * SMALL, *HT = H + d * SMALL;
  const double *R = HT + M * D, *WT = R + d * D, *constant = WT + d * D;
  double *z = work, *zp = z + LIST, *X = zp + LIST, *u = X + LIST, *w = u + LIST, *pivots = w + LIST;
  double *F = pivots + LIST, *P = F + SQUARE, *K = P + SQUARE, *S = K + SQUARE, *E = S + SQUARE, *T = E + SQUARE;
  double *common = T + SQUARE, *own = common + SQUARE, *H1 = own + SQUARE, *HT1 = H1 + SMALL * SMALL;
  double *L = HT1 + SMALL * SMALL, *y = L + SMALL * SMALL;
  int owners[N], rows[N], left[N], lanes[N], counts[N], used = 0, next = 0, row = 0, failure = 0;
  double results[N], finite[N], constants[N];
  // lanes without a sequence compute with zeros; all other lines are written before they are read
  clear(z, M * N);
  clear(X, d * N);
  clear(F, M * M * N);
  for (int i = 0; i < d; i++)
    for (int j = 0; j < M; j++) set(common, i * M + j, splat(H[i * SMALL + j]));
  for (int lane = 0; lane < N; lane++) left[lane] = 0;
  for (;;) {
    bool first = false;
    used = 0;
    for (int lane = 0; lane < N; lane++) {
      if (left[lane] == 0) {
        while (next < s && lengths[next] == 0) next++;
        if (next == s) continue;
        const double* from = state + size_t(next) * carried;
        for (int i = 0; i < M; i++) {
          z[i * N + lane] = from[i];
          for (int j = i; j < M; j++) F[(i * M + j) * N + lane] = F[(j * M + i) * N + lane] = from[M + i * M + j];
        }
        owners[lane] = next;
        rows[lane] = row;
        left[lane] = lengths[next];
        first |= !started[next];
        row += lengths[next++];
      }
      lanes[used++] = lane;
    }
    if (used == 0) return failure;

    predict<M>(A, Q, z, F, zp, P);
    for (int i = 0; first && i < used; i++) {  // a sequence begins with its state
      const int lane = lanes[i];
      if (left[lane] < lengths[owners[lane]] || started[owners[lane]]) continue;
      for (int j = 0; j < M; j++) zp[j * N + lane] = z[j * N + lane];
      for (int j = 0; j < M * M; j++) P[j * N + lane] = F[j * N + lane];
    }
    if (predicted) {
      scatter(used, lanes, rows, M, zp, predictedMean);
      scatter(used, lanes, rows, M * M, P, predictedCovariance);
    }

    int most = 0;
    bool gappy = false;
    for (int i = 0; i < used; i++) {
      const double* values = x + size_t(rows[lanes[i]]) * d;
      const int count = countSeen(d, values);
      counts[lanes[i]] = count;
      most = count > most ? count : most;
      gappy |= count < d;
      for (int j = 0; j < d; j++) X[j * N + lanes[i]] = values[j];
    }
    Line exponent{};
    if (most > 0) {
      for (int j = 0; j < d; j++) {
        Line value{};
        for (int p = 0; p <= j; p++) value = times(splat(WT[p * D + j]), at(X, p), value);
        set(u, j, value);
      }
      for (int lane = 0; lane < N; lane++) constants[lane] = *constant;
      if (gappy) {
        copy(own, common, d * M * N);
        for (int i = 0; i < used; i++) {
          const int lane = lanes[i];
          if (counts[lane] == d) continue;
          const double* values = x + size_t(rows[lane]) * d;
          factorSeen(d, D, values, R, L);
          constants[lane] = whiten(d, M, D, SMALL, values, B, L, H1, HT1, y);
          for (int p = 0; p < d; p++) {
            u[p * N + lane] = y[p];
            for (int j = 0; j < M; j++) own[(p * M + j) * N + lane] = H1[p * SMALL + j];
          }
        }
      }
      exponent = load(constants) + 0.5 * observe<M>(d, gappy ? own : common, u, zp, P, K, S, E, T, pivots, w);
    } else {
      // beside a row that is seen, products with the identity would have made 0 of -0
      for (int i = 0; i < M * M; i++) set(P, i, at(P, i) + Line{});
    }
    Line check = exponent - exponent;
    EACH(i, M) check += (at(zp, i) - at(zp, i)) + (at(P, i * M + i) - at(P, i * M + i));
    store(finite, check);
    store(results, -exponent);
    copy(z, zp, M * N);
    copy(F, P, M * M * N);
    if (filtered) {
      scatter(used, lanes, rows, M, z, mean);
      scatter(used, lanes, rows, M * M, F, covariance);
    }
    for (int i = 0; i < used; i++) {
      const int lane = lanes[i];
      logDensity[rows[lane]++] = counts[lane] > 0 ? results[lane] : 0;
      left[lane]--;
      if (!(finite[lane] == 0)) {  // nothing after the first failure counts
        if (failure == 0 || rows[lane] < failure) failure = rows[lane];
        left[lane] = 0;
        next = s;
      } else if (left[lane] == 0) {
        double* to = state + size_t(owners[lane]) * carried;
        for (int j = 0; j < M; j++) to[j] = z[j * N + lane];
        for (int j = 0; j < M * M; j++) to[M + j] = F[j * N + lane];
      }
    }
  }
}

// ---- smoother ----
// Some rows of a sequence, as many as there are lanes, which are all followed by another row.
struct Rows {
  static constexpr int LIST = SMALL * N, SQUARE = SMALL * LIST;
  // lines: means x and covariances F filtered, xp = A x, P = A F Aᵀ + Q as a factor L and inverse pivots,
  // G = P⁻¹ A F, C = (I - GᵀA) F (I - GᵀA)ᵀ + Gᵀ Q G on and above the diagonal, which is the covariance given the next
  // row's state; and scratch
  double x[LIST], F[SQUARE], xp[LIST], L[place(SMALL, 0) * N], pivots[LIST], G[SQUARE], C[SQUARE], T[SQUARE], E[SQUARE];
  double U[SQUARE];
  // rows: the same, and what follows from the recursion: z and S smoothed, those of the row after the last one too
  double means[LIST + N], predicted[LIST + N], gains[SQUARE + N], rests[SQUARE + N], lagOne[SQUARE + N];
  double z[LIST + SMALL], S[SQUARE + SMALL * SMALL];
};
// Fills in the lines but x and F. Returns 1 in lanes where P is positive definite, 0 in others.
template <int M> Line gains(const double* A, const double* Q, const double* LQT, Rows& rows) {
  const double *x = rows.x, *F = rows.F;
  double *xp = rows.xp, *L = rows.L, *G = rows.G, *C = rows.C, *T = rows.T, *E = rows.E, *U = rows.U;
  constexpr int S = place(M, 0);
  Line P[S], inverse[M], positive = splat(1.);
  EACH(i, M) {
    Line sum{};
    EACH(k, M) sum = times(splat(A[i * SMALL + k]), at(x, k), sum);
    set(xp, i, sum);
  }
  for (int i = 0; i < M; i++) {
    Line t[M];
    EACH(j, M) {
      t[j] = Line{};
      EACH(k, M) t[j] = times(splat(A[i * SMALL + k]), at(F, k * M + j), t[j]);
      set(T, i * M + j, t[j]);
    }
    for (int j = i; j < M; j++) {
      Line p = splat(Q[i * SMALL + j]);
      EACH(k, M) p = times(t[k], splat(A[j * SMALL + k]), p);
      set(L, place(i, j), p);
    }
  }
  read<S>(L, P);
  EACH(j, M) {
    positive = whereGreater<double>(P[place(j, j)], Line{}, positive);
    inverse[j] = 1 / P[place(j, j)];
    EACH(i, M)
      if (i > j) {
        const Line l = P[place(j, i)] * inverse[j];
        EACH(c, M)
          if (c >= i) P[place(i, c)] = lessTimes(l, P[place(j, c)], P[place(i, c)]);
        P[place(j, i)] = l;
      }
  }
  write<S>(P, L);
  write<M>(inverse, rows.pivots);
  for (int j = 0; j < M; j++) {
    Line g[M], e[M], t[M], u[M];
    EACH(i, M) g[i] = at(T, i * M + j);
    solve<M>(P, inverse, g);
    EACH(i, M) {
      set(G, i * M + j, g[i]);
      e[i] = splat(double(i == j));
      EACH(k, M) e[i] = lessTimes(splat(A[k * SMALL + i]), g[k], e[i]);
      set(E, i * M + j, e[i]);
    }
    EACH(i, M) {
      t[i] = u[i] = Line{};
      EACH(k, M) t[i] = times(at(F, i * M + k), e[k], t[i]);
      EACH(k, M)
        if (k >= i) u[i] = times(splat(LQT[i * SMALL + k]), g[k], u[i]);
      set(U, i * M + j, u[i]);
    }
    for (int i = 0; i <= j; i++) {
      Line c{};
      EACH(k, M) c = times(at(E, k * M + i), t[k], c);
      EACH(k, M) c = times(at(U, k * M + i), u[k], c);
      set(C, i * M + j, c);
    }
  }
  return positive;
}
// The recursion for one row, its matrices as rows of M values: from the smoothed mean x1 and covariance S1 of the row
// after it, lagOne = S1 G, x0 = mean + Gᵀ (x1 - predicted), S0 = C + Gᵀ lagOne. Rows of S1 and S0 are SMALL values
// apart, and only those on and above the diagonal count. What is read beyond a row is of no account.
template <int M> INLINE void retreat(
    const double* mean, const double* G, const double* C, const double* predicted, const double* x1, const double* S1,
    double* lagOne, double* x0, double* S0) {
  constexpr int VS = (M + N - 1) / N;
  Line g[M][VS], l[M][VS];
  double delta[SMALL];
  EACH(v, VS) store(delta + v * N, load(x1 + v * N) - load(predicted + v * N));
  EACH(k, M)
    EACH(v, VS) g[k][v] = load(G + k * M + v * N);
  EACH(i, M)
    EACH(v, VS) {
      l[i][v] = Line{};
      EACH(k, M) l[i][v] = times(splat(S1[i < k ? i * SMALL + k : k * SMALL + i]), g[k][v], l[i][v]);
    }
  EACH(i, M)
    EACH(v, VS) {
      if ((v + 1) * N <= i) continue;
      Line sum = load(C + i * M + v * N);
      EACH(k, M) sum = times(splat(G[k * M + i]), l[k][v], sum);
      store(S0 + i * SMALL + v * N, sum);
    }
  EACH(v, VS) {
    Line sum = load(mean + v * N);
    EACH(k, M) sum = times(splat(delta[k]), g[k][v], sum);
    store(x0 + v * N, sum);
  }
  EACH(i, M)
    EACH(v, VS) storeSome(lagOne + i * M + v * N, l[i][v], M - v * N);
}
// The rows [first, first + count), backwards. Returns 1 + the first of them whose P is not positive definite, or 0.
template <int M> int smoothRows(
    int first, int count, const double* model, const double* mean, const double* covariance, const double* z,
    const double* S, Rows& rows) {
  constexpr int SQUARE = M * M, WIDE = M * SMALL;
  const double *A = model, *Q = A + 2 * WIDE, *LQT = Q + WIDE;
  double positive[N];
  transposeIn(count, SQUARE, covariance + size_t(first) * SQUARE, rows.F);
  transposeIn(count, M, mean + size_t(first) * M, rows.x);
  store(positive, gains<M>(A, Q, LQT, rows));
  for (int i = count - 1; i >= 0; i--)
    if (positive[i] == 0) return first + i + 1;
  copy(rows.means, mean + size_t(first) * M, count * M);
  transposeOut(count, M, rows.xp, rows.predicted);
  transposeOut(count, SQUARE, rows.G, rows.gains);
  transposeOut(count, SQUARE, rows.C, rows.rests);
  copy(rows.z + count * SMALL, z, SMALL);
  copy(rows.S + count * WIDE, S, WIDE);
  for (int i = count - 1; i >= 0; i--)
    retreat<M>(
        rows.means + i * M, rows.gains + i * SQUARE, rows.rests + i * SQUARE, rows.predicted + i * M,
        rows.z + (i + 1) * SMALL, rows.S + (i + 1) * WIDE, rows.lagOne + i * SQUARE, rows.z + i * SMALL,
        rows.S + i * WIDE);
  return 0;
}
// The smoother for rows [from, end); z and S are those of the row after them, then those of row `from`
template <int M> int smoothLanes(
    int from, int end, const double* model, const double* mean, const double* covariance, double* work, double* z,
    double* S, double* smoothedMean, double* smoothedCovariance, double* lagOne) {
  Rows& rows = *(Rows*)work;
  for (int count; from < end; end -= count) {
    count = least(N, end - from);
    const int first = end - count, info = smoothRows<M>(first, count, model, mean, covariance, z, S, rows);
    if (info > 0) return info;
    for (int i = 0; i < count; i++) {
      const double* P = rows.S + i * M * SMALL;
      double* to = smoothedCovariance + size_t(first + i) * M * M;
      EACH(r, M)
        EACH(c, M) to[r * M + c] = P[r < c ? r * SMALL + c : c * SMALL + r];
      copy(smoothedMean + size_t(first + i) * M, rows.z + i * SMALL, M);
    }
    copy(lagOne + size_t(first) * M * M, rows.lagOne, count * M * M);
    copy(z, rows.z, SMALL);
    copy(S, rows.S, M * SMALL);
    mirror(M, SMALL, S);
  }
  return 0;
}

// ---- sums ----
// For the rows in lanes, with z1, S1 smoothed one row later and z0: r = P⁻¹ (z1 - xp), which becomes xp, Z = P⁻¹ S1,
// X = Z G + r z0ᵀ and, on and above the diagonal, Y = Z P⁻¹ + r rᵀ
template <int M>
void residuals(Rows& rows, const double* z0, const double* z1, const double* S1, double* X, double* Y) {
  constexpr int S = place(M, 0);
  double* Z = rows.T;
  Line L[S], inverse[M], r[M];
  read<S>(rows.L, L);
  read<M>(rows.pivots, inverse);
  EACH(i, M) r[i] = at(z1, i) - at(rows.xp, i);
  solve<M>(L, inverse, r);
  write<M>(r, rows.xp);
  for (int j = 0; j < M; j++) {
    Line v[M];
    EACH(i, M) v[i] = at(S1, i < j ? i * SMALL + j : j * SMALL + i);
    solve<M>(L, inverse, v);
    EACH(i, M) set(Z, i * M + j, v[i]);
  }
  for (int i = 0; i < M; i++) {
    const Line ri = at(rows.xp, i);
    Line v[M];
    read<M>(Z + i * M * N, v);
    EACH(j, M) {
      Line sum = ri * at(z0, j);
      EACH(k, M) sum = times(v[k], at(rows.G, k * M + j), sum);
      set(X, i * M + j, sum);
    }
    solve<M>(L, inverse, v);
    EACH(k, M)
      if (k <= i) set(Y, k * M + i, times(at(rows.xp, k), ri, v[k]));
  }
}
// The sums of rows [from, end); z and S are those of the row after them, then those of row `from`
template <int M> int momentsLanes(
    int from, int end, int d, const double* model, const double* mean, const double* covariance, const double* x,
    double* work, double* z, double* S, const Sums& to) {
  constexpr int SQUARE = M * M, WIDE = M * SMALL;
  const int D = pad<double>(d);
  const double *B = model + 4 * WIDE, *R = B + 2 * d * SMALL + M * D;
  Rows& rows = *(Rows*)work;
  double X[SMALL * SMALL + N]{}, Y[SMALL * SMALL + N]{}, C[SMALL * SMALL + N]{};
  for (int count; from < end; end -= count) {
    count = least(N, end - from);
    const int first = end - count, info = smoothRows<M>(first, count, model, mean, covariance, z, S, rows);
    if (info > 0) return info;
    double *z0 = rows.x, *z1 = rows.means, *S1 = rows.E, *linesX = rows.U, *linesY = rows.F;
    transposeIn(count, SMALL, rows.z, z0);
    transposeIn(count, SMALL, rows.z + SMALL, z1);
    transposeIn(count, WIDE, rows.S + WIDE, S1);
    residuals<M>(rows, z0, z1, S1, linesX, linesY);
    transposeOut(count, SQUARE, linesX, rows.gains);
    transposeOut(count, SQUARE, linesY, rows.lagOne);
    for (int i = count - 1; i >= 0; i--) {
      double *own = rows.z + i * SMALL, *P = rows.S + i * WIDE;
      addLines(SQUARE, rows.gains + i * SQUARE, X);
      addLines(SQUARE, rows.lagOne + i * SQUARE, Y);
      addLines(SQUARE, rows.rests + i * SQUARE, C);
      addLines(WIDE, P, to.Z);
      addOuter(M, M, own, own, to.Z, SMALL);
      addRow(d, M, D, SMALL, x + size_t(first + i) * d, B, R, own, P, to);
    }
    copy(z, rows.z, SMALL);
    copy(S, rows.S, WIDE);
    mirror(M, SMALL, S);
  }
  spread(M, M, SMALL, X, to.X);
  spread(M, M, SMALL, Y, to.Y);
  spread(M, M, SMALL, C, to.C);
  return 0;
}
// f for m states
#define LANES_OF(f, m) \
  (m == 1 ? f<1> : m == 2 ? f<2> : m == 3 ? f<3> : m == 4 ? f<4> : m == 5 ? f<5> : m == 6 ? f<6> : m == 7 ? f<7> : f<8>)
}}
