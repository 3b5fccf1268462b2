/** The end of the program: its exit codes, the one line about an error, and the clean-up when a signal ends it. */
import { CommanderError } from 'commander';
import { type Code, SeqlikError } from '../index.ts';

const FAILURE = 1;
const USAGE = 2;
const BAD_DATA = 65; // EX_DATAERR of sysexits.h
const BROKEN_PIPE = 141; // the status a shell reports for a program that SIGPIPE ended
const PREFIX = 'error: '; // of commander's messages
const exitCodes: { readonly [C in Code]?: number } = {
  INVALID_ARGUMENT: USAGE,
  DIMENSION_MISMATCH: BAD_DATA,
  NON_FINITE: BAD_DATA,
  EMPTY_INPUT: BAD_DATA,
  NOT_SYMMETRIC: BAD_DATA,
  NOT_POSITIVE_DEFINITE: BAD_DATA,
  FORMAT: BAD_DATA,
};

/** Reports an error in one line on stderr, and returns the exit code. */
export function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (error.code !== 'commander.help')
      say(error.message.startsWith(PREFIX) ? error.message.slice(PREFIX.length) : error.message);
    return USAGE;
  }
  if (isBrokenPipe(error)) return BROKEN_PIPE;
  if (process.env['SEQLIK_DEBUG']) process.stderr.write(`${(error as Error)?.stack}\n`);
  if (error instanceof SeqlikError) {
    say(error.message);
    return exitCodes[error.code] ?? FAILURE;
  }
  say(`${(error as Error)?.message ?? error} (unexpected: SEQLIK_DEBUG=1 shows where)`);
  return FAILURE;
}
const isBrokenPipe = (error: unknown): boolean =>
  error instanceof SeqlikError && error.code === 'IO' && error.reason === 'EPIPE';

const say = (message: string): boolean => printToStderr(`seqlik: ${stripControls(message.trim())}`);
/** Writes lines to stderr. */
export const printToStderr = (text: string): boolean => process.stderr.write(`${text}\n`);
/** Text without control characters, so that no file can steer a terminal. */
export const stripControls = (text: string): string => text.replace(/\p{Cc}+/gu, ' ');

const leftovers = new Set<() => void>();
/** Runs `undo` if a signal ends the program before the function returned is called. */
export function undoOnSignal(undo: () => void): () => void {
  leftovers.add(undo);
  return () => leftovers.delete(undo);
}
const ends = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
function endBySignal(signal: NodeJS.Signals): void {
  for (const undo of leftovers) undo();
  process.exit(ends[signal as keyof typeof ends]);
}
/** Leaves signals to a command that ends by itself. */
export function leaveSignals(): void {
  for (const signal of Object.keys(ends)) process.removeListener(signal, endBySignal);
}
export function watchSignals(): void {
  for (const signal of Object.keys(ends)) process.once(signal, endBySignal);
  // whoever waits for the write gets the error; without a listener Node would print a stack trace
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}
