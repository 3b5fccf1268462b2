/** Training by gradients: epochs of mini-batches, held-out examples, checkpoints. Equations: docs/math.md § training. */
import { SeqlikError } from '../errors.ts';
import { parts, shuffled, split } from './batches.ts';
import { type Checkpoint, checkpointBytes } from './checkpoint.ts';
import { allFinite, scaled } from './clip.ts';
import { type Optimizer, optimizerOf } from './optimizer.ts';
import { Pace } from './pace.ts';
import { reportOf, type TrainingReport } from './report.ts';
import { rateOf } from './schedule.ts';
import type { TrainingSettings } from './settings.ts';
import { matched, type Signature, signatureOf } from './signature.ts';
import { bestOf, endOf } from './stopping.ts';

/** What is trained: a loss of examples under a flat vector of parameters. One call at a time; neither `parameters` nor
 * `gradient` may be kept, both change after the call. A rejection with SeqlikError NON_FINITE or NOT_POSITIVE_DEFINITE
 * after the first step means that steps led to a bad place. */
export interface Task {
  /** Initial values; they are copied. */
  readonly parameters: Float64Array;
  /** Of every example, the terms of the likelihood; examples of none are left out. */
  readonly lengths: Int32Array;
  /** What makes it this task and no other (architecture, options of the model), by name: a checkpoint is only good for
   * the same. */
  readonly signature: Signature;
  /** The loss, summed over these examples; its gradient is added to `gradient`, which comes as zeros. */
  lossGradient(parameters: Float64Array, examples: Int32Array, gradient: Float64Array): Promise<number>;
  loss(parameters: Float64Array, examples: Int32Array): Promise<number>;
}
export interface Trained {
  readonly parameters: Float64Array;
  readonly report: TrainingReport;
}

/**
 * A step is made against the gradient of the loss of a batch per term of a mean batch, clipped: so the learning rate
 * depends on neither batch nor lengths, and the steps of an epoch add up to the gradient of the likelihood. Divided by
 * the terms of its own batch, a term would weigh more in a batch of short sequences. One iteration is one epoch.
 * Throws EMPTY_INPUT (no terms), ABORTED (cause), DIVERGED (checkpoint, cause), INVALID_ARGUMENT (checkpoint), and what
 * the task, `save` and `onProgress` throw.
 */
export async function train(task: Task, settings: TrainingSettings): Promise<Trained> {
  return new Training(task, settings).run();
}

/** Some of the examples; an evaluation goes `parts` by part, always the same. */
interface Share {
  readonly examples: Int32Array;
  readonly terms: number;
  readonly parts: readonly Int32Array[];
}

class Training {
  private readonly pace: Pace;
  private readonly training: Share;
  private readonly heldOut: Share;
  private readonly signature: Signature;
  private readonly parameters: Float64Array;
  private readonly gradient: Float64Array;
  private readonly optimizer: Optimizer;
  /** After the last epoch. */
  private last: Checkpoint | undefined;
  /** Whether the parameters are no longer the initial ones. */
  private moved = false;
  private started = 0; // ms; the first batch of this run
  private done = 0; // batches of this run

  constructor(
    private readonly task: Task,
    private readonly settings: TrainingSettings,
  ) {
    const { where, signal, validation, seed, optimizer, momentum, resume } = settings;
    this.pace = new Pace(signal, where);
    const { training, heldOut } = split(task.lengths, validation, seed);
    if (training.length === 0) throw new SeqlikError('EMPTY_INPUT', `${where}: the data give no term of a likelihood`);
    this.training = this.share(training);
    this.heldOut = this.share(heldOut);
    this.signature = signatureOf(task, settings, this.training.terms, this.heldOut.terms);
    this.parameters = task.parameters.slice();
    this.gradient = new Float64Array(this.parameters.length);
    this.optimizer = optimizerOf(optimizer, momentum, this.parameters.length);
    if (resume) this.resume(resume);
  }
  private resume(checkpoint: Checkpoint): void {
    matched(this.settings.where, checkpoint.signature, this.signature);
    this.parameters.set(checkpoint.parameters);
    for (const [name, values] of Object.entries(this.optimizer.state)) values.set(checkpoint.optimizer[name]!);
    this.last = structuredClone(checkpoint); // its histories will grow
    this.moved = true;
  }

  private share(examples: Int32Array): Share {
    const { lengths } = this.task;
    return { examples, terms: termsOf(examples, lengths), parts: parts(examples, lengths) };
  }

  async run(): Promise<Trained> {
    await this.pace.rest();
    this.last ??= await this.evaluated();
    while (endOf(courseOf(this.last), this.settings) === undefined) {
      this.last = await this.epoch(this.last);
      const { save, every } = this.settings;
      const iteration = epochsOf(this.last);
      if (!save || (iteration % every !== 0 && endOf(courseOf(this.last), this.settings) === undefined)) continue;
      await this.pace.rest();
      await save(checkpointBytes(this.last), iteration);
    }
    return this.trained(this.last);
  }

  /** One pass over the training examples, and what it gave. */
  private async epoch(before: Checkpoint): Promise<Checkpoint> {
    const { settings, parameters, gradient } = this;
    const iteration = epochsOf(before) + 1;
    const learningRate = rateOf(settings, before.validation?.history ?? before.history);
    const batches = shuffled(this.training.examples, this.task.lengths, settings.batch, settings.seed, iteration);
    this.started ||= performance.now();
    const scale = batches.length / this.training.terms;
    let loss = 0;
    let terms = 0;
    const told = (batch: number, after?: Checkpoint): void =>
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
      loss += await this.finite(at, () => this.task.lossGradient(parameters, examples, gradient));
      terms += termsOf(examples, this.task.lengths);
      const factor = scaled(gradient, scale, settings.clip);
      if (factor === undefined) throw this.diverged(at, 'the gradient is not finite');
      const finite = this.optimizer.step(parameters, gradient, learningRate, factor);
      this.moved = true;
      if (!finite) throw this.diverged(at, 'a parameter is not finite');
      this.done++;
      told(i + 1);
    }
    const after = await this.evaluated(before);
    told(batches.length, after);
    return after;
  }

  /** What the present state is worth, with the course of `before`. */
  private async evaluated(before?: Checkpoint): Promise<Checkpoint> {
    const iteration = before ? epochsOf(before) + 1 : 0;
    const at = iteration ? `after epoch ${iteration}` : 'before the first epoch';
    if (!Object.values(this.optimizer.state).every(allFinite))
      throw this.diverged(at, 'the state of the optimizer is not finite');
    const value = 0 - (await this.lossOf(at, this.training));
    const judged = this.heldOut.terms > 0;
    const heldOut = judged ? (0 - (await this.lossOf(at, this.heldOut))) / this.heldOut.terms : 0;
    // nothing fails from here on: a checkpoint and its histories, which grow in place, stay together
    const parameters = this.parameters.slice();
    const optimizer = Object.fromEntries(
      Object.entries(this.optimizer.state).map(([name, values]) => [name, values.slice()]),
    );
    const history = before?.history ?? [];
    history.push(value);
    let validation = before?.validation;
    if (judged) {
      const values = validation?.history ?? [];
      values.push(heldOut);
      validation = { history: values, best: bestOf(values) === iteration ? parameters : validation!.best };
    }
    return { parameters, optimizer, history, validation, signature: this.signature };
  }
  private async lossOf(at: string, { parts }: Share): Promise<number> {
    let sum = 0;
    for (const examples of parts) {
      await this.pace.rest();
      sum += await this.finite(at, () => this.task.loss(this.parameters, examples));
    }
    if (!Number.isFinite(sum)) throw this.diverged(at, `the loss is ${sum}`);
    return sum;
  }

  private async finite(at: string, call: () => Promise<number>): Promise<number> {
    let loss: number;
    try {
      loss = await call();
    } catch (error) {
      const numerical = error instanceof SeqlikError && ['NON_FINITE', 'NOT_POSITIVE_DEFINITE'].includes(error.code);
      throw this.moved && numerical ? this.diverged(at, error) : error;
    }
    if (!Number.isFinite(loss)) throw this.diverged(at, `the loss is ${loss}`);
    return loss;
  }
  private diverged(at: string, fault: string | SeqlikError): SeqlikError {
    const { where } = this.settings;
    const { last } = this;
    const [message, sentence] =
      typeof fault === 'string' ? [fault, fault] : [fault.message, fault.sentence ?? fault.message];
    const remedy = last
      ? `the checkpoint after epoch ${epochsOf(last)} is attached; a smaller learningRate or clip may help`
      : 'the initial parameters are no place to start from';
    return new SeqlikError('DIVERGED', `${where}: diverged ${at}: ${message}; ${remedy}`, {
      reason: `diverged ${at}: ${sentence}`,
      ...(last && { checkpoint: checkpointBytes(last), epoch: epochsOf(last) }),
      ...(fault !== message && { cause: fault }),
    });
  }
  /** By the time that the batches of this run took, evaluation included. */
  private secondsLeft(batches: number): number {
    return ((performance.now() - this.started) / 1000 / this.done) * batches;
  }

  private trained(last: Checkpoint): Trained {
    const report = reportOf(courseOf(last), this.settings);
    if (this.settings.validation > 0 && this.heldOut.terms === 0)
      report.warnings.push('nothing was held out: only one example has a likelihood');
    return { parameters: (last.validation?.best ?? last.parameters).slice(), report };
  }
}

const termsOf = (examples: Int32Array, lengths: Int32Array): number =>
  examples.reduce((sum, i) => sum + lengths[i]!, 0);
const courseOf = ({ history, validation }: Checkpoint) => ({ history, validationHistory: validation?.history });
const epochsOf = ({ history }: Checkpoint): number => history.length - 1;
const resultOf = ({ history, validation }: Checkpoint): { logLikelihood: number; heldOut?: number } => ({
  logLikelihood: history.at(-1)!,
  ...(validation && { heldOut: validation.history.at(-1)! }),
});
