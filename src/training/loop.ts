/** Training by gradients: epochs of mini-batches, held-out examples, checkpoints. Equations: docs/math/training.md. */
import { callError, SeqlikError } from '../errors.ts';
import { partsOf, shuffleBatches, split } from './batches.ts';
import { type Checkpoint, encodeCheckpoint, type TrainingIdentity } from './checkpoint.ts';
import { allFinite, clipFactor } from './clip.ts';
import { identityOf, requireSame } from './identity.ts';
import { type Optimizer, optimizerOf } from './optimizer.ts';
import { Pace } from './pace.ts';
import { reportOf, type TrainingReport } from './report.ts';
import { rateOf } from './schedule.ts';
import type { TrainingSettings } from './settings.ts';
import { bestOf, endOf } from './stopping.ts';

/**
 * The loss of examples under a flat vector of parameters, to be minimised. One call at a time; neither `parameters` nor
 * `gradient` may be kept: both change after the call. A rejection with SeqlikError NON_FINITE or NOT_POSITIVE_DEFINITE
 * after the first step means that steps led to a bad place.
 */
export interface Task {
  /** Initial values; they are copied. */
  readonly parameters: Float64Array;
  /** The steps of every example: the work it takes. */
  readonly lengths: Int32Array;
  /**
   * The likelihood terms of every example, times its weight: what a mean over terms divides by; default: its steps.
   * Examples without terms are left out.
   */
  readonly terms?: Float64Array;
  /** Identifies this task (architecture, options of the model), by name: only its own checkpoints are accepted. */
  readonly identity: TrainingIdentity;
  /** The loss, summed over these examples; its gradient is added to `gradient`, which comes as zeros. */
  lossGradient(parameters: Float64Array, examples: Int32Array, gradient: Float64Array): Promise<number>;
  loss(parameters: Float64Array, examples: Int32Array): Promise<number>;
}
export interface TrainingResult {
  readonly parameters: Float64Array;
  readonly report: TrainingReport;
}

/**
 * Minimises the loss of a task. One iteration is one epoch. A step goes against the gradient of the loss of a batch,
 * divided by the terms of a mean batch and clipped: so the learning rate depends on neither batch nor lengths, and the
 * steps of an epoch add up to the gradient of the likelihood. Divided by the terms of its own batch, a term would weigh
 * more in a batch of short sequences.
 * Whatever ends it, the parameters that were best on the held-out examples are kept: in the result, or in the checkpoint
 * of an error.
 * Throws EMPTY_INPUT (no terms), ABORTED (checkpoint, cause), DIVERGED (checkpoint, cause), INVALID_ARGUMENT
 * (checkpoint), and the errors of the task, `save` and `onProgress`.
 */
export async function train(task: Task, settings: TrainingSettings): Promise<TrainingResult> {
  return new Training(task, settings).run();
}

/** Training or held-out examples; an evaluation goes part by part, always the same. */
interface ExampleSet {
  readonly examples: Int32Array;
  readonly terms: number;
  readonly parts: readonly Int32Array[];
}

class Training {
  private readonly pace: Pace;
  private readonly terms: ArrayLike<number>;
  private readonly training: ExampleSet;
  private readonly heldOut: ExampleSet;
  private readonly identity: TrainingIdentity;
  private readonly parameters: Float64Array;
  private readonly gradient: Float64Array;
  private readonly optimizer: Optimizer;
  /** The state after the last epoch. */
  private last: Checkpoint | undefined;
  /** Whether the parameters are no longer the initial ones. */
  private moved = false;
  private startedAt = 0; // ms; the first batch of this run
  private done = 0; // batches of this run

  constructor(
    private readonly task: Task,
    private readonly settings: TrainingSettings,
  ) {
    const { where, signal, validation, seed, optimizer, momentum, resume } = settings;
    this.pace = new Pace(signal, where);
    this.terms = task.terms ?? task.lengths;
    const { training, heldOut } = split(this.terms, validation, seed);
    if (training.length === 0) throw callError('EMPTY_INPUT', where, 'the data give no term of a likelihood');
    this.training = this.exampleSet(training);
    this.heldOut = this.exampleSet(heldOut);
    this.identity = identityOf(task, settings, this.training.terms, this.heldOut.terms);
    this.parameters = task.parameters.slice();
    this.gradient = new Float64Array(this.parameters.length);
    this.optimizer = optimizerOf(optimizer, momentum, this.parameters.length);
    if (resume) this.resume(resume);
  }
  private resume(checkpoint: Checkpoint): void {
    requireSame(this.settings.where, checkpoint.identity, this.identity);
    this.parameters.set(checkpoint.parameters);
    for (const [name, values] of Object.entries(this.optimizer.state)) values.set(checkpoint.optimizer[name]!);
    this.last = structuredClone(checkpoint); // its histories will grow
    this.moved = true;
  }

  private exampleSet(examples: Int32Array): ExampleSet {
    const { lengths } = this.task;
    return { examples, terms: termsOf(examples, this.terms), parts: partsOf(examples, lengths) };
  }

  async run(): Promise<TrainingResult> {
    try {
      return await this.runEpochs();
    } catch (error) {
      if (!(error instanceof SeqlikError && error.code === 'ABORTED') || !this.last) throw error;
      const fields = { checkpoint: encodeCheckpoint(this.last), epoch: epochsOf(this.last) };
      throw new SeqlikError('ABORTED', error.message, { ...fields, cause: error.cause });
    }
  }
  private async runEpochs(): Promise<TrainingResult> {
    await this.pace.rest();
    this.last ??= await this.evaluate();
    while (endOf(courseOf(this.last), this.settings) === undefined) {
      this.last = await this.runEpoch(this.last);
      const { save, every } = this.settings;
      const iteration = epochsOf(this.last);
      if (!save || (iteration % every !== 0 && endOf(courseOf(this.last), this.settings) === undefined)) continue;
      await this.pace.rest();
      await save(encodeCheckpoint(this.last), iteration);
    }
    return this.finish(this.last);
  }

  /** Makes one pass over the training examples, and evaluates the parameters after it. */
  private async runEpoch(before: Checkpoint): Promise<Checkpoint> {
    const { settings, parameters, gradient } = this;
    const iteration = epochsOf(before) + 1;
    const learningRate = rateOf(settings, before.validation?.history ?? before.history);
    const batches = shuffleBatches(this.training.examples, this.task.lengths, settings.batch, settings.seed, iteration);
    this.startedAt ||= performance.now();
    const scale = batches.length / this.training.terms;
    let loss = 0;
    let terms = 0;
    const reportProgress = (batch: number, after?: Checkpoint): void =>
      settings.onProgress?.({
        iteration,
        maxIterations: settings.maxIterations,
        batch,
        batches: batches.length,
        loss: loss / terms,
        ...(after && resultOf(after)),
        learningRate,
        secondsLeft: this.secondsLeft((settings.maxIterations - iteration + 1) * batches.length - batch),
      });
    for (const [i, examples] of batches.entries()) {
      const at = `in epoch ${iteration}, batch ${i + 1} of ${batches.length}`;
      await this.pace.rest();
      gradient.fill(0);
      loss += await this.requireFinite(at, () => this.task.lossGradient(parameters, examples, gradient));
      terms += termsOf(examples, this.terms);
      const factor = clipFactor(gradient, scale, settings.clip);
      if (factor === undefined) throw this.divergence(at, 'the gradient is not finite');
      const finite = this.optimizer.step(parameters, gradient, learningRate, factor);
      this.moved = true;
      if (!finite) throw this.divergence(at, 'a parameter is not finite');
      this.done++;
      reportProgress(i + 1);
    }
    const after = await this.evaluate(before);
    reportProgress(batches.length, after);
    return after;
  }

  /** Evaluates the present parameters: the checkpoint that continues the course of `before`. */
  private async evaluate(before?: Checkpoint): Promise<Checkpoint> {
    const iteration = before ? epochsOf(before) + 1 : 0;
    const at = iteration ? `after epoch ${iteration}` : 'before the first epoch';
    if (!Object.values(this.optimizer.state).every(allFinite))
      throw this.divergence(at, 'the state of the optimizer is not finite');
    const value = 0 - (await this.lossOf(at, this.training));
    const hasHeldOut = this.heldOut.terms > 0;
    const heldOut = hasHeldOut ? (0 - (await this.lossOf(at, this.heldOut))) / this.heldOut.terms : 0;
    // nothing fails from here on: a checkpoint and its histories, which grow in place, stay together
    const parameters = this.parameters.slice();
    const optimizer = Object.fromEntries(
      Object.entries(this.optimizer.state).map(([name, values]) => [name, values.slice()]),
    );
    const history = before?.history ?? [];
    history.push(value);
    let validation = before?.validation;
    if (hasHeldOut) {
      const values = validation?.history ?? [];
      values.push(heldOut);
      validation = { history: values, best: bestOf(values) === iteration ? parameters : validation!.best };
    }
    return { parameters, optimizer, history, validation, identity: this.identity };
  }
  private async lossOf(at: string, { parts }: ExampleSet): Promise<number> {
    let sum = 0;
    for (const examples of parts) {
      await this.pace.rest();
      sum += await this.requireFinite(at, () => this.task.loss(this.parameters, examples));
    }
    if (!Number.isFinite(sum)) throw this.divergence(at, `the loss is ${sum}`);
    return sum;
  }

  /** Runs a call of the task: its loss, or DIVERGED if that is not finite or a step led to a bad place. */
  private async requireFinite(at: string, call: () => Promise<number>): Promise<number> {
    let loss: number;
    try {
      loss = await call();
    } catch (error) {
      const numerical = error instanceof SeqlikError && ['NON_FINITE', 'NOT_POSITIVE_DEFINITE'].includes(error.code);
      throw this.moved && numerical ? this.divergence(at, error) : error;
    }
    if (!Number.isFinite(loss)) throw this.divergence(at, `the loss is ${loss}`);
    return loss;
  }
  private divergence(at: string, fault: string | SeqlikError): SeqlikError {
    const { where } = this.settings;
    const { last } = this;
    const [message, sentence] =
      typeof fault === 'string' ? [fault, fault] : [fault.message, fault.sentence ?? fault.message];
    const remedy = last
      ? `the checkpoint after epoch ${epochsOf(last)} is attached; a smaller learningRate or clip may help`
      : 'the initial parameters are no place to start from';
    return callError('DIVERGED', where, `diverged ${at}: ${message}; ${remedy}`, {
      reason: `diverged ${at}: ${sentence}`,
      ...(last && { checkpoint: encodeCheckpoint(last), epoch: epochsOf(last) }),
      ...(fault !== message && { cause: fault }),
    });
  }
  /** An estimate by the time that the batches of this run took, evaluation included. */
  private secondsLeft(batches: number): number {
    return ((performance.now() - this.startedAt) / 1000 / this.done) * batches;
  }

  private finish(last: Checkpoint): TrainingResult {
    const report = reportOf(courseOf(last), this.settings);
    if (this.settings.validation > 0 && this.heldOut.terms === 0)
      report.warnings.push(
        'nothing was held out: only one example has a likelihood; give more of them, or a validation of 0',
      );
    return { parameters: (last.validation?.best ?? last.parameters).slice(), report };
  }
}

const termsOf = (examples: Int32Array, terms: ArrayLike<number>): number =>
  examples.reduce((sum, i) => sum + terms[i]!, 0);
const courseOf = ({ history, validation }: Checkpoint) => ({ history, validationHistory: validation?.history });
const epochsOf = ({ history }: Checkpoint): number => history.length - 1;
const resultOf = ({ history, validation }: Checkpoint): { logLikelihood: number; heldOut?: number } => ({
  logLikelihood: history.at(-1)!,
  ...(validation && { heldOut: validation.history.at(-1)! }),
});
