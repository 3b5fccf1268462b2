/** Streams of NDJSON: a row or a sequence a line, and its outputs a line, in the memory of some lines. */
import { SeqlikError } from '../index.ts';
import { answerText, type Question, readQuestion } from './json.ts';
import { HttpError } from './problems.ts';
import type { Columns, OutputName, Scorer } from './scorers.ts';

/** The parts of its server that a stream needs. */
export interface LineTools {
  readonly scorer: Scorer;
  readonly outputs: readonly OutputName[];
  /** Bytes of a line. */
  readonly most: number;
  ask(question: Question): Promise<Columns>;
}
/** The answer to a stream, some lines at a time. Throws the errors of a request, with `line`, after the lines before. */
export async function* answerLines(input: AsyncIterable<Buffer>, tools: LineTools): AsyncGenerator<string> {
  let first = 1; // the number of the next line
  for await (const lines of blocksOf(input, tools.most)) {
    const items: unknown[] = [];
    const numbers: number[] = [];
    let failure: unknown;
    for (const [i, line] of lines.entries()) {
      if (line.trim() === '') continue;
      try {
        items.push(JSON.parse(line));
        numbers.push(first + i);
      } catch {
        failure = atLine(new HttpError('BAD_REQUEST', 'it is not JSON'), first + i);
        break;
      }
    }
    first += lines.length;
    const { text, error } = await answerItems(items, numbers, tools);
    if (text) yield text;
    if (error ?? failure) throw error ?? failure;
  }
}
/** The lines of the items before the first that is at fault, and its error. */
async function answerItems(
  items: readonly unknown[],
  numbers: readonly number[],
  tools: LineTools,
): Promise<{ text: string; error?: unknown }> {
  if (items.length === 0) return { text: '' };
  const { scorer, outputs } = tools;
  let question: Question | undefined;
  try {
    question = readQuestion({ [scorer.ofSequences ? 'sequences' : 'rows']: items, outputs }, scorer);
    const columns = await tools.ask(question);
    return { text: linesText(question, columns) };
  } catch (error) {
    if (!(error instanceof SeqlikError) || error.row === undefined) return { text: '', error };
    const i = scorer.ofSequences ? itemOfRow(items, error.row) : error.row;
    const before = await answerItems(items.slice(0, i), numbers, tools);
    return { text: before.text, error: before.error ?? atLine(error, numbers[i]!) };
  }
}
/** The sequence that a row of all is in. */
function itemOfRow(items: readonly unknown[], row: number): number {
  let rest = row;
  return items.findIndex((item) => {
    const { length } = item as unknown[];
    rest -= length;
    return rest < 0;
  });
}
/** A line for each row or sequence. */
function linesText({ data }: Question, columns: Columns): string {
  let text = '';
  let row = 0;
  if (data.lengths)
    for (const [s, length] of data.lengths.entries()) text += `${answerText(columns, row, (row += length), s)}\n`;
  else for (; row < data.n; row++) text += `${answerText(columns, row)}\n`;
  return text;
}
function atLine(error: Error, line: number): Error {
  const message = `line ${line}: ${error.message}`;
  if (!(error instanceof SeqlikError)) return new HttpError('BAD_REQUEST', message);
  const { sentence, row, ...fields } = error.toJSON();
  return SeqlikError.from({ ...fields, message: `line ${line}: ${sentence ?? error.message}`, line });
}

/** Whole lines, as they come. Throws HttpError 413 for one that is too long. */
async function* blocksOf(input: AsyncIterable<Buffer>, most: number): AsyncGenerator<string[]> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    const end = chunk.lastIndexOf(10);
    if (end < 0) {
      rest.push(chunk);
      size += chunk.length;
    } else {
      const whole = Buffer.concat([...rest, chunk.subarray(0, end)]);
      rest = [chunk.subarray(end + 1)];
      size = chunk.length - end - 1;
      const lines = whole.toString('utf8').split('\n');
      if (lines.some((line) => line.length > most)) throw tooLong(most);
      yield lines;
    }
    if (size > most) throw tooLong(most);
  }
  if (size > 0) yield [Buffer.concat(rest).toString('utf8')];
}
const tooLong = (most: number): HttpError => new HttpError('TOO_LARGE', `a line has more than ${most} bytes`);
