/** Descriptions of linear dynamical systems: how the state moves, its noise, and what observations do not show. */
import type { LinearDynamicalSystem } from '../../index.ts';
import { alignColumns, formatNumber } from '../align.ts';
import { type Description, factsOf, namesOf } from '../describe.ts';
import { counted } from '../errors.ts';
import { stripControls } from '../exit.ts';

export function describeSystem(model: LinearDynamicalSystem): Description {
  const { kind, dimension: d, latent: m, tied, parameterCount: parameters, parameters: own, sequenceColumn } = model;
  const { real, imaginary } = model.eigenvalues();
  const { rank, singularValues, unobservable } = model.observability();
  const deviations = (S: Float64Array, n: number): number[] =>
    Array.from({ length: n }, (_, i) => Math.sqrt(S[i * (n + 1)]!));
  const directions = Array.from({ length: m - rank }, (_, i) => [...unobservable.subarray(i * m, (i + 1) * m)]);
  const eigenvalues = Array.from(real, (re, i) => ({
    real: re,
    imaginary: imaginary[i]!,
    modulus: Math.hypot(re, imaginary[i]!),
  }));
  const described = {
    ...factsOf(model),
    ...(sequenceColumn !== undefined && { sequenceColumn }),
    latent: m,
    tied,
    parameters,
    eigenvalues,
    stateNoise: deviations(own.transitionCovariance, m),
    observationNoise: deviations(own.observationCovariance, d),
    initialDeviation: deviations(own.initialCovariance ?? own.transitionCovariance, m),
    observability: { rank, singularValues: [...singularValues], unobservable: directions },
  };
  const lines = [
    `${kind} in ${counted(d, 'dimension')}, ${m} latent${tied ? ', initial covariance tied' : ''}: ${parameters} parameters`,
    ...(sequenceColumn === undefined ? [] : [`sequences by the column ${stripControls(sequenceColumn)}`]),
    ...alignColumns([
      ['eigenvalue of A', 'modulus', 'period', 'in the unit circle'],
      ...eigenvalues.map(({ real: re, imaginary: im, modulus }) => [
        im === 0 ? formatNumber(re) : `${formatNumber(re)} ${im < 0 ? '-' : '+'} ${formatNumber(Math.abs(im))}i`,
        formatNumber(modulus),
        im === 0 ? '' : formatNumber((2 * Math.PI) / Math.abs(Math.atan2(im, re))),
        place(modulus),
      ]),
    ]),
    `state noise        ${described.stateNoise.map(formatNumber).join(', ')} (standard deviations)`,
    ...alignColumns([
      ['column', 'noise'],
      ...namesOf(model).map((name, j) => [name, formatNumber(described.observationNoise[j]!)]),
    ]),
    rank === m
      ? 'observations reveal every direction of the state'
      : `observations reveal ${rank} of ${m} directions of the state; these never show:`,
    ...directions.map((v) => `  ${v.map(formatNumber).join(', ')}`),
  ];
  return { described, text: lines.join('\n') };
}
const place = (modulus: number): string =>
  Math.abs(modulus - 1) < 1e-9 ? 'on it' : modulus < 1 ? 'inside' : 'outside: explodes';
