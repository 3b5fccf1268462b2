/** Samples of linear dynamical systems: sequences. */
import type { LinearDynamicalSystem } from '../../index.ts';
import { counted } from '../errors.ts';
import { columnsOf } from '../inputs.ts';
import { draw, freeName, type SampleKind, type SampleOptions, STEPS, seedOf, stepsOption } from './kind.ts';

interface SequenceOptions extends SampleOptions {
  readonly steps?: number;
}

/** The first sequence is what `model.sample` gives for the seed, each other one has a seed of its own. */
export const systemSample: SampleKind<LinearDynamicalSystem> = {
  options: [stepsOption],
  start: (model, { count, seed, steps = STEPS }: SequenceOptions) => {
    draw(() => model.sample(0, { seed }));
    const columns = columnsOf(model);
    return {
      columns: [freeName(columns), ...columns],
      format: 'ndjson',
      *pieces() {
        for (let sequence = 0; sequence < count; sequence++)
          yield {
            x: draw(() => model.sample(steps, { seed: seedOf(seed, sequence) })),
            sequence,
            done: sequence + 1,
          };
      },
      progressText: (done) => counted(done, 'sequence'),
    };
  },
};
