/** Output: stdout, or a file that appears under its name only when it is complete. */

import { unlinkSync } from 'node:fs';
import { type FileHandle, lstat, open, readdir, realpath, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ioError } from '../table/errors.ts';
import { undoOnSignal } from './exit.ts';

export type Write = (data: string | Uint8Array) => Promise<void>;

/** Runs a job that writes to `path` ('-': stdout). If it fails, or a signal ends it, the file is as it was before. */
export async function writing<T>(path: string, job: (write: Write) => Promise<T>): Promise<T> {
  if (path === '-') return job(toStdout);
  const told = (cause: unknown): never => {
    throw ioError('write', path, cause);
  };
  const target = await placeOf(path).catch(told);
  const temporary = target.replaced ? join(dirname(target.path), temporaryName(basename(target.path))) : undefined;
  if (temporary) await sweep(target.path).catch(told);
  const file = await open(temporary ?? target.path, temporary ? 'wx' : 'w', 0o600).catch(told);
  const forget = undoOnSignal(() => {
    if (temporary) removeSync(temporary);
  });
  try {
    const result = await job((data) => file.writeFile(data).catch(told));
    if (temporary) await complete(file, temporary, target.path, target.mode).catch(told);
    return result;
  } catch (error) {
    if (temporary) await unlink(temporary).catch(() => {});
    throw error;
  } finally {
    await file.close().catch(() => {});
    forget();
  }
}

/** Resolves when the system has taken the data, so that no more than one piece waits in memory. */
const toStdout: Write = (data) =>
  new Promise((resolve, reject) => {
    process.stdout.write(data, (error) => (error ? reject(ioError('write', 'stdout', error)) : resolve()));
  });

/** The file behind links, whether it is replaced (a device or a pipe is written to), and the mode it will have. */
async function placeOf(path: string): Promise<{ path: string; replaced: boolean; mode: number }> {
  const behind = await realpath(path).catch(() => path);
  const there = await lstat(behind).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (there?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  const mode = there ? there.mode & 0o777 : 0o666 & ~process.umask();
  return { path: behind, replaced: !there || there.isFile() || there.isSymbolicLink(), mode };
}

const temporaryName = (name: string, pid: number | string = process.pid): string => `.${name}.${pid}.tmp`;

/** Removes what killed processes left beside the target. */
async function sweep(target: string): Promise<void> {
  const [before, after] = temporaryName(basename(target), '*').split('*') as [string, string];
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(before) || !name.endsWith(after)) continue;
    const pid = name.slice(before.length, -after.length);
    if (/^\d{1,10}$/.test(pid) && !isAlive(Number(pid))) await unlink(join(dirname(target), name)).catch(() => {});
  }
}
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false; // somebody of this number before us
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
  if (process.platform === 'win32') return; // which cannot open a folder
  const folder = await open(dirname(target), 'r');
  try {
    await folder.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error; // a file system without it
  } finally {
    await folder.close();
  }
}
function removeSync(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}
