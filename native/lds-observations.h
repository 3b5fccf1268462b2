// The observations of a system: rows with gaps, and the sums of the E step. docs/math/lds.md. Twin:
// assembly/lds-observations.ts
#pragma once
#include "kernels/lds.h"
#include "linalg.h"
namespace ISA::lds { namespace {
INLINE void copy(double* to, const double* from, int n) { memcpy(to, from, size_t(n) * sizeof(double)); }
INLINE void clear(double* to, int n) { memset(to, 0, size_t(n) * sizeof(double)); }
// n rows of d values as lines, and lines as rows
void spread(int n, int d, int width, const double* rows, double* lines) {
  for (int i = 0; i < n; i++) copy(lines + i * width, rows + i * d, d);
}
void pack(int n, int d, int width, const double* lines, double* rows) {
  for (int i = 0; i < n; i++) copy(rows + i * d, lines + i * width, d);
}
// the triangle above the diagonal becomes the one below, too
void mirror(int n, int width, double* C) {
  for (int i = 1; i < n; i++)
    for (int j = 0; j < i; j++) C[i * width + j] = C[j * width + i];
}
// to = -from
void negate(int n, const double* from, double* to) {
  for (int j = 0; j < n; j += LANES<double>) store(to + j, -load(from + j));
}
// x += a y
INLINE void addTimes(int n, double a, const double* y, double* x) {
  const V<double> c = splat(a);
  for (int j = 0; j < n; j += LANES<double>) store(x + j, madd<double>(c, load(y + j), load(x + j)));
}

// ---- observations with gaps ----
constexpr double HALF_LOG_2PI = 0.9189385332046727;
INLINE bool seen(double x) { return x == x; }
int countSeen(int d, const double* x) {
  int count = 0;
  for (int j = 0; j < d; j++) count += seen(x[j]);
  return count;
}
// L = the factor of the block of R that is seen, with rows and columns of the identity where x has gaps
void factorSeen(int d, int D, const double* x, const double* R, double* L) {
  for (int i = 0; i < d; i++)
    for (int j = 0; j <= i; j++) {
      if (!seen(x[i]) || !seen(x[j])) {
        L[i * D + j] = i == j;
        continue;
      }
      double s = R[i * D + j];
      for (int p = 0; p < j; p++) s = nmadd(L[i * D + p], L[j * D + p], s);
      L[i * D + j] = i == j ? sqrt(s) : s / L[j * D + j];
    }
}
// H = L⁻¹ B, its transpose, and y = L⁻¹ x, 0 in the rows of gaps; returns -log of the density's constant
double whiten(
    int d, int m, int D, int M, const double* x, const double* B, const double* L, double* H, double* HT, double* y) {
  double constant = 0;
  for (int i = 0; i < d; i++) {
    double *h = H + i * M, s = seen(x[i]) ? x[i] : 0;
    clear(h, M);
    if (seen(x[i])) {
      copy(h, B + i * M, m);
      for (int p = 0; p < i; p++) {
        addTimes(m, -L[i * D + p], H + p * M, h);
        s = nmadd(L[i * D + p], y[p], s);
      }
      for (int j = 0; j < m; j++) h[j] /= L[i * D + i];
      constant += log(L[i * D + i]) + HALF_LOG_2PI;
    }
    y[i] = s / L[i * D + i];
    for (int j = 0; j < m; j++) HT[j * D + i] = h[j];
  }
  return constant;
}

// ---- sums ----
// C += a bᵀ
void addOuter(int n, int m, const double* a, const double* b, double* C, int width) {
  for (int i = 0; i < n; i++) addTimes(m, a[i], b, C + i * width);
}
// to += from
void addLines(int n, const double* from, double* to) {
  for (int j = 0; j < n; j += LANES<double>) store(to + j, load(to + j) + load(from + j));
}
// rows of a sum += lines
void addRows(int n, int d, int width, const double* lines, double* sum) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < d; j++) sum[i * d + j] += lines[i * width + j];
}
// C += A Bᵀ, which is symmetric
void addProduct(int n, int inner, int width, const double* A, const double* B, int line, double* C) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) {
      double s = 0;
      for (int p = 0; p < inner; p++) s = madd(A[i * width + p], B[j * width + p], s);
      C[i * line + j] += s;
      if (j < i) C[j * line + i] += s;
    }
}
// A row with gaps is x = c + K z + noise given what is seen: residual += e eᵀ + D S Dᵀ + noise, observed += e meanᵀ +
// D S with e = c + D mean and D = K - B; the others are scratch.
void addGappy(
    int d, int m, int D, int M, const double* x, const double* B, const double* R, const double* mean, const double* S,
    double* L, double* Z, double* V, double* DS, double* e, double* observed, double* residual) {
  factorSeen(d, D, x, R, L);
  // Z = L⁻¹ B and e = L⁻¹ (x - B mean), 0 in the rows of gaps; V = L⁻¹ R, columns of gaps only
  for (int i = 0; i < d; i++) {
    double *z = Z + i * M, *v = V + i * D, r = 0;
    clear(z, M);
    clear(v, D);
    if (seen(x[i])) {
      copy(z, B + i * M, m);
      r = x[i];
      for (int j = 0; j < m; j++) r = nmadd(B[i * M + j], mean[j], r);
      for (int j = 0; j < d; j++) v[j] = seen(x[j]) ? 0 : R[i * D + j];
      for (int p = 0; p < i; p++) {
        addTimes(m, -L[i * D + p], Z + p * M, z);
        addTimes(d, -L[i * D + p], V + p * D, v);
        r = nmadd(L[i * D + p], e[p], r);
      }
      for (int j = 0; j < m; j++) z[j] /= L[i * D + i];
      for (int j = 0; j < d; j++) v[j] /= L[i * D + i];
      r /= L[i * D + i];
    }
    e[i] = r;
  }
  // noise: R - Vᵀ V between gaps
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) {
      if (seen(x[i]) || seen(x[j])) continue;
      double s = R[i * D + j];
      for (int p = 0; p < d; p++) s = nmadd(V[p * D + i], V[p * D + j], s);
      residual[i * D + j] += s;
    }
  // rows of what is seen: e = x - B mean, D = -B; rows of gaps: Vᵀ times the whitened ones
  for (int i = 0; i < d; i++) {
    if (seen(x[i])) continue;
    double r = 0;
    clear(DS + i * M, M);
    for (int p = 0; p < d; p++) {
      if (!seen(x[p])) continue;
      addTimes(m, -V[p * D + i], Z + p * M, DS + i * M);
      r = madd(V[p * D + i], e[p], r);
    }
    e[D + i] = r;
  }
  for (int i = 0; i < d; i++) {
    double r = e[D + i];
    if (seen(x[i])) {
      r = x[i];
      for (int j = 0; j < m; j++) r = nmadd(B[i * M + j], mean[j], r);
      negate(M, B + i * M, DS + i * M);
    }
    e[i] = r;
  }
  copy(Z, DS, d * M);
  clear(DS, d * M);
  gemm(d, m, m, Z, M, 1, S, M, DS, M);
  addLines(d * M, DS, observed);
  addOuter(d, m, e, mean, observed, M);
  addOuter(d, d, e, e, residual, D);
  addProduct(d, m, M, DS, Z, D, residual);
}
// The sums of one sequence, in lines, and scratch: those of docs/math/lds.md, C, S and Z (of S + z zᵀ, where a row
// follows) on and above the diagonal.
struct Sums {
  double *X, *Y, *C, *S, *Z, *observed, *residual, *L, *K, *V, *DS, *e;
};
// The row x with its smoothed mean z and covariance S, of which the part below the diagonal may be filled in
void addRow(
    int d, int m, int D, int M, const double* x, const double* B, const double* R, const double* z, double* S,
    const Sums& to) {
  if (countSeen(d, x) < d) {
    mirror(m, M, S);
    return addGappy(d, m, D, M, x, B, R, z, S, to.L, to.K, to.V, to.DS, to.e, to.observed, to.residual);
  }
  for (int i = 0; i < d; i++) {
    double r = x[i];
    for (int j = 0; j < m; j++) r = nmadd(B[i * M + j], z[j], r);
    to.e[i] = r;
  }
  addLines(m * M, S, to.S);
  addOuter(d, m, to.e, z, to.observed, M);
  addOuter(d, d, to.e, to.e, to.residual, D);
}
}}
