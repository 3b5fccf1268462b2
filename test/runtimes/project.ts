/** An empty project with the packed library in it, and the runtimes and bundlers beside it, below build/runtimes. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { env, tarballs } from '../support/packed.ts';

const run = promisify(execFile);
const tools = resolve('build/runtimes');
export const project = join(tools, 'project');
const manifest = JSON.parse(readFileSync('test/runtimes/package.json', 'utf8'));

/** Installs the tools, without their scripts. A machine without a registry has none of them. */
export function installTools(all: boolean): void {
  const wanted = Object.keys({ ...manifest.dependencies, ...(all && manifest.devDependencies) });
  mkdirSync(tools, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) cpSync(join('test/runtimes', name), join(tools, name));
  if (wanted.every((name) => existsSync(join(tools, 'node_modules', name)))) return;
  const omit = all ? [] : ['--omit=dev'];
  try {
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', ...omit], {
      cwd: tools,
      env,
      stdio: 'pipe',
    });
  } catch {} // each test names what it misses
}
/** Installs the library into an empty project, with `entry` files of its own. */
export function installLibrary(): void {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', ...Object.values(tarballs)], {
    cwd: project,
    env,
    stdio: 'pipe',
  });
  for (const name of ['hash.js', 'run.js', 'page.html', 'page.js', 'worker.js', 'edge.js', 'workerd.capnp'])
    cpSync(join('test/runtimes', name), join(project, name));
  cpSync(join(project, 'page.html'), join(project, 'index.html'));
}

/** The path of a file in an installed tool, undefined if the tool is missing. */
export function tool(...path: string[]): string | undefined {
  const file = join(tools, 'node_modules', ...path);
  return existsSync(file) ? file : undefined;
}
/** A module of an installed tool. */
// biome-ignore lint/suspicious/noExplicitAny: the tools are not installed where types are checked
export const load = (name: string): Promise<any> => import(createRequire(join(tools, 'package.json')).resolve(name));
export const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** Returns the output of a command, run in the project. */
export async function printed(
  command: string,
  args: string[],
  settings: Record<string, string> = {},
  cwd = project,
): Promise<string> {
  const { stdout } = await run(command, args, { cwd, env: { ...env, ...settings }, maxBuffer: 2 ** 26 });
  return stdout.trim();
}
