/** The output of `console.log` for a model: its kind and sizes, not its private state. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Gaussian, GaussianMixture, MixtureDensity, MixtureDensityNetwork } from '../../src/index.ts';
import { modelsOn } from '../support/kinds.ts';
import { titled } from '../support/models.ts';

const show = (value: unknown): string => inspect(value, { breakLength: Number.POSITIVE_INFINITY });
const parameters = {
  weights: [0.5, 0.5],
  means: [0, 0, 1, 1],
  covariances: [1, 2],
  covarianceType: 'spherical',
} as const;

describe.each(titled)('on %s', (_, backend) => {
  const on = `backend: '${backend.name} ${backend.isa}'`;
  test.each(modelsOn(backend).map((model) => [model.kind, model] as const))('a %s, its sizes first', (kind, model) =>
    expect(show(model)).toMatch(new RegExp(`^\\w+ \\{ kind: '${kind}', (dimension|inputs): \\d+, .*${on} }$`)),
  );
  test('a Gaussian', () => {
    const model = new Gaussian({ mean: [0, 0], variances: [1, 2] }, { backend, columns: ['a', 'b'] });
    expect(show(model)).toBe(`Gaussian { kind: 'gaussian', dimension: 2, ${on}, columns: [ 'a', 'b' ] }`);
  });
  test('a mixture, alone, in an object, disposed of, of a class of the caller', () => {
    const size = `kind: 'gaussian-mixture', dimension: 2, componentCount: 2, covarianceType: 'spherical'`;
    const model = new GaussianMixture(parameters, { backend });
    expect(show(model)).toBe(`GaussianMixture { ${size}, ${on} }`);
    expect(show({ model })).toBe(`{ model: GaussianMixture { ${size}, ${on} } }`);
    const anomaly = { threshold: -3, falsePositiveRate: 0.25 };
    const judging = new GaussianMixture(parameters, { backend, anomaly });
    expect(show(judging)).toContain('anomaly: { threshold: -3, falsePositiveRate: 0.25 }');
    model.dispose();
    expect(show(model)).toContain(size);
    class Mine extends GaussianMixture {}
    expect(show(new Mine(parameters, { backend }))).toContain(`Mine`);
  });
  test('statistics', () => {
    const statistics = new GaussianMixture(parameters, { backend }).statistics([[0, 0]]);
    const { logLikelihood } = statistics;
    const facts = `rows: 1, logLikelihood: ${logLikelihood}, dimension: 2, components: 2`;
    expect(show(statistics)).toBe(`MixtureStatistics { ${facts} }`);
  });
  test('a density and a network', () => {
    expect(show(new MixtureDensity({ components: 3, dimension: 2 }, { backend }))).toBe(
      `MixtureDensity { components: 3, dimension: 2, mapping: 'chol-exp', binary: 0, outputs: 18, ${on} }`,
    );
    const shape = { dimension: 2, hidden: [4, 3], components: 3, mapping: 'diag-exp', cell: 'lstm' } as const;
    const network = new MixtureDensityNetwork({ ...shape, inputSkip: false, binary: 0, seed: 1 }, { backend });
    expect(show(network)).toBe(
      `MixtureDensityNetwork { kind: 'mixture-density-network', dimension: 2, hidden: [ 4, 3 ], components: 3, mapping: ` +
        `'diag-exp', cell: 'lstm', inputSkip: false, binary: 0, ${on} }`,
    );
  });
});
test('what merely inherits from a model is printed, too', () => {
  for (const { prototype } of [Gaussian, GaussianMixture, MixtureDensity, MixtureDensityNetwork])
    expect(() => show([prototype, Object.create(prototype)])).not.toThrow();
});
