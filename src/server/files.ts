/** Model files of a server: found in a folder or named, watched, and replaced. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { ioError } from '../table/errors.ts';
import { invalid } from './errors.ts';
import { checkId, idPattern, type Registry } from './registry.ts';

/** The extension of the models of a folder. */
const EXTENSION = '.seqlik';

/** A message for the log. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
/** Files by id, of which those of a folder come and change. */
export class Files {
  private readonly seen = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;
  private polling: Promise<void> | undefined;
  private constructor(
    private readonly registry: Registry,
    private readonly log: Log,
    private readonly paths: Map<string, string>,
    private readonly folder: string | undefined,
  ) {}

  /** Loads all models of a folder. A file that is none is an error in the log. Throws IO. */
  static async inFolder(folder: string, registry: Registry, log: Log): Promise<Files> {
    const files = new Files(registry, log, new Map(), folder);
    await readdir(folder).catch((error) => {
      throw ioError('read', folder, error);
    });
    await files.poll();
    return files;
  }
  /** Loads the files named: the id of each is its name without the extension. Throws IO, FORMAT, INVALID_ARGUMENT. */
  static async named(names: readonly string[], registry: Registry, log: Log): Promise<Files> {
    const paths = new Map<string, string>();
    for (const path of names) {
      const id = basename(path, extname(path));
      checkId(id);
      const other = paths.get(id);
      if (other !== undefined) throw invalid(`${other} and ${path} have the same id, ${id}`, 'models');
      paths.set(id, path);
    }
    const files = new Files(registry, log, paths, undefined);
    for (const [id, path] of paths) await files.read(id, path);
    return files;
  }

  /** Looks for changes every so many milliseconds: notices of the system do not come from every file system. */
  watch(milliseconds: number): void {
    const again = (): void => {
      this.timer = setTimeout(() => {
        this.polling = this.poll().finally(again);
      }, milliseconds).unref();
    };
    again();
  }
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.polling;
    clearTimeout(this.timer);
  }
  /** Writes the file of a model, all of it or nothing. Throws IO. */
  async write(id: string, bytes: Uint8Array): Promise<void> {
    checkId(id);
    const path = this.paths.get(id) ?? (this.folder === undefined ? undefined : join(this.folder, id + EXTENSION));
    if (path === undefined) return; // it has no file
    const own = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      const file = await open(own, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(own, path);
    } catch (error) {
      await rm(own, { force: true });
      throw ioError('write', path, error);
    }
    this.paths.set(id, path);
  }

  /** Loads what has changed since the last look; a bad file leaves the old model, and says why. */
  private async poll(): Promise<void> {
    for (const [id, path] of this.folder === undefined ? this.paths : await this.list(this.folder))
      try {
        const { mtimeMs, size, ino } = await stat(path);
        const mark = `${mtimeMs} ${size} ${ino}`;
        if (this.seen.get(id) === mark) continue;
        this.seen.set(id, mark);
        await this.read(id, path);
        this.paths.set(id, path);
      } catch (error) {
        this.registry.fail(id, error);
        this.log.warn({ model: id, err: error }, 'model file refused');
      }
  }
  private async list(folder: string): Promise<Map<string, string>> {
    const names = await readdir(folder).catch((error) => {
      this.log.warn({ err: error }, 'model folder not read');
      return [];
    });
    const models = names.filter((name) => extname(name) === EXTENSION).sort();
    return new Map(
      models
        .map((name) => [basename(name, EXTENSION), join(folder, name)] as const)
        .filter(([id]) => idPattern.test(id) && !id.includes('..')),
    );
  }
  private async read(id: string, path: string): Promise<void> {
    const follow = this.folder === undefined ? 0 : constants.O_NOFOLLOW; // a link may lead out of the folder
    const bytes = await open(path, constants.O_RDONLY | follow)
      .then((file) => file.readFile().finally(() => file.close()))
      .catch((error) => {
        throw ioError('read', path, error);
      });
    const { sha256 } = this.registry.load(id, bytes);
    this.log.info({ model: id, sha256 }, 'model loaded');
  }
}
