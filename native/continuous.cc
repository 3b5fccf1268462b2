// The continuous-time network, step by step; units in lanes. docs/math/continuous.md. Twin: assembly/continuous.ts
#include "kernels/continuous.h"
#include "linalg.h"
namespace ISA::continuous {
template <class T>
int run(int n, int d, const T* state, const T* W, const T* b, const T* alpha, T* line, T* x, T* slopes) {
  const V<T> step = splat(*alpha), minusTwo = splat(T(-2));
  for (const T* last = state; n > 0; n--, last = x, x += d, slopes += d) {
    memcpy(line, b, size_t(d) * sizeof(T));
    gemm(1, d, d, last, d, 1, W, pad<T>(d), line, d);
    for (int j = 0; j < d; j += LANES<T>) {
      const int left = d - j;
      const V<T> p = loadSome(line + j, left), before = loadSome(last + j, left);
      storeSome(slopes + j, sech2<T>(exp<T>(minusTwo * abs<T>(p))), left);
      storeSome(x + j, madd<T>(step, tanh<T>(p) - before, before), left);
    }
  }
  return 0;
}

template <class T> int jacobians(int n, int d, const T* slopes, const T* back, const T* alpha, T* J) {
  const T keep = T(1) - *alpha;
  for (; n > 0; n--, slopes += d)
    for (int i = 0; i < d; i++, J += d) {
      const V<T> s = splat(*alpha * slopes[i]);
      for (int j = 0; j < d; j += LANES<T>) storeSome(J + j, s * loadSome(back + size_t(i) * d + j, d - j), d - j);
      J[i] += keep;
    }
  return 0;
}

template <class T>
int adjoint(int n, int d, const T* dx, const T* slopes, const T* back, const T* alpha, T* line, T* e, T* l) {
  const V<T> step = splat(*alpha), keep = splat(T(1) - *alpha);
  for (int t = n - 1; t >= 0; t--) {
    const size_t at = size_t(t) * d;
    for (int j = 0; j < d; j += LANES<T>) {
      const int left = d - j;
      const V<T> own = loadSome(l + j, left);
      storeSome(e + at + j, step * loadSome(slopes + at + j, left) * own, left);
      storeSome(line + j, madd<T>(keep, own, loadSome(dx + at + j, left)), left);
    }
    gemm(1, d, d, e + at, d, 1, back, pad<T>(d), line, d);
    memcpy(l, line, size_t(d) * sizeof(T));
  }
  return 0;
}

template <class T> int sensitivities(int n, int d, int columns, const T* J, T* line, T* S) {
  for (int t = 1; t < n; t++) {
    const size_t size = size_t(d) * columns;
    fill(d, columns, S + (t - 1) * size, line);
    gemm(d, d, columns, J + size_t(t) * d * d, d, 1, line, pad<T>(columns), S + t * size, columns);
  }
  return 0;
}
}
INSTANTIATE_CONTINUOUS
