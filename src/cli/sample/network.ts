/** Samples of networks: sequences. */
import { Option } from 'commander';
import type { MixtureDensityNetwork } from '../../index.ts';
import { counted } from '../errors.ts';
import { columnsOf } from '../inputs.ts';
import { number } from '../options.ts';
import { draw, freeName, type Piece, type SampleKind, type SampleOptions, STEPS, seedOf, stepsOption } from './kind.ts';

interface SequenceOptions extends SampleOptions {
  readonly steps?: number;
  readonly bias?: number;
}

export const networkSample: SampleKind<MixtureDensityNetwork> = {
  options: [
    stepsOption,
    new Option('--bias <b>', '0 or more; a greater one makes neater sequences (default: 0)').argParser(number),
  ],
  start: (model, options: SequenceOptions) => {
    const { seed, bias = 0 } = options;
    draw(() => model.sample(0, { seed, bias }));
    const columns = columnsOf(model);
    const isPen = model.dimension === 3 && model.binary === 1;
    return {
      columns: [freeName(columns), ...columns],
      format: 'ndjson',
      ...(isPen && { drawing: `seed ${seed}${bias ? `, bias ${bias}` : ''}` }),
      pieces: () => sequencesOf(model, options),
      progressText: (done) => counted(done, 'sequence'),
    };
  },
};
/** Sequences: the first is what `model.sample` gives for the seed, each other one has a seed of its own. */
function* sequencesOf(model: MixtureDensityNetwork, options: SequenceOptions): Generator<Piece> {
  const { count, seed, steps = STEPS, bias = 0 } = options;
  for (let sequence = 0; sequence < count; sequence++)
    yield {
      x: draw(() => model.sample(steps, { seed: seedOf(seed, sequence), bias })),
      sequence,
      done: sequence + 1,
    };
}
