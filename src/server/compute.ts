/** Computation of one large request: in slices of a few milliseconds, or off the event loop where the model can. */
import { type Real, SeqlikError } from '../index.ts';
import { alike, type Column, type Columns, type Data, type OutputName, type Scorer } from './scorers.ts';

/** Nanoseconds that a slice may hold the event loop. */
export const SLICE = 2e6;
/** Values that one call off the event loop copies at most: 8 MB, 2 ms. */
const COPIED = 2 ** 20;

/** The measured time of a unit of price. */
export class Meter {
  constructor(
    /** Nanoseconds. */
    private rate: number,
  ) {}
  estimate(price: number): number {
    return price * this.rate;
  }
  /** Small calls say nothing: their time is that of the call. */
  record(price: number, nanoseconds: number): void {
    if (price < 1e5) return;
    const rate = Math.min(1000, Math.max(0.01, nanoseconds / price));
    this.rate += 0.3 * (rate - this.rate);
  }
}
export const priceOf = (scorer: Scorer, { n, gaps }: Data): number => n * scorer.pricePerRow(gaps);

/** The sequences `from` .. `end` of the data, which begin at `row`; the rows, where there are no sequences. */
function part({ values, lengths, gaps }: Data, d: number, row: number, end: number, s = 0, to = 0): Data {
  const rows = { values: values.subarray(row * d, end * d), n: end - row, gaps };
  return lengths ? { ...rows, lengths: lengths.subarray(s, to) } : rows;
}
/** The outputs of all data, filled in part by part. */
class Filled {
  readonly columns: Columns = {};
  constructor(
    private readonly scorer: Scorer,
    private readonly data: Data,
    private readonly outputs: readonly OutputName[],
  ) {
    for (const name of outputs) {
      const { per, width, type } = scorer.outputs[name]!;
      const length = (per === 'row' ? data.n : data.lengths!.length) * width;
      this.columns[name] = { per, width, values: this.room(name, type, length) };
    }
  }
  add(columns: Columns, row: number, sequence: number): void {
    for (const name of this.outputs) {
      const { values, per, width } = this.columns[name]!;
      values.set(columns[name]!.values as Real, (per === 'row' ? row : sequence) * width);
    }
  }
  private room(name: OutputName, type: string, length: number): Column['values'] {
    if (type === 'int') return new Int32Array(length);
    if (type === 'flag') return new Uint8Array(length);
    return name === 'logLikelihood' ? new Float64Array(length) : alike(this.data.values, length);
  }
  /** Adds a sequence whose rows have come one part after the other: one output per row, from which all follow. */
  addLong(parts: readonly Columns[], row: number, sequence: number): void {
    const [rows] = Object.values(joinRows(parts));
    const whole: Columns = {};
    for (const name of this.outputs)
      whole[name] = this.scorer.outputs[name]!.per === 'row' ? rows! : this.scorer.summarise!(name, rows!);
    this.add(whole, row, sequence);
  }
}

/** The parts of its queue that a large computation needs. */
export interface Tools {
  readonly meter: Meter;
  /** Lets others run, and throws if nobody waits for the result any more. */
  readonly turn: () => Promise<void>;
  readonly signal: AbortSignal;
}
/** Computation in slices, each of which is measured. */
class Slices {
  private readonly perRow: number;
  constructor(
    { pricePerRow }: Scorer,
    { gaps }: Data,
    private readonly tools: Tools,
  ) {
    this.perRow = pricePerRow(gaps);
  }
  /** The rows of a slice. */
  get rows(): number {
    const rows = Math.max(1, Math.floor(SLICE / this.tools.meter.estimate(this.perRow)));
    return rows > 128 ? rows - (rows % 128) : rows;
  }
  /** Runs a slice of rows that begin at `row` of all data. */
  async run<R>(rows: number, row: number, compute: () => R): Promise<R> {
    await this.tools.turn();
    const from = performance.now();
    try {
      return compute();
    } catch (error) {
      throw moved(error, row);
    } finally {
      this.tools.meter.record(rows * this.perRow, (performance.now() - from) * 1e6);
    }
  }
}

/** Computes the outputs of data that take more than a slice. Throws SeqlikError with rows of the data, ABORTED. */
export async function computeLarge(
  scorer: Scorer,
  data: Data,
  outputs: readonly OutputName[],
  tools: Tools,
): Promise<Columns> {
  const { dimension: d, online } = scorer;
  const { n, lengths, values } = data;
  const slices = new Slices(scorer, data, tools);
  const filled = new Filled(scorer, data, outputs);
  const away = (own: Data, row: number): Promise<Columns> | undefined =>
    scorer.scoreAsync?.(own, outputs, tools.signal)?.catch((error) => {
      throw moved(error, row);
    });
  if (!lengths) {
    for (let row = 0; row < n; ) {
      await tools.turn();
      let end = Math.min(n, row + Math.max(1, Math.floor(COPIED / d)));
      let columns = await away(part(data, d, row, end), row);
      if (!columns) {
        end = Math.min(n, row + slices.rows);
        columns = await slices.run(end - row, row, () => scorer.score(part(data, d, row, end), outputs));
      }
      filled.add(columns, row, 0);
      row = end;
    }
    return filled.columns;
  }
  const all = await away(data, 0);
  if (all) return all;
  const canWalk = online && (online.single || values instanceof Float64Array);
  for (let s = 0, row = 0; s < lengths.length; ) {
    const most = slices.rows;
    let end = row + lengths[s]!;
    let to = s + 1;
    while (to < lengths.length && end + lengths[to]! - row <= most) end += lengths[to++]!;
    const own = part(data, d, row, end, s, to);
    if (canWalk && end - row > most)
      filled.addLong((await walk(slices, scorer, online.start(), own, row)).parts, row, s);
    else filled.add(await slices.run(end - row, row, () => scorer.score(own, outputs)), row, s);
    row = end;
    s = to;
  }
  return filled.columns;
}
/** Takes the rows of one sequence that begins, or goes on, with `state`. Throws as computeLarge. */
export async function advanceInSlices(
  scorer: Scorer,
  state: unknown,
  data: Data,
  tools: Tools,
): Promise<{ state: unknown; columns: Columns }> {
  const walked = await walk(new Slices(scorer, data, tools), scorer, state, data, 0);
  return { state: walked.state, columns: joinRows(walked.parts) };
}
/** `offset`: where the sequence begins in all data. */
async function walk(slices: Slices, { online, dimension: d }: Scorer, from: unknown, data: Data, offset: number) {
  const parts: Columns[] = [];
  let state = from;
  for (let row = 0; row < data.n; ) {
    const end = Math.min(data.n, row + slices.rows);
    const lengths = Int32Array.of(end - row);
    const own = { ...part(data, d, row, end), lengths };
    const next = await slices.run(end - row, offset + row, () => online!.advance(state, own));
    parts.push(next.columns);
    state = next.state;
    row = end;
  }
  return { state, parts };
}
/** The outputs of parts, one after the other. */
function joinRows(parts: readonly Columns[]): Columns {
  const columns: Columns = {};
  for (const name of Object.keys(parts[0] ?? {}) as OutputName[]) {
    const lists = parts.map((own) => own[name]!);
    const values = new Float64Array(lists.reduce((sum, { values }) => sum + values.length, 0));
    let at = 0;
    for (const list of lists) {
      values.set(list.values, at);
      at += list.values.length;
    }
    columns[name] = { values, width: lists[0]!.width, per: 'row' };
  }
  return columns;
}

/** An error about a part becomes one about all data: its sentence would name the row of the part. */
function moved(error: unknown, offset: number): unknown {
  if (!(error instanceof SeqlikError) || error.row === undefined || offset === 0) return error;
  const row = error.row + offset;
  const words = (text: string): string => text.replace(`row ${error.row}`, `row ${row}`);
  const { sentence, ...fields } = error.toJSON();
  return SeqlikError.from({
    ...fields,
    row,
    message: words(error.message),
    ...(sentence !== undefined && { sentence: words(sentence as string) }),
  });
}
