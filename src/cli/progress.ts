/** A progress bar on stderr, if that is a terminal; without colour. */
import cliProgress from 'cli-progress';
import { undoOnSignal } from './exit.ts';

export class Progress {
  private readonly bar: cliProgress.SingleBar | undefined;
  private readonly forget: () => void;
  constructor(
    shown: boolean,
    /** The amount of work, if known. */
    private readonly total?: number,
    /** The time left: estimated from the work done so far, or given to `update`. */
    left: 'estimated' | 'given' = 'estimated',
  ) {
    this.forget = undoOnSignal(() => this.stop());
    if (!shown || !process.stderr.isTTY || process.env['TERM'] === 'dumb') return;
    const time = left === 'given' ? '{left}' : '{eta_formatted}';
    const format = total ? `{bar} {percentage}% | {text} | ${time}` : '{text} | {duration_formatted}';
    const preset = cliProgress.Presets.shades_classic;
    this.bar = new cliProgress.SingleBar({ format, stream: process.stderr, clearOnComplete: true, fps: 5 }, preset);
    this.bar.start(total || 1, 0, { text: '', left: '' });
  }
  update(done: number, text: string, left = ''): void {
    this.bar?.update(this.total ? Math.min(done, this.total) : 0, { text, left });
  }
  stop(): void {
    this.bar?.stop();
    this.forget();
  }
}
export const rowsText = (rows: number): string => `${rows.toLocaleString('en')} row${rows === 1 ? '' : 's'}`;
/** A time in hours, minutes and seconds. */
export function durationText(seconds: number): string {
  const s = Math.ceil(seconds);
  if (s < 60) return `${s}s`;
  return s < 3600 ? `${Math.floor(s / 60)}m${s % 60}s` : `${Math.floor(s / 3600)}h${Math.floor((s % 3600) / 60)}m`;
}
