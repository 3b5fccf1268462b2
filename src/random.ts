/** Seeded draws from pure-rand's xoroshiro128+: a seed gives the same stream on every engine. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

const GOLDEN = 0x9e3779b1; // 2^32 over the golden ratio, odd: its multiples are spread over all words

/** A bijection of 32 bits without visible pattern (murmur3's finaliser). */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

export class Random {
  private readonly generator;
  private spare: number | undefined;
  /**
   * Seeds and streams of a seed are unsigned 32-bit numbers. Both are hashed into every word of the state: neighbouring
   * seeds give unrelated draws from the first on, and stream 1 of one seed is no stream of another.
   */
  constructor(seed: number, stream = 0) {
    const word = (i: number): number => mix(mix((seed + Math.imul(i, GOLDEN)) | 0) + Math.imul(stream + 1, GOLDEN));
    this.generator = xoroshiro128plusFromState([word(1), word(2), word(3), word(4)]);
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
