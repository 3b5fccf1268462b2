/** Draws of a system. */
import { callError } from '../../errors.ts';
import type { Random } from '../../random.ts';
import { addProduct } from '../triangles.ts';
import { factorOf } from './gradient.ts';
import { times } from './matrix.ts';
import type { System } from './parameters.ts';

/** Draws a sequence into y [steps,d]. Throws NON_FINITE. */
export function draw(where: string, system: System, random: Random, y: Float64Array): Float64Array {
  const { m, d, transition: A, observation: B } = system;
  const [Q, R, V] = [
    factorOf(system.transitionCovariance, m),
    factorOf(system.observationCovariance, d),
    factorOf(system.initialCovariance, m),
  ];
  const normals = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal());
  let z: Float64Array = system.initialMean.slice();
  for (let at = 0; at < y.length; at += d) {
    if (at > 0) z = times(A, z, m, m);
    addProduct(at > 0 ? Q : V, normals(m), true, z);
    const row = times(B, z, d, m);
    addProduct(R, normals(d), true, row);
    y.set(row, at);
  }
  if (!y.every(Number.isFinite))
    throw callError('NON_FINITE', where, 'a draw overflows: the system explodes', { argument: 'parameters' });
  return y;
}
