// Kernels of the test build only: every word of the grammar. Twin: test/probe/probe.ts
#include "kernels.h"
#include "linalg.h"
namespace ISA::probe {
template <class T>
int masked(int n, int d, const T* x, const uint8_t* mask, const T* c, const T* mean, const T* u, T* row, T* out) {
  for (int i = 0; i < n; i++, x += d, mask += d) {
    for (int j = 0; j < d; j++) row[j] = mask[j] ? x[j] : mean[j];
    T s = 0;
    for (int j = 0; j < d; j++)
      if (mask[j]) {
        const T z = (row[j] - mean[j]) * u[j];
        s = s + (c[j] - z * z);
      }
    out[i] = s;
  }
  return 0;
}

template <class T> int recur(
    int /*n*/, int s, int /*t*/, int units, int /*gates*/, int activation, const int* lengths, const T* a, const T* W,
    T* z, T* state, T* h) {
  const int width = pad<T>(units);
  for (int i = 0; i < s; i++, state += units) {
    const T* last = state;
    T* line = z;
    for (int t = 0; t < lengths[i]; t++, a += units, h += units, line += width) {
      for (int j = 0; j < units; j++) line[j] = a[j];
      for (int j = units; j < width; j++) line[j] = T(0);
      for (int j = 0; j < width; j += LANES<T>) {
        V<T> v = load(line + j);
        for (int p = 0; p < units; p++) v = madd<T>(splat(last[p]), load(W + size_t(p) * width + j), v);
        store(line + j, Activation(activation) == Activation::tanh ? tanh<T>(v) : pmax<T>(v, V<T>{}));
      }
      for (int j = 0; j < units; j++) h[j] = line[j];
      last = line;
    }
    for (int j = 0; j < units; j++) state[j] = last[j];
  }
  return 0;
}

template <class T>
int tally(int /*n*/, int s, int d, const int* lengths, const T* x, double* steps, double* first, double* total) {
  for (int i = 0, row = 0; i < s; i++) {
    *steps += lengths[i];
    for (int t = 0; t < lengths[i]; t++, row++, x += d)
      for (int j = 0; j < d; j++) {
        if (x[j] != x[j]) return row * d + j + 1;
        if (t == 0) first[j] += x[j];
        total[j] += x[j];
      }
  }
  return 0;
}

template <class T> int rotate(int d, const T* G, T* v, T* w, double* norm) {
  for (int j = 0; j < d; j++)
    if (!(v[j] - v[j] == 0)) return j + 1;
  for (int i = 0; i < d; i++) {
    w[i] = 0;
    for (int j = 0; j < d; j++) w[i] = w[i] + G[i * d + j] * v[j];
  }
  for (int j = 0; j < d; j++) {
    v[j] = w[j];
    *norm = madd(double(v[j]), double(v[j]), *norm);
  }
  return 0;
}
}
INSTANTIATE_PROBE
