/** Input: the bytes of DATA, cut between records. */
import { open } from 'node:fs/promises';
import { ioError } from './errors.ts';

/** A record, and with it what may have to wait in memory, is at most this long. */
export const LONGEST = 2 ** 20;
const PIECE = 2 ** 18;
const QUOTE = 34;
const LF = 10;

/** DATA as bytes. */
export class Source {
  /** Bytes read so far. */
  taken = 0;
  constructor(
    /** As messages call it. */
    readonly name: string,
    private readonly stream: AsyncIterable<Buffer>,
    /** Bytes, of a file. */
    readonly size?: number,
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
/** '-' is stdin. Throws IO. */
export async function openSource(path: string): Promise<Source> {
  if (path === '-') return new Source('stdin', process.stdin);
  try {
    const file = await open(path);
    const info = await file.stat();
    return new Source(path, file.createReadStream({ highWaterMark: PIECE }), info.isFile() ? info.size : undefined);
  } catch (error) {
    throw ioError('read', path, error);
  }
}

/**
 * Whole records: each piece ends where a record ends. With `quotes`, a line end between quotes ends no record. What has
 * no end within LONGEST comes as it is, without a line end: it is for the reader to refuse. The byte order mark is taken
 * off, a missing last line end is put there.
 */
export async function* records(source: Source, quotes: boolean): AsyncGenerator<Buffer> {
  let begun: Uint8Array[] = []; // of a record that has not ended yet
  let length = 0;
  let first = true;
  for await (const piece of source.pieces()) {
    begun.push(piece);
    length += piece.length;
    if (first && length < 3) continue; // perhaps the beginning of a mark
    if (!first && length <= LONGEST && !piece.includes(LF)) continue;
    let bytes: Buffer = Buffer.concat(begun);
    if (first) bytes = unmarked(bytes);
    first = false;
    const end = boundary(bytes, quotes);
    const rest = bytes.subarray(end);
    if (end > 0) yield bytes.subarray(0, end);
    if (rest.length > LONGEST) yield rest;
    begun = [rest];
    length = rest.length;
  }
  const rest = first ? unmarked(Buffer.concat(begun)) : Buffer.concat(begun);
  if (rest.length > 0) yield rest.at(-1) === LF ? rest : Buffer.concat([rest, Buffer.of(LF)]);
}
const unmarked = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;

/** Where the last record ends; 0 if none does. */
export function boundary(bytes: Buffer, quotes: boolean): number {
  if (!quotes || !bytes.includes(QUOTE)) return bytes.lastIndexOf(LF) + 1;
  let end = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++)
    if (bytes[i] === QUOTE) quoted = !quoted;
    else if (bytes[i] === LF && !quoted) end = i + 1;
  return end;
}
