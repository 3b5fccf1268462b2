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
