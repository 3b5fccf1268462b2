/** Seeded draws from pure-rand's xoroshiro128+: a seed gives the same stream on every engine. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Random {
  private readonly generator;
  private spare: number | undefined;
  constructor(seed: number) {
    this.generator = xoroshiro128plus(seed);
  }

  /** Draws from the uniform distribution on [0, 1). */
  uniform(): number {
    return uniformFloat64(this.generator);
  }

  /** Draws from N(0, 1), by Marsaglia's polar method. */
  normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const s = x * x + y * y;
      if (s === 0 || s >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.spare = y * scale;
      return x * scale;
    }
  }

  /** Draws an index with probability proportional to its weight, never one of weight 0. */
  categorical(weights: Float64Array): number {
    let total = 0;
    for (let i = 0; i < weights.length; i++) total += weights[i]!;
    let rest = this.uniform() * total;
    let last = 0;
    for (let i = 0; i < weights.length; i++) {
      const w = weights[i]!;
      if (w === 0) continue;
      last = i;
      if ((rest -= w) < 0) return i;
    }
    return last;
  }
}
