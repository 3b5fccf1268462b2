/** Output: stdout, or a file that appears under its name only when it is complete. */

import { type BigIntStats, statSync, unlinkSync } from 'node:fs';
import { type FileHandle, lstat, open, readdir, realpath, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { createGzip } from 'node:zlib';
import { ioError } from '../table/errors.ts';
import { usageError } from './errors.ts';
import { undoOnSignal } from './exit.ts';

export type Write = (data: string | Uint8Array) => Promise<void>;

/** Runs a job that writes to `path` ('-' is stdout). If it fails, or a signal ends it, the file is as it was before. */
export async function writeTo<T>(path: string, job: (write: Write) => Promise<T>): Promise<T> {
  if (path === '-') return job(toStdout);
  const fail = (cause: unknown): never => {
    throw ioError('write', path, cause);
  };
  const target = await placeOf(path).catch(fail);
  const temporary = target.replaced ? join(dirname(target.path), temporaryName(basename(target.path))) : undefined;
  if (temporary) await sweep(target.path).catch(fail);
  const file = await open(temporary ?? target.path, temporary ? 'wx' : 'w', 0o600).catch(fail);
  const forget = undoOnSignal(() => {
    if (temporary) removeSync(temporary);
  });
  try {
    const result = await job((data) => file.writeFile(data).catch(fail));
    if (temporary) await complete(file, temporary, target.path, target.mode).catch(fail);
    return result;
  } catch (error) {
    if (temporary) await unlink(temporary).catch(() => {});
    throw error;
  } finally {
    await file.close().catch(() => {});
    forget();
  }
}

/** Throws for a file to be written, by its option, that is one of those `read`: it would be lost. */
export function refuseOverwrite(
  written: Readonly<Record<string, string | undefined>>,
  read: Readonly<Record<string, string | undefined>>,
): void {
  for (const [option, path] of Object.entries(written))
    for (const [name, other] of Object.entries(read))
      if (path !== undefined && other !== undefined && isSameFile(path, other))
        throw usageError(`${option} ${path} would overwrite ${name}: name another file`);
}
function isSameFile(a: string, b: string): boolean {
  if (a === '-' || b === '-') return false;
  if (resolve(a) === resolve(b)) return true;
  const [one, other] = [a, b].map(statusOf);
  return one !== undefined && other !== undefined && one.isFile() && one.dev === other.dev && one.ino === other.ino;
}

function statusOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined; // whoever opens it will say why
  }
}

/** Runs a job that writes a table to `path`, as gzip if its extension is .gz. */
export const writeTable = (path: string, job: (write: Write) => Promise<void>): Promise<void> =>
  writeTo(path, (write) => (/\.gz$/i.test(path) ? writePacked(write, job) : job(write)));
async function writePacked(write: Write, job: (write: Write) => Promise<void>): Promise<void> {
  const gzip = createGzip();
  const written = (async () => {
    for await (const piece of gzip) await write(piece);
  })();
  written.catch((error) => gzip.destroy(error));
  const pack: Write = (data) =>
    new Promise((done, fail) => gzip.write(data, (error) => (error ? fail(error) : done())));
  await job(pack);
  gzip.end();
  await written;
}

/** Writes to stdout; resolves when the system has taken the data, so that only one piece waits in memory. */
const toStdout: Write = (data) =>
  new Promise((resolve, reject) => {
    process.stdout.write(data, (error) => (error ? reject(ioError('write', 'stdout', error)) : resolve()));
  });

/** The file behind links, whether to replace it (devices and pipes are written to in place), and its future mode. */
async function placeOf(path: string): Promise<{ path: string; replaced: boolean; mode: number }> {
  const behind = await realpath(path).catch(() => path);
  const status = await lstat(behind).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (status?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  const mode = status ? status.mode & 0o777 : 0o666 & ~process.umask();
  return { path: behind, replaced: !status || status.isFile() || status.isSymbolicLink(), mode };
}

/** The name of the temporary file: of a long name only so much that it is no longer than a name may be. */
const temporaryName = (name: string, pid: number | string = process.pid): string => {
  let part = name;
  while (Buffer.byteLength(part) > 200) part = part.slice(0, -1);
  return `.${part}.${pid}.tmp`;
};

/** Removes the temporary files that killed processes left beside the target. */
async function sweep(target: string): Promise<void> {
  const [before, after] = temporaryName(basename(target), '*').split('*') as [string, string];
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(before) || !name.endsWith(after)) continue;
    const pid = name.slice(before.length, -after.length);
    if (/^\d{1,10}$/.test(pid) && !isAlive(Number(pid))) await unlink(join(dirname(target), name)).catch(() => {});
  }
}
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false; // an earlier process of this number
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function complete(file: FileHandle, temporary: string, target: string, mode: number): Promise<void> {
  await file.chmod(mode);
  await file.sync();
  await rename(temporary, target);
  if (process.platform === 'win32') return; // Windows cannot open a folder
  const folder = await open(dirname(target), 'r');
  try {
    await folder.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error; // the file system has no fsync of folders
  } finally {
    await folder.close();
  }
}
function removeSync(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}
