// Linear layers; outputs in lanes, and inputs of the gradient. docs/math.md § dense. Twin: assembly/dense.ts
#include "kernels/dense.h"
#include "linalg.h"
namespace ISA::dense {
namespace {
// sum[j] += Σ_r x[r,j], r ascending; the sums of the last vector may be but some
void addRows(int n, int d, const double* x, int width, double* sum) {
  for (int j = 0; j < d; j += LANES<double>) {
    V<double> s = loadSome(sum + j, d - j);
    for (int r = 0; r < n; r++) s += load(x + r * width + j);
    storeSome(sum + j, s, d - j);
  }
}
}

template <class T> int affine(int n, int i, int o, const T* x, const T* W, T* y) {
  for (int at = 0; at < n; at += TILE, x += size_t(TILE) * i, y += size_t(TILE) * o)
    gemm(least(TILE, n - at), i, o, x, i, 1, W, pad<T>(o), y, o);
  return 0;
}

template <class T>
int gradient(int n, int i, int o, const T* x, const T* dy, double* wide, double* dwide, double* dW, double* db) {
  for (int at = 0; at < n; at += TILE, x += size_t(TILE) * i, dy += size_t(TILE) * o) {
    const int rows = least(TILE, n - at);
    widen(rows, i, x, wide);
    widen(rows, o, dy, dwide);
    gemm(o, rows, i, dwide, 1, pad<T>(o), wide, pad<T>(i), dW, i);
    addRows(rows, o, dwide, pad<T>(o), db);
  }
  return 0;
}
}
INSTANTIATE_DENSE
