/**
 * Three recurrent networks that differ in the size of their recurrent weights only, and what becomes of a gradient in
 * each of them going back in time: the pictures of docs/gradients.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diagnose, MixtureDensityNetwork } from 'seqlik';
import { gradientsSvg } from '../src/cli/inspect/gradients.ts';
import { Random } from '../src/random.ts';

const UNITS = 64;
const networks = { vanishing: 0.7, stable: 1, exploding: 2.2 };
const folder = process.argv[2] ?? 'build/gradients';

/** A random orthogonal matrix: the columns of normal numbers, made orthogonal one after the other. */
function orthogonal(n: number, random: Random): Float64Array {
  const rows = Array.from({ length: n }, () => Float64Array.from({ length: n }, () => random.normal()));
  for (const [i, row] of rows.entries()) {
    for (const before of [...rows.slice(0, i), ...rows.slice(0, i)]) {
      const dot = row.reduce((sum, v, j) => sum + v * before[j]!, 0);
      for (let j = 0; j < n; j++) row[j]! -= dot * before[j]!;
    }
    const length = Math.hypot(...row);
    for (let j = 0; j < n; j++) row[j]! /= length;
  }
  return Float64Array.from({ length: n * n }, (_, at) => rows[Math.floor(at / n)]![at % n]!);
}

const random = new Random(1);
/** Small waves, so that tanh is nearly the identity while nothing grows. */
const sequences = Array.from({ length: 20 }, (_, s) =>
  Float64Array.from({ length: 201 }, (_, t) => 0.02 * (Math.sin((s + t) / 5) + 0.3 * random.normal())),
);
const W = orthogonal(UNITS, random);
const shape = { dimension: 1, hidden: [UNITS], components: 2, seed: 1 };
const drawn = new MixtureDensityNetwork(shape).parameters;
mkdirSync(folder, { recursive: true });
for (const [name, gain] of Object.entries(networks)) {
  const parameters = { ...drawn, Wh0: W.map((w) => gain * w) };
  const found = diagnose(new MixtureDensityNetwork({ ...shape, parameters }), sequences);
  writeFileSync(join(folder, `${name}.svg`), gradientsSvg(found, `${gain} x orthogonal: `));
  const { growthRate, regime, reach } = found;
  process.stdout.write(`${name}: log growth ${growthRate.toFixed(4)} a step, ${regime}, reach ${reach ?? '-'}\n`);
  process.stdout.write(`  ${found.advice}\n`);
}
