/** Units that take no part in learning: they have no gradient to pass on. */
import type { StackArchitecture } from '../stack/architecture.ts';
import type { Trace } from '../stack/pass.ts';

const DEAD = 1e-6;
const SATURATED = 0.99;
const SHARE = 0.95; // of the steps

export function idleUnits(
  { hidden, cell }: StackArchitecture,
  layers: readonly Pick<Trace, 'h'>[],
): { deadUnits: number[][]; saturatedUnits: number[][] } {
  const deadUnits: number[][] = [];
  const saturatedUnits: number[][] = [];
  for (const [n, { h }] of layers.entries()) {
    const units = hidden[n]!;
    const largest = new Float64Array(units);
    const beyond = new Float64Array(units);
    for (const [at, value] of h.entries()) {
      const size = Math.abs(value);
      largest[at % units] = Math.max(largest[at % units]!, size);
      if (size >= SATURATED) beyond[at % units]!++;
    }
    const steps = h.length / units;
    const those = (fits: (unit: number) => boolean): number[] => [...largest.keys()].filter(fits);
    deadUnits.push(those((unit) => largest[unit]! < DEAD));
    saturatedUnits.push(cell === 'relu' ? [] : those((unit) => beyond[unit]! >= SHARE * steps));
  }
  return { deadUnits, saturatedUnits };
}
