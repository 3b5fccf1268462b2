/** The Palmer penguins, as the npm package vega-datasets ships them, and one Gaussian per species. */
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

/** The species, and the parameters of their mixture: shares, means and covariances of the birds measured completely. */
export function fromLabels(birds: readonly Bird[]) {
  const complete = birds.filter(({ values }) => !values.some(Number.isNaN));
  const species = [...new Set(complete.map((bird) => bird.species))];
  const groups = species.map((name) => complete.filter((bird) => bird.species === name).map(({ values }) => values));
  const parameters = {
    weights: groups.map((rows) => rows.length / complete.length),
    means: groups.map(mean),
    covariances: groups.map(covariance),
  };
  return { species, parameters };
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const mean = (rows: readonly (readonly number[])[]): number[] =>
  measurements.map((_, i) => average(rows.map((row) => row[i]!)));
function covariance(rows: readonly (readonly number[])[]): number[][] {
  const m = mean(rows);
  return m.map((mi, i) => m.map((mj, j) => average(rows.map((row) => (row[i]! - mi) * (row[j]! - mj)))));
}
