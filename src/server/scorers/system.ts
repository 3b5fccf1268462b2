/** Linear dynamical systems. They compute in f64; results are of the dtype of the data. */
import { type LinearDynamicalSystem, type Real, SeqlikError, type SystemState } from '../../index.ts';
import { type Columns, type Data, real, type Scorer, summariseDensity, sumsOf } from './kind.ts';

export function systemScorer(model: LinearDynamicalSystem): Scorer {
  const { dimension: d, latent: m } = model;
  const missing = { missing: 'nan' } as const;
  const wide = (values: Real): Float64Array => (values instanceof Float64Array ? values : Float64Array.from(values));
  /** Sums are those of the densities in f64, before f32 data make them narrow. */
  const columnsOf = (density: Real, { values, lengths }: Data): Columns => ({
    logDensity: {
      values: values instanceof Float32Array ? Float32Array.from(density) : density,
      width: 1,
      per: 'row',
    },
    logLikelihood: sumsOf(density, lengths!),
  });
  return {
    dimension: d,
    knowsGaps: true,
    ofSequences: true,
    outputs: { logDensity: real('row'), logLikelihood: real('sequence') },
    standard: ['logLikelihood', 'logDensity'],
    pricePerRow: () => 4 * m * m * m + 4 * m * m * d + 2 * m * d * d + (d * d * d) / 3 + 50,
    score: (data) =>
      columnsOf(
        model.logDensity({ values: wide(data.values), lengths: data.lengths! }, data.gaps ? missing : {}),
        data,
      ),
    ...(model.backend.name === 'native' && {
      async scoreAsync(data: Data, _: unknown, signal: AbortSignal) {
        const y = { values: wide(data.values), lengths: data.lengths! };
        return columnsOf(await model.logDensityAsync(y, { ...(data.gaps && missing), signal }), data);
      },
    }),
    online: {
      outputs: { logDensity: real('row') },
      single: true,
      start: () => model.start(),
      advance(state, { values, n, gaps }) {
        const y = wide(values);
        const densities = new Float64Array(n);
        let own = state as SystemState;
        for (let i = 0; i < n; i++)
          try {
            const next = model.step(own, y.subarray(i * d, (i + 1) * d), gaps ? missing : {});
            densities[i] = next.logDensity;
            own = next.state;
          } catch (error) {
            throw error instanceof SeqlikError ? SeqlikError.from({ ...error.toJSON(), row: i }) : error;
          }
        return { state: own, columns: { logDensity: { values: densities, width: 1, per: 'row' } } };
      },
    },
    summarise: summariseDensity,
  };
}
