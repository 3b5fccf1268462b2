/** The built command in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll } from 'vitest';

export const program = resolve('dist/cli/main.js');
export interface Ended {
  /** The exit code, or 128 + signal as a shell says it. */
  code: number;
  stdout: string;
  stderr: string;
}
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(SEQLIK_|NODE_OPTIONS$)/.test(name)),
);

/** A folder of its own for the tests of a file. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'seqlik-cli-'));
  constructor() {
    afterAll(() => rmSync(this.path, { recursive: true, force: true }));
  }
  at(name: string): string {
    return join(this.path, name);
  }
  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.at(name), content);
    return this.at(name);
  }
  read(name: string): string {
    return readFileSync(this.at(name), 'utf8');
  }
  /** An empty folder inside. */
  inner(name: string): string {
    mkdirSync(this.at(name));
    return this.at(name);
  }
  names(): string[] {
    return readdirSync(this.path).sort();
  }
}

export interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Pieces of stdin, each written when the one before was taken. */
  readonly input?: readonly (string | Uint8Array)[] | string;
  /** A shell line around it, in which "$@" is the command. */
  readonly shell?: string;
}
export function start(args: readonly string[], { cwd, env, shell }: Surroundings = {}): ChildProcess {
  const command = [process.execPath, program, ...args];
  const [file, ...rest] = shell === undefined ? command : ['sh', '-c', shell, 'sh', ...command];
  return spawn(file!, rest, { cwd, env: { ...clean, ...env } });
}
export async function seqlik(args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> {
  const child = start(args, surroundings);
  const { input = [] } = surroundings;
  void feed(child, typeof input === 'string' ? [input] : input);
  return ended(child);
}
async function feed(child: ChildProcess, pieces: readonly (string | Uint8Array)[]): Promise<void> {
  child.stdin!.on('error', () => {}); // it may have ended before
  for (const piece of pieces) await new Promise((done) => child.stdin!.write(piece, done));
  child.stdin!.end();
}
export function ended(child: ChildProcess): Promise<Ended> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', (text) => (texts[name] += text));
  const numbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return new Promise((done) =>
    child.on('close', (code, signal) => done({ code: code ?? 128 + (numbers[signal!] ?? 0), ...texts })),
  );
}

/** Rows of two clouds, and the columns that are none of theirs. */
export const table = [
  'id,x,group,y',
  ...Array.from({ length: 60 }, (_, i) => {
    const [a, b] = [Math.sin(7 * i), Math.cos(11 * i * i)];
    return i % 2
      ? `r${i},${(5 + a).toFixed(4)},"g, ${i % 3}",${(-2 + b + a / 2).toFixed(4)}`
      : `r${i},${a.toFixed(4)},g,${b.toFixed(4)}`;
  }),
  '',
].join('\n');
/** Its inputs. */
export const points = table
  .split('\n')
  .slice(1, -1)
  .map((line) => {
    const [, x, ...rest] = line.split(',');
    return [Number(x), Number(rest.at(-1))];
  });
