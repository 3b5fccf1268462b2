/** Input: the bytes of a table, cut between records. */
import { open } from 'node:fs/promises';
import { decoded } from './encoding.ts';
import { ioError } from './errors.ts';

/** The most bytes of a record, and so of what may have to wait in memory. */
export const LONGEST = 2 ** 20;
const PIECE = 2 ** 18;
const QUOTE = 34;
const LF = 10;

/** A table as bytes. */
export class Source {
  /** The bytes read so far. */
  taken = 0;
  constructor(
    /** Its name in messages. */
    readonly name: string,
    private readonly stream: AsyncIterable<Buffer>,
    /** The size of a file in bytes. */
    readonly size?: number,
    /** Closes the file, whether it was read or not. */
    readonly close: () => Promise<void> = async () => {},
  ) {}
  async *pieces(): AsyncGenerator<Buffer> {
    try {
      for await (const piece of this.stream) {
        this.taken += piece.length;
        yield piece;
      }
    } catch (error) {
      throw ioError('read', this.name, error);
    }
  }
}
/** Opens a file; '-' is stdin. Throws IO. */
export async function openSource(path: string): Promise<Source> {
  if (path === '-') return new Source('stdin', process.stdin);
  try {
    const file = await open(path);
    const info = await file.stat();
    const stream = file.createReadStream({ highWaterMark: PIECE });
    const close = async (): Promise<void> => {
      stream.destroy();
      await file.close().catch(() => {});
    };
    return new Source(path, stream, info.isFile() ? info.size : undefined, close);
  } catch (error) {
    throw ioError('read', path, error);
  }
}

/**
 * Pieces of whole records. With `quotes`, a line end between quotes does not end a record. A record with no end within
 * LONGEST bytes is yielded without its line end, for the reader to refuse. A missing last line end is added.
 */
export async function* records(source: Source, quotes: boolean): AsyncGenerator<Buffer> {
  let begun: Uint8Array[] = []; // of a record that has not ended yet
  let length = 0;
  for await (const piece of decoded(source.pieces(), source.name, quotes)) {
    begun.push(piece);
    length += piece.length;
    if (length <= LONGEST && !piece.includes(LF)) continue;
    const bytes: Buffer = Buffer.concat(begun);
    const end = boundary(bytes, quotes);
    const rest = bytes.subarray(end);
    if (end > 0) yield bytes.subarray(0, end);
    if (rest.length > LONGEST) yield rest;
    begun = [rest];
    length = rest.length;
  }
  const rest = Buffer.concat(begun);
  if (rest.length > 0) yield rest.at(-1) === LF ? rest : Buffer.concat([rest, Buffer.of(LF)]);
}

/** The end of the last whole record; 0 if there is none. */
export function boundary(bytes: Buffer, quotes: boolean): number {
  if (!quotes || !bytes.includes(QUOTE)) return bytes.lastIndexOf(LF) + 1;
  let end = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++)
    if (bytes[i] === QUOTE) quoted = !quoted;
    else if (bytes[i] === LF && !quoted) end = i + 1;
  return end;
}
