/** The models of a server by id: each may be replaced at any time, and lives on until its last request has ended. */
import { createHash } from 'node:crypto';
import { type AnyModel, type Backend, loadModel } from '../index.ts';
import { Meter } from './compute.ts';
import { invalid } from './errors.ts';
import { HttpError } from './problems.ts';
import type { Target } from './queue.ts';
import { type Scorer, scorerOf } from './scorers.ts';

/** Names of models: one part of a path, and nothing that leads out of a folder. */
export const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Throws INVALID_ARGUMENT. */
export function checkId(id: string): void {
  if (!idPattern.test(id) || id.includes('..'))
    throw invalid(
      `${JSON.stringify(id.slice(0, 80))} is no id of a model: 1 to 64 letters, digits and . _ -, no .. among them`,
      'id',
    );
}

let serials = 0;
/** One version of a model. */
export class Version implements Target {
  readonly serial = serials++;
  readonly scorer: Scorer;
  readonly meters: Target['meters'];
  readonly loaded = new Date();
  /** Requests and sessions that use it, and the registry. */
  private users = 1;
  constructor(
    readonly id: string,
    readonly model: AnyModel,
    /** The hash of the model file, in hexadecimal. */
    readonly sha256: string,
    /** Whether the model is the registry's, to be disposed of. */
    private readonly owned: boolean,
  ) {
    this.scorer = scorerOf(model);
    const guess = model.backend.name === 'native' ? 1 : 4; // until it is measured
    this.meters = { whole: new Meter(guess), gaps: new Meter(guess) };
  }
  retain(): this {
    this.users++;
    return this;
  }
  release(): void {
    if (--this.users === 0 && this.owned) this.model.dispose();
  }
}

/** Who hears of the changes. */
export interface Listener {
  changed(version: Version, before: Version | undefined): void;
}
export class Registry {
  private readonly versions = new Map<string, Version>();
  /** The reason why the last file of a model was refused. */
  private readonly failures = new Map<string, string>();
  private closed = false;
  constructor(
    private readonly backend: Backend | undefined,
    private readonly listener: Listener,
  ) {}

  get ids(): string[] {
    return [...this.versions.keys()].sort();
  }
  /** The version of now, to be released by who asked. Throws HttpError 404, 503. */
  acquire(id: string): Version {
    return this.get(id).retain();
  }
  /** Throws HttpError 404, 503. */
  get(id: string): Version {
    if (this.closed) throw new HttpError('UNAVAILABLE', 'the server is closing', 1);
    const version = this.versions.get(id);
    if (!version) throw new HttpError('NOT_FOUND', 'there is no model of this id');
    return version;
  }
  failureOf(id: string): string | undefined {
    return this.failures.get(id);
  }

  /** Takes a model of the caller's. */
  add(id: string, model: AnyModel): void {
    checkId(id);
    this.swap(new Version(id, model, hashOf(model.toBytes()), false));
  }
  /** Replaces the model by that of a file; the same bytes change nothing. Throws FORMAT: the old one stays. */
  load(id: string, bytes: Uint8Array): Version {
    checkId(id);
    const sha256 = hashOf(bytes);
    const before = this.versions.get(id);
    try {
      if (before?.sha256 !== sha256) {
        const model = loadModel(bytes, this.backend ? { backend: this.backend } : {});
        this.swap(new Version(id, model, sha256, true));
      }
      this.failures.delete(id);
    } catch (error) {
      this.fail(id, error);
      throw error;
    }
    return this.versions.get(id)!;
  }
  /** Notes why a model could not be replaced. */
  fail(id: string, error: unknown): void {
    if (this.versions.has(id)) this.failures.set(id, (error as Error).message);
  }
  close(): void {
    this.closed = true;
    for (const version of this.versions.values()) version.release();
    this.versions.clear();
  }

  private swap(version: Version): void {
    const before = this.versions.get(version.id);
    this.versions.set(version.id, version);
    this.listener.changed(version, before);
    before?.release();
  }
}
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
