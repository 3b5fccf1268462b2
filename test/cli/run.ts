/** The built command: in a process that runs one after another, or in a process of its own. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll } from 'vitest';

export const program = resolve('dist/cli/main.js');
export interface Ended {
  /** The exit code, or 128 + the signal, as a shell reports it. */
  code: number;
  stdout: string;
  stderr: string;
}
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(SEQLIK_|NODE_OPTIONS$)/.test(name)),
);

/** A temporary folder for the tests of a file. */
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
  /** A new, empty folder inside. */
  fresh(): string {
    return mkdtempSync(this.at('inner-'));
  }
  names(): string[] {
    return readdirSync(this.path).sort();
  }
}

/** The surroundings of a command; `env`, `shell` and an `input` in pieces take a process of its own. */
export interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Text of stdin; or pieces, each written when the one before was taken. */
  readonly input?: readonly (string | Uint8Array)[] | string;
  /** A shell line around it, in which "$@" is the command. */
  readonly shell?: string;
}
/** Runs a command, in the shared process where that makes no difference. */
export function seqlik(args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> {
  const { cwd = process.cwd(), env, input = '', shell } = surroundings;
  if (env || shell !== undefined || typeof input !== 'string') return seqlikProcess(args, surroundings);
  shared ??= new SharedProcess();
  return shared.run({ args, cwd, input });
}

/** The process that runs commands one after another (test/programs/commands.ts). */
class SharedProcess {
  private readonly waiting: { resolve: (ended: Ended) => void; reject: (error: Error) => void }[] = [];
  private readonly child = fork('build/js/test/programs/commands.js', [program], {
    env: clean,
    execArgv: ['--no-warnings'], // a command that fails may leave a file open until its process ends
  });
  constructor() {
    this.child.on('message', (ended) => this.waiting.shift()!.resolve(ended as Ended));
    this.child.on('exit', (code, signal) => {
      shared = undefined;
      for (const { reject } of this.waiting) reject(new Error(`the process of the commands ended: ${signal ?? code}`));
    });
  }
  run(command: object): Promise<Ended> {
    const hung = setTimeout(() => this.child.kill('SIGKILL'), 100_000); // or all tests after it would wait
    return new Promise<Ended>((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.child.send(command);
    }).finally(() => clearTimeout(hung));
  }
  end(): void {
    this.child.disconnect();
  }
}
let shared: SharedProcess | undefined;
afterAll(() => shared?.end());

/** Runs a command in a process of its own. */
export async function seqlikProcess(args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> {
  const child = start(args, surroundings);
  const { input = [] } = surroundings;
  void feed(child, typeof input === 'string' ? [input] : input);
  return waitForEnd(child);
}
export function start(args: readonly string[], { cwd, env, shell }: Surroundings = {}): ChildProcess {
  const command = [process.execPath, program, ...args];
  const [file, ...rest] = shell === undefined ? command : ['sh', '-c', shell, 'sh', ...command];
  return spawn(file!, rest, { cwd, env: { ...clean, ...env } });
}
async function feed(child: ChildProcess, pieces: readonly (string | Uint8Array)[]): Promise<void> {
  child.stdin!.on('error', () => {}); // it may have ended before
  for (const piece of pieces) await new Promise((done) => child.stdin!.write(piece, done));
  child.stdin!.end();
}
export function waitForEnd(child: ChildProcess): Promise<Ended> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', (text) => (texts[name] += text));
  const numbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return new Promise((done) =>
    child.on('close', (code, signal) => done({ code: code ?? 128 + (numbers[signal!] ?? 0), ...texts })),
  );
}

/** A table of two clouds of points, with two columns that are not inputs. */
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
/** The inputs of the table. */
export const points = table
  .split('\n')
  .slice(1, -1)
  .map((line) => {
    const [, x, ...rest] = line.split(',');
    return [Number(x), Number(rest.at(-1))];
  });
/** Writes the table to data.csv of a folder, and fits a mixture to it: `model`. */
export async function fitTable(folder: Folder): Promise<void> {
  const data = folder.write('data.csv', table);
  const fit = ['fit', 'gaussian-mixture', data, '--columns', 'x,y', '--components', '2', '-o', folder.at('model')];
  const { code, stderr } = await seqlik(fit);
  if (code !== 0) throw new Error(stderr);
}
