/** A bar on stderr, if that is a terminal. It has no colour. */
import cliProgress from 'cli-progress';
import { undoOnSignal } from './exit.ts';

export class Progress {
  private readonly bar: cliProgress.SingleBar | undefined;
  private readonly forget: () => void;
  /** `total`: how much there is to do, if that is known. */
  constructor(
    shown: boolean,
    private readonly total?: number,
  ) {
    this.forget = undoOnSignal(() => this.stop());
    if (!shown || !process.stderr.isTTY || process.env['TERM'] === 'dumb') return;
    const format = total ? '{bar} {percentage}% | {text} | {eta_formatted}' : '{text} | {duration_formatted}';
    const preset = cliProgress.Presets.shades_classic;
    this.bar = new cliProgress.SingleBar({ format, stream: process.stderr, clearOnComplete: true, fps: 5 }, preset);
    this.bar.start(total || 1, 0, { text: '' });
  }
  update(done: number, text: string): void {
    this.bar?.update(this.total ? Math.min(done, this.total) : 0, { text });
  }
  stop(): void {
    this.bar?.stop();
    this.forget();
  }
}
export const rowsText = (rows: number): string => `${rows.toLocaleString('en')} rows`;
