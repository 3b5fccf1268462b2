// Linear dynamical systems: filter, smoother, sums of the E step. docs/math/lds.md. Twin: assembly/lds.ts
// Matrices of a step are products of `gemm`; their rows are padded to whole lines, m x M or d x M, M = pad(m).
#include "lds-lanes.h"
namespace ISA::lds {
namespace {
constexpr int PIVOTS = 8;  // rows of a factor that are eliminated one by one

// C = c I
void diagonal(int n, int width, double c, double* C) {
  clear(C, n * width);
  for (int i = 0; i < n; i++) C[i * width + i] = c;
}
// C += A B, on and above the diagonal; what lies below is of no account
void upper(int n, int inner, const double* A, int row, int step, const double* B, double* C, int width) {
  for (int b = 0; b < n; b += PIVOTS)
    gemm(least(PIVOTS, n - b), inner, n - b, A + b * row, row, step, B + b, width, C + b * width + b, width);
}

// P = Uᵀ D U with ones on the diagonal of U: P becomes D U, N becomes -U above the diagonal, pivots become D and, one
// line further, 1/D. Only the triangle above the diagonal of P counts. Returns whether all pivots are positive.
bool factorise(int n, int width, double* P, double* N, double* pivots) {
  for (int b = 0; b < n; b += PIVOTS) {
    const int rows = least(PIVOTS, n - b);
    gemm(rows, b, n - b, N + b, 1, width, P + b, width, P + b * width + b, width);
    for (int j = b; j < b + rows; j++) {
      const double *p = P + j * width, pivot = p[j], inverse = 1 / pivot;
      double* u = N + j * width;
      if (!(pivot > 0)) return false;
      pivots[j] = pivot;
      pivots[width + j] = inverse;
      for (int c = b; c < n; c += LANES<double>) store(u + c, -(load(p + c) * splat(inverse)));
      for (int i = j + 1; i < b + rows; i++) {
        const V<double> x = splat(u[i]);
        double* q = P + i * width;
        for (int c = b; c < n; c += LANES<double>) store(q + c, madd<double>(x, load(p + c), load(q + c)));
      }
    }
  }
  return true;
}
// X = U⁻ᵀ X or U⁻¹ X for `rows` rows, whose factor begins at N: eight at once stay in registers (m = 16: a solution
// took 290 ns through memory)
void down(int rows, int width, const double* N, int columns, double* X, int line) {
  if (rows == PIVOTS)
    for (int c = 0; c < columns; c += LANES<double>) {
      V<double> x[PIVOTS];
      EACH(i, PIVOTS) x[i] = load(X + i * line + c);
      EACH(j, PIVOTS)
        EACH(i, PIVOTS)
          if (i > j) x[i] = madd<double>(splat(N[j * width + i]), x[j], x[i]);
      EACH(i, PIVOTS) store(X + i * line + c, x[i]);
    }
  else
    for (int j = 0; j < rows; j++)
      for (int i = j + 1; i < rows; i++) addTimes(columns, N[j * width + i], X + j * line, X + i * line);
}
void up(int rows, int width, const double* N, int columns, double* X, int line) {
  if (rows == PIVOTS)
    for (int c = 0; c < columns; c += LANES<double>) {
      V<double> x[PIVOTS];
      EACH(i, PIVOTS) x[i] = load(X + i * line + c);
      EACH(p, PIVOTS)
        EACH(j, PIVOTS)
          if (j < PIVOTS - 1 - p) x[j] = madd<double>(splat(N[j * width + PIVOTS - 1 - p]), x[PIVOTS - 1 - p], x[j]);
      EACH(i, PIVOTS) store(X + i * line + c, x[i]);
    }
  else
    for (int i = rows - 1; i > 0; i--)
      for (int j = 0; j < i; j++) addTimes(columns, N[j * width + i], X + i * line, X + j * line);
}
// X = P⁻¹ X, X of n rows of `columns`, `line` apart
void solve(int n, int width, const double* N, const double* pivots, int columns, double* X, int line) {
  for (int b = 0; b < n; b += PIVOTS) {
    const int rows = least(PIVOTS, n - b);
    gemm(rows, b, columns, N + b, 1, width, X, line, X + b * line, line);
    down(rows, width, N + b * width + b, columns, X + b * line, line);
  }
  for (int i = 0; i < n; i++) {
    const V<double> inverse = splat(pivots[width + i]);
    double* x = X + i * line;
    for (int j = 0; j < columns; j += LANES<double>) store(x + j, load(x + j) * inverse);
  }
  for (int b = (n - 1) / PIVOTS * PIVOTS; b >= 0; b -= PIVOTS) {
    const int end = least(b + PIVOTS, n);
    gemm(end - b, n - end, columns, N + b * width + end, width, 1, X + end * line, line, X + b * line, line);
    up(end - b, width, N + b * width + b, columns, X + b * line, line);
  }
}
// uᵀ P⁻¹ u; u is lost
double distance(int n, int width, const double* N, const double* pivots, double* u) {
  double sum = 0;
  for (int j = 0; j < n; j++) {
    const double v = u[j];
    sum = madd(v * pivots[width + j], v, sum);
    for (int c = j / PIVOTS * PIVOTS; c < n; c += LANES<double>)
      store(u + c, madd<double>(splat(v), load(N + j * width + c), load(u + c)));
  }
  return sum;
}
// log |P|; pivots are lost
double logDet(int n, double* pivots) {
  double sum = 0;
  for (int j = n; j < pad<double>(n); j++) pivots[j] = 1;
  for (int j = 0; j < n; j += LANES<double>) store(pivots + j, log<double>(load(pivots + j)));
  for (int j = 0; j < n; j++) sum += pivots[j];
  return sum;
}

// ---- filter ----
// P = A F Aᵀ + Q, and T = A F; on and above the diagonal
void predict(int m, int M, const double* A, const double* AT, const double* Q, const double* F, double* T, double* P) {
  clear(T, m * M);
  gemm(m, m, m, A, M, 1, F, M, T, M);
  copy(P, Q, m * M);
  upper(m, m, T, M, 1, AT, P, M);
}
// xp = A x
void move(int m, int M, const double* AT, const double* x, double* xp) {
  clear(xp, M);
  gemm(1, m, m, x, m, 1, AT, M, xp, M);
}
// The mean xp and covariance P become those given y = H z + N(0, I) (Joseph's form); returns the density's exponent:
// S = H P Hᵀ + I, K becomes Kᵀ = S⁻¹ H P, E becomes (I - K H)ᵀ, P becomes Eᵀ P E + K Kᵀ;  (log |S| + |y - H xp|² in the
// metric of S)/2, or NaN
double update(
    int d, int m, int D, int M, const double* H, const double* HT, double* u, double* x, double* P, double* K,
    double* G, double* S, double* N, double* pivots, double* E, double* T, double* minus) {
  negate(M, x, minus);
  gemm(1, m, d, minus, M, 1, HT, D, u, D);
  clear(K, d * M);
  gemm(d, m, m, H, M, 1, P, M, K, M);
  diagonal(d, D, 1, S);
  upper(d, m, K, M, 1, HT, S, D);
  if (!factorise(d, D, S, N, pivots)) return __builtin_nan("");
  solve(d, D, N, pivots, m, K, M);
  negate(d * M, K, G);
  diagonal(m, M, 1, E);
  gemm(m, d, m, H, 1, M, G, M, E, M);
  clear(T, m * M);
  gemm(m, m, m, P, M, 1, E, M, T, M);
  clear(P, m * M);
  upper(m, m, E, 1, M, T, P, M);
  upper(m, d, K, 1, M, K, P, M);
  mirror(m, M, P);
  gemm(1, d, m, u, D, 1, K, M, x, M);
  return 0.5 * (distance(d, D, N, pivots, u) + logDet(d, pivots));
}
// whether the mean x and the variances in P are finite
bool finite(int m, int M, const double* x, const double* P) {
  double sum = 0;
  for (int j = 0; j < m; j++) sum += (x[j] - x[j]) + (P[j * M + j] - P[j * M + j]);
  return sum == 0;
}

// ---- smoother ----
// From the filtered mean and covariance F of a row, and the smoothed mean x and covariance S of the row after it:
// P = A F Aᵀ + Q as a factor, G = P⁻¹ A F, delta = x - A mean, lagOne = S G, C = (I - GᵀA) F (I - GᵀA)ᵀ + Gᵀ Q G.
// Returns whether P is positive definite.
bool gain(
    int m, int M, const double* A, const double* AT, const double* Q, const double* LQT, const double* mean,
    const double* F, const double* x, const double* S, double* G, double* delta, double* lagOne, double* C, double* N,
    double* pivots, double* P, double* T, double* E) {
  predict(m, M, A, AT, Q, F, G, P);
  if (!factorise(m, M, P, N, pivots)) return false;
  solve(m, M, N, pivots, m, G, M);
  move(m, M, AT, mean, delta);
  for (int j = 0; j < m; j++) delta[j] = x[j] - delta[j];
  clear(lagOne, m * M);
  gemm(m, m, m, S, M, 1, G, M, lagOne, M);
  negate(m * M, G, P);
  diagonal(m, M, 1, E);
  gemm(m, m, m, A, 1, M, P, M, E, M);
  clear(T, m * M);
  gemm(m, m, m, F, M, 1, E, M, T, M);
  clear(C, m * M);
  upper(m, m, E, 1, M, T, C, M);
  clear(T, m * M);
  gemm(m, m, m, LQT, M, 1, G, M, T, M);
  upper(m, m, T, 1, M, T, C, M);
  return true;
}
// x = mean + Gᵀ delta, S = C + Gᵀ lagOne
void retreat(
    int m, int M, const double* mean, const double* G, const double* delta, const double* lagOne, const double* C,
    double* x, double* S) {
  copy(x, mean, m);
  gemm(1, m, m, delta, M, 1, G, M, x, M);
  copy(S, C, m * M);
  upper(m, m, G, 1, M, lagOne, S, M);
  mirror(m, M, S);
}

}

template <class T> int prepare(
    int d, int latent, int /*prepared*/, const double* A, const double* B, const double* Q, const double* LQ,
    const double* R, const double* LR, double* model) {
  const int m = latent, M = pad<double>(m), D = pad<double>(d);
  double *AT = model + m * M, *q = AT + m * M, *LQT = q + m * M, *b = LQT + m * M, *H = b + d * M, *HT = H + d * M;
  double *r = HT + m * D, *WT = r + d * D, *constant = WT + d * D;
  clear(model, int(constant - model) + 8);
  spread(m, m, M, A, model);
  spread(m, m, M, Q, q);
  spread(d, m, M, B, b);
  spread(d, d, D, R, r);
  for (int i = 0; i < m; i++)
    for (int j = 0; j < m; j++) {
      AT[j * M + i] = A[i * m + j];
      LQT[j * M + i] = j > i ? 0 : LQ[tri(i) + j];
    }
  for (int i = 0; i < d; i++) {
    const double *row = LR + tri(i), pivot = row[i];
    for (int j = 0; j < m; j++) {
      double s = B[i * m + j];
      for (int p = 0; p < i; p++) s = nmadd(row[p], H[p * M + j], s);
      H[i * M + j] = HT[j * D + i] = s / pivot;
    }
    for (int j = 0; j <= i; j++) {
      double s = i == j;
      for (int p = j; p < i; p++) s = nmadd(row[p], WT[j * D + p], s);
      WT[j * D + i] = s / pivot;
    }
    *constant += log(pivot) + HALF_LOG_2PI;
  }
  return 0;
}

template <class T> int filter(
    int /*n*/, int s, int d, int latent, int /*prepared*/, int carried, int /*scratch*/, int predicted, int filtered,
    int /*keep*/, const int* lengths, const double* model, const int* started, const double* x, double* work,
    double* state, double* predictedMean, double* predictedCovariance, double* mean, double* covariance,
    double* logDensity) {
  const int m = latent, M = pad<double>(m), D = pad<double>(d);
  if (m <= SMALL && d <= SMALL)
    return LANES_OF(filterLanes, m)(
        s, d, carried, predicted > 0, filtered > 0, lengths, model, started, x, work, state, predictedMean,
        predictedCovariance, mean, covariance, logDensity);
  const double *A = model, *AT = A + m * M, *Q = AT + m * M, *B = Q + 2 * m * M, *H = B + d * M, *HT = H + d * M;
  const double *R = HT + m * D, *WT = R + d * D, *constant = WT + d * D;
  double *F = work, *P = F + m * M, *U = P + m * M, *E = U + m * M, *K = E + m * M, *G = K + d * M, *H1 = G + d * M;
  double *HT1 = H1 + d * M, *S = HT1 + m * D, *N = S + d * D, *L = N + d * D, *z = L + d * D, *zp = z + M;
  double *minus = zp + M, *u = minus + M, *pivots = u + D;
  for (int sequence = 0, t = 0; sequence < s; sequence++, state += carried) {
    if (lengths[sequence] == 0) continue;
    copy(z, state, m);
    spread(m, m, M, state + m, F);
    for (int i = 0; i < lengths[sequence]; i++, t++, x += d) {
      if (i > 0 || started[sequence]) {
        move(m, M, AT, z, zp);
        predict(m, M, A, AT, Q, F, U, P);
        mirror(m, M, P);
      } else {
        copy(zp, z, m);
        copy(P, F, m * M);
      }
      if (predicted) {
        copy(predictedMean + size_t(t) * m, zp, m);
        pack(m, m, M, P, predictedCovariance + size_t(t) * m * m);
      }
      const int count = countSeen(d, x);
      double density = 0;
      if (count > 0) {
        const double *h = H, *hT = HT;
        clear(u, D);
        if (count == d) {
          density = *constant;
          gemm(1, d, d, x, d, 1, WT, D, u, D);
        } else {
          h = H1;
          hT = HT1;
          factorSeen(d, D, x, R, L);
          density = whiten(d, m, D, M, x, B, L, H1, HT1, u);
        }
        density = -(density + update(d, m, D, M, h, hT, u, zp, P, K, G, S, N, pivots, E, U, minus));
      }
      if (!(density - density == 0) || !finite(m, M, zp, P)) return t + 1;
      copy(z, zp, m);
      copy(F, P, m * M);
      if (filtered) {
        copy(mean + size_t(t) * m, z, m);
        pack(m, m, M, F, covariance + size_t(t) * m * m);
      }
      logDensity[t] = density;
    }
    copy(state, z, m);
    pack(m, m, M, F, state + m);
  }
  return 0;
}

template <class T> int smooth(
    int /*n*/, int s, int /*d*/, int latent, int /*prepared*/, int carried, int /*scratch*/, const int* lengths,
    const double* model, const int* ended, const double* mean, const double* covariance, double* work, double* state,
    double* smoothedMean, double* smoothedCovariance, double* lagOne) {
  const int m = latent, M = pad<double>(m);
  const double *A = model, *AT = A + m * M, *Q = AT + m * M, *LQT = Q + m * M;
  double *F = work, *P = F + m * M, *S = P + m * M, *G = S + m * M, *U = G + m * M, *C = U + m * M, *N = C + m * M;
  double *V = N + m * M, *E = V + m * M, *z = E + m * M, *delta = z + M, *pivots = delta + M, *lanes = pivots + 2 * M;
  clear(z, M);
  clear(S, m * M);
  if (m <= SMALL) clear(lanes, sizeof(Rows) / sizeof(double));
  for (int sequence = 0, end = 0; sequence < s; sequence++, state += carried) {
    if (lengths[sequence] == 0) continue;
    const int from = end;
    end += lengths[sequence];
    int t = end - 1;
    if (ended[sequence]) {
      copy(smoothedMean + size_t(t) * m, mean + size_t(t) * m, m);
      copy(smoothedCovariance + size_t(t) * m * m, covariance + size_t(t) * m * m, m * m);
      clear(lagOne + size_t(t) * m * m, m * m);
      copy(state, mean + size_t(t) * m, m);
      copy(state + m, covariance + size_t(t) * m * m, m * m);
      t--;
    }
    copy(z, state, m);
    spread(m, m, M, state + m, S);
    if (m <= SMALL) {
      const int info = LANES_OF(smoothLanes, m)(
          from, t + 1, model, mean, covariance, lanes, z, S, smoothedMean, smoothedCovariance, lagOne);
      if (info > 0) return info;
    }
    for (; m > SMALL && t >= from; t--) {
      const double* one = mean + size_t(t) * m;
      spread(m, m, M, covariance + size_t(t) * m * m, F);
      if (!gain(m, M, A, AT, Q, LQT, one, F, z, S, G, delta, U, C, N, pivots, P, V, E)) return t + 1;
      pack(m, m, M, U, lagOne + size_t(t) * m * m);
      retreat(m, M, one, G, delta, U, C, z, S);
      copy(smoothedMean + size_t(t) * m, z, m);
      pack(m, m, M, S, smoothedCovariance + size_t(t) * m * m);
    }
    copy(state, z, m);
    pack(m, m, M, S, state + m);
  }
  return 0;
}

// With X = P⁻¹ (S G + delta zᵀ) and Y = P⁻¹ (S + delta deltaᵀ) P⁻¹, z that of row t, I - A Gᵀ being Q P⁻¹:
// cross = Q ΣX - A ΣC,  W = Q ΣY Q + A ΣC Aᵀ. complete rows: observed = Σ e zᵀ - B ΣS, residual = Σ e eᵀ + B ΣS
// Bᵀ.
template <class T> int moments(
    int /*n*/, int s, int d, int latent, int /*prepared*/, int carried, int /*scratch*/, const int* lengths,
    const double* model, const int* started, const int* ended, const double* initialMean, const double* x,
    const double* mean, const double* covariance, double* work, double* state, double* S00, double* cross, double* W,
    double* Szz, double* observed, double* residual, double* first, double* firstSquare) {
  const int m = latent, M = pad<double>(m), D = pad<double>(d);
  const double *A = model, *AT = A + m * M, *Q = AT + m * M, *LQT = Q + m * M, *B = LQT + m * M;
  const double* R = B + 2 * d * M + m * D;
  double *F = work, *P = F + m * M, *S = P + m * M, *G = S + m * M, *U = G + m * M, *C = U + m * M, *N = C + m * M;
  double *V = N + m * M, *E = V + m * M, *Y = E + m * M, *one8 = Y + m * M, *sums = one8 + m * M,
         *sumO = sums + 5 * m * M;
  double *K = sumO + d * M, *DS = K + d * M, *sumR = DS + d * M, *L = sumR + d * D, *VG = L + d * D, *z = VG + d * D;
  double *delta = z + M, *pivots = delta + M, *e = pivots + 2 * M, *lanes = e + 2 * D;
  const Sums to = {sums, sums + m * M, sums + 2 * m * M, sums + 3 * m * M, sums + 4 * m * M, sumO, sumR, L, K, VG, DS,
                   e};
  clear(z, M);
  clear(S, m * M);
  if (m <= SMALL) clear(lanes, sizeof(Rows) / sizeof(double));
  for (int sequence = 0, end = 0; sequence < s; sequence++, state += carried) {
    if (lengths[sequence] == 0) continue;
    const int from = end;
    end += lengths[sequence];
    clear(sums, 5 * m * M);
    clear(sumO, d * M);
    clear(sumR, d * D);
    int t = end - 1;
    if (ended[sequence]) {
      copy(state, mean + size_t(t) * m, m);
      copy(state + m, covariance + size_t(t) * m * m, m * m);
    }
    copy(z, state, m);
    spread(m, m, M, state + m, S);
    if (ended[sequence]) {
      for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++) Szz[i * m + j] += madd(z[i], z[j], S[i * M + j]);
      addRow(d, m, D, M, x + size_t(t) * d, B, R, z, S, to);
      t--;
    }
    if (m <= SMALL) {
      const int info = LANES_OF(momentsLanes, m)(from, t + 1, d, model, mean, covariance, x, lanes, z, S, to);
      if (info > 0) return info;
    }
    for (; m > SMALL && t >= from; t--) {
      const double* one = mean + size_t(t) * m;
      spread(m, m, M, covariance + size_t(t) * m * m, F);
      if (!gain(m, M, A, AT, Q, LQT, one, F, z, S, G, delta, U, C, N, pivots, P, V, E)) return t + 1;
      addLines(m * M, C, to.C);
      // V = P⁻¹ S, and its transpose
      copy(V, S, m * M);
      retreat(m, M, one, G, delta, U, C, z, S);
      solve(m, M, N, pivots, m, V, M);
      for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++) Y[j * M + i] = V[i * M + j];
      solve(m, M, N, pivots, m, Y, M);
      for (int i = 0; i < m; i++) one8[i * 8] = delta[i];
      solve(m, M, N, pivots, 1, one8, 8);
      for (int i = 0; i < m; i++) delta[i] = one8[i * 8];
      gemm(m, m, m, V, M, 1, G, M, to.X, M);
      addOuter(m, m, delta, z, to.X, M);
      addLines(m * M, Y, to.Y);
      addOuter(m, m, delta, delta, to.Y, M);
      addLines(m * M, S, to.Z);
      addOuter(m, m, z, z, to.Z, M);
      addRow(d, m, D, M, x + size_t(t) * d, B, R, z, S, to);
    }
    // the triangles of C, S, Z and Y
    mirror(m, M, to.Y);
    mirror(m, M, to.S);
    mirror(m, M, to.Z);
    double *X = E, *sumX = to.X, *sumY = to.Y, *sumC = to.C, *sumS = to.S, *sumZ = to.Z, *Z = K;
    addRows(m, m, M, sumZ, S00);
    addRows(m, m, M, sumZ, Szz);
    mirror(m, M, sumC);
    // U = A ΣC, X = Q ΣX - U
    clear(U, m * M);
    gemm(m, m, m, A, M, 1, sumC, M, U, M);
    negate(m * M, U, X);
    gemm(m, m, m, Q, M, 1, sumX, M, X, M);
    addRows(m, m, M, X, cross);
    clear(X, m * M);
    upper(m, m, U, M, 1, AT, X, M);
    clear(V, m * M);
    gemm(m, m, m, sumY, M, 1, Q, M, V, M);
    upper(m, m, Q, M, 1, V, X, M);
    mirror(m, M, X);
    addRows(m, m, M, X, W);
    // Z = B ΣS
    clear(Z, d * M);
    gemm(d, m, m, B, M, 1, sumS, M, Z, M);
    addProduct(d, m, M, Z, B, D, sumR);
    addRows(d, d, D, sumR, residual);
    for (int i = 0; i < d; i++)
      for (int j = 0; j < m; j++) observed[i * m + j] += sumO[i * M + j] - Z[i * M + j];
    if (!started[sequence])
      for (int i = 0; i < m; i++) {
        first[i] += z[i] - initialMean[i];
        for (int j = 0; j < m; j++)
          firstSquare[i * m + j] += madd(z[i] - initialMean[i], z[j] - initialMean[j], S[i * M + j]);
      }
    copy(state, z, m);
    pack(m, m, M, S, state + m);
  }
  return 0;
}
}
INSTANTIATE_LDS
