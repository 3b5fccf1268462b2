/** The interface between `diagnose` and the models on the stack. */
import type { Real } from '../../../check.ts';
import type { StackArchitecture } from './architecture.ts';
import type { Batch, PassContext } from './pass.ts';

/** The method of a model that can be diagnosed: `[DIAGNOSABLE](): Diagnosable`. */
export const DIAGNOSABLE = Symbol('diagnosable');

export interface Diagnosable {
  readonly architecture: StackArchitecture;
  /** All parameters, never to be written. */
  readonly flat: Float64Array;
  /** A place for passes in f64 with these parameters; whoever asks disposes of its weights. */
  context(where: string, flat: Float64Array): PassContext;
  /** The first sequences, checked, or their heads of `longest` steps; no more than `most` steps of them in all. */
  read(where: string, seqs: unknown, most: number, longest?: number): Task;
}
/** Sequences, and the loss that the model is trained on. */
export interface Task {
  /** In f64. */
  readonly batch: Batch;
  /** The loss over all steps, and its derivative by the outputs [steps, outputs]; of any parameters. */
  lossGradient(context: PassContext, outputs: Real): { readonly loss: number; readonly dOutputs: Real };
}
