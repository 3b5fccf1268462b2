// Kernels of the test build only: every word of the grammar. Twin: test/probe/probe.cc
import { pad, size } from "../../assembly/linalg";
import { madd, maddOne, pmax, splatAt, tanh, zero } from "../../assembly/simd";
import { Activation } from "./words";

export function masked<T>(
    n: i32, d: i32, x: usize, mask: usize, c: usize, mean: usize, u: usize, row: usize, out: usize): i32 {
  const width = size<T>(d);
  for (let i = 0; i < n; i++, x += width, mask += d) {
    for (let j = 0; j < d; j++) store<T>(row + size<T>(j), load<T>((load<u8>(mask + j) ? x : mean) + size<T>(j)));
    let s = <T>0;
    for (let j = 0; j < d; j++) if (load<u8>(mask + j)) {
      const at = size<T>(j), z = (load<T>(row + at) - load<T>(mean + at)) * load<T>(u + at);
      s = s + (load<T>(c + at) - z * z);
    }
    store<T>(out + size<T>(i), s);
  }
  return 0;
}

export function recur<T>(n: i32, s: i32, t: i32, units: i32, gates: i32, activation: i32,
    lengths: usize, a: usize, W: usize, z: usize, state: usize, h: usize): i32 {
  const row = size<T>(units), width = size<T>(pad<T>(units));
  for (let i = 0; i < s; i++, state += row) {
    let last = state, line = z;
    for (let u = load<i32>(lengths + size<i32>(i)); u > 0; u--, a += row, h += row, line += width) {
      memory.copy(line, a, row);
      memory.fill(line + row, 0, width - row);
      for (let j: usize = 0; j < width; j += 16) {
        let v = load<v128>(line + j);
        for (let p = last, w = W + j, end = last + row; p < end; p += sizeof<T>(), w += width)
          v = madd<T>(splatAt<T>(p), load<v128>(w), v);
        store<v128>(line + j, activation == Activation.tanh ? tanh<T>(v) : pmax<T>(v, zero<T>()));
      }
      memory.copy(h, line, row);
      last = line;
    }
    if (last != state) memory.copy(state, last, row);
  }
  return 0;
}

export function tally<T>(
    n: i32, s: i32, d: i32, lengths: usize, x: usize, steps: usize, first: usize, total: usize): i32 {
  for (let i = 0, row = 0; i < s; i++) {
    const length = load<i32>(lengths + size<i32>(i));
    store<f64>(steps, load<f64>(steps) + <f64>length);
    for (let t = 0; t < length; t++, row++, x += size<T>(d)) for (let j = 0; j < d; j++) {
      const v = load<T>(x + size<T>(j)), f = first + size<f64>(j), a = total + size<f64>(j);
      if (v != v) return row * d + j + 1;
      if (t == 0) store<f64>(f, load<f64>(f) + <f64>v);
      store<f64>(a, load<f64>(a) + <f64>v);
    }
  }
  return 0;
}

export function rotate<T>(d: i32, G: usize, v: usize, w: usize, norm: usize): i32 {
  for (let j = 0; j < d; j++) if (!(load<T>(v + size<T>(j)) - load<T>(v + size<T>(j)) == <T>0)) return j + 1;
  for (let i = 0; i < d; i++) {
    let s = <T>0;
    for (let j = 0; j < d; j++) s = s + load<T>(G + size<T>(i * d + j)) * load<T>(v + size<T>(j));
    store<T>(w + size<T>(i), s);
  }
  for (let j = 0; j < d; j++) {
    const x = <f64>load<T>(w + size<T>(j));
    store<T>(v + size<T>(j), load<T>(w + size<T>(j)));
    store<f64>(norm, maddOne(x, x, load<f64>(norm)));
  }
  return 0;
}
