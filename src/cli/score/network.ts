/** Scores of networks: the first row of a sequence has no density. */
import type { MixtureDensityNetwork } from '../../index.ts';
import { sequencesFor, Walk } from '../network.ts';
import type { ScoreKind } from './kind.ts';
import { type SequenceOptions, SequenceScores, sequenceOptions } from './sequences.ts';

export const networkScore: ScoreKind<MixtureDensityNetwork> = {
  options: sequenceOptions,
  start: (model, options: SequenceOptions, formats) =>
    new SequenceScores(model.dimension, new Walk(model), sequencesFor(model, options), options, formats),
};
