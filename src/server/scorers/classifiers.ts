/** Classifiers, of rows and of sequences: their outputs are probabilities. */
import type { Real, RecurrentClassifier, TwoLayerClassifier } from '../../index.ts';
import { type Column, real, type Scorer } from './kind.ts';

export const twoLayerScorer = (model: TwoLayerClassifier): Scorer => ({
  dimension: model.inputs,
  knowsGaps: false,
  ofSequences: false,
  outputs: { probabilities: real('row', model.outputs) },
  standard: ['probabilities'],
  pricePerRow: () => model.parameterCount,
  score: ({ values }) => ({
    probabilities: { values: model.predict(values).probabilities, width: model.outputs, per: 'row' },
  }),
});

/** The probabilities after the last row of a sequence, or after each, as the classifier was fitted. */
export function recurrentScorer(model: RecurrentClassifier): Scorer {
  const { outputs: width } = model;
  const per = model.lossAt === 'final' ? 'sequence' : 'row';
  return {
    dimension: model.inputs,
    knowsGaps: false,
    ofSequences: true,
    outputs: { probabilities: real(per, width) },
    standard: ['probabilities'],
    pricePerRow: () => model.parameterCount,
    score: ({ values, lengths }) => ({
      probabilities: { values: model.predict({ values, lengths: lengths! }).probabilities, width, per },
    }),
    online: {
      outputs: { probabilities: real('row', width) },
      single: true,
      start: (): Real => new Float64Array(model.hidden),
      advance(state, { values, n }) {
        const h0 = state as Real;
        const lengths = Int32Array.of(n);
        const { probabilities, hidden } = model.forward({ values, lengths }, { h0, lossAt: 'all' });
        return {
          state: n > 0 ? hidden.slice(-model.hidden) : h0,
          columns: { probabilities: { values: probabilities, width, per: 'row' } },
        };
      },
    },
    summarise: (_, { values }): Column => ({ values: (values as Real).slice(-width), width, per: 'sequence' }),
  };
}
