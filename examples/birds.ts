/** The Palmer penguins, as the npm package vega-datasets ships them. */
import { readFileSync } from 'node:fs';

export interface Bird {
  readonly species: string;
  readonly island: string;
  /** 'male', 'female' or 'unknown' */
  readonly sex: string;
  /** One value per entry of `measurements`; NaN where it was not measured. */
  readonly values: readonly number[];
}

export const measurements = ['Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)'] as const;
type Measurement = (typeof measurements)[number];
type Entry = { Species: string; Island: string; Sex: string | null } & Record<Measurement, number | null>;

export function readBirds(): Bird[] {
  const file = new URL('../data/penguins.json', import.meta.resolve('vega-datasets'));
  const entries = JSON.parse(readFileSync(file, 'utf8')) as Entry[];
  return entries.map((entry) => ({
    species: entry.Species,
    island: entry.Island,
    sex: entry.Sex === 'MALE' || entry.Sex === 'FEMALE' ? entry.Sex.toLowerCase() : 'unknown', // one says '.'
    values: measurements.map((name) => entry[name] ?? NaN),
  }));
}

export const isMeasured = ({ values }: Bird): boolean => !values.every(Number.isNaN);

/** Counts the birds of each species in each component, and names each component after its most frequent species. */
export function crossTabulate(birds: readonly Bird[], classes: Int32Array, components: number) {
  const species = [...new Set(birds.map((bird) => bird.species))].sort();
  const counts = Array.from({ length: components }, () => species.map(() => 0));
  for (const [i, bird] of birds.entries()) if (isMeasured(bird)) counts[classes[i]!]![species.indexOf(bird.species)]!++;
  const names = counts.map((row) => species[row.indexOf(Math.max(...row))]!);
  return { species, counts, names };
}
