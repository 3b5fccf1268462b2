/** Scores of linear dynamical systems: the first row of a sequence has its density under the initial state. */
import type { LinearDynamicalSystem } from '../../index.ts';
import { SystemWalk, systemRows } from '../system.ts';
import type { ScoreKind } from './kind.ts';
import { type SequenceOptions, SequenceScores, sequenceOptions } from './sequences.ts';

export const systemScore: ScoreKind<LinearDynamicalSystem> = {
  options: sequenceOptions,
  start: (model, options: SequenceOptions, formats) =>
    new SequenceScores(model.dimension, new SystemWalk(model, 'mark'), systemRows(model, options), options, formats),
};
