/** Errors in the words of the command line, made from the fields of those of the library and of the table. */
import { SeqlikError } from '../index.ts';
import { counted, nearest, rephrase } from '../table/errors.ts';

export { counted, nearest };

/** A wrong use of the command: exit code 2. */
export const usageError = (message: string): SeqlikError => new SeqlikError('INVALID_ARGUMENT', message);
/** An option that a kind of model does not have. */
export const foreignOption = (name: string, kinds: string): SeqlikError =>
  usageError(`${optionName(name)} is no option of this kind of model, but of ${kinds}`);
/** An option that no command has, with the one that was most likely meant. */
export function unknownOption(given: string, known: readonly string[]): SeqlikError {
  const close = nearest(given, known);
  const guess = close === undefined ? 'see --help' : `did you mean ${close}?`;
  return usageError(`unknown option '${given}'; ${guess}`);
}
/** `--an-option` for the argument `anOption`. */
export const optionName = (argument: string): string =>
  `--${argument.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Values with which an option that is needed may be tried. */
const examples: Readonly<Record<string, string>> = {
  components: ': try --components 2, or 1..8 to choose by BIC',
  hidden: ': try --hidden 32, or 64,64 for two layers',
};
/** An error about an argument becomes one about the option of that name; any other error stays as it is. */
export function toOptionError(error: unknown): unknown {
  if (!(error instanceof SeqlikError) || error.code !== 'INVALID_ARGUMENT' || !error.argument) return error;
  const { argument, received, reason, sentence, message } = error;
  const option = optionName(argument);
  if (received === 'undefined') return rephrase(error, `${option} is needed${examples[argument] ?? ''}`);
  return rephrase(error, reason === undefined ? `${option}: ${sentence ?? message}` : `${option} ${reason}`);
}

/** The option that would put an error of the table right, by the argument at fault. */
const hints: Readonly<Record<string, string>> = {
  binary: ' (--binary)',
  columns: ': say which ones are the inputs with --columns',
  dimension: ': say which ones with --columns',
};
/** A word of a command line, as a shell takes it. */
const shellWord = (text: string): string => (/^[\w.,:/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
/** An error of the table, with the option that would put it right. */
export function toReadError(error: unknown): unknown {
  if (!(error instanceof SeqlikError) || error.file === undefined) return toOptionError(error);
  const remedy = Object.entries(error.remedy ?? {}).map(([name, value]) => `${optionName(name)} ${shellWord(value)}`);
  if (remedy.length > 0) return rephrase(error, `${error.message}: say ${remedy.join(' ')}`);
  const hint = hints[error.argument ?? ''];
  return hint === undefined ? error : rephrase(error, error.message + hint);
}
