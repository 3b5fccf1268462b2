/** The bytes of a file as its readers take them: gzip is unpacked, UTF-16 becomes UTF-8, a lone CR a line end. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SeqlikError } from '../errors.ts';
import { fileError } from './errors.ts';

const LF = 10;
const CR = 13;
const QUOTE = 34;
const PIECE = 2 ** 18;
const MODEL = Buffer.from('{"__metadata__":{'); // after the 8 bytes with which such a file begins
type Pieces = AsyncIterable<Buffer>;

/**
 * Bytes of UTF-8 without a byte order mark, whose lines end in LF or CRLF. Between `quotes`, CR and LF are text, unless
 * the lines of the file end in CR alone. Throws FORMAT: damaged gzip, or text that is not UTF-16.
 */
export const decoded = (pieces: Pieces, file: string, quotes: boolean): Pieces =>
  withLineFeeds(toUtf8(unpacked(pieces, file), file), quotes);

/** Joins the first pieces until they hold `least` bytes, if there are so many. */
async function* gathered(pieces: Pieces, least: number): AsyncGenerator<Buffer> {
  let begun: Buffer[] | undefined = [];
  let length = 0;
  for await (const piece of pieces) {
    if (!begun) yield piece;
    else {
      begun.push(piece);
      length += piece.length;
      if (length < least) continue;
      yield Buffer.concat(begun);
      begun = undefined;
    }
  }
  if (begun && length > 0) yield Buffer.concat(begun);
}

/** Unpacks gzip, known by its first two bytes. */
async function* unpacked(pieces: Pieces, file: string): AsyncGenerator<Buffer> {
  const all = gathered(pieces, 2);
  const first = await all.next();
  if (first.done) return;
  const [a, b] = first.value;
  if (a !== 0x1f || b !== 0x8b) {
    yield first.value;
    yield* all;
    return;
  }
  const packed = async function* () {
    yield first.value;
    yield* all;
  };
  const gunzip = createGunzip({ chunkSize: PIECE });
  pipeline(Readable.from(packed()), gunzip, () => {}); // an error reaches whoever reads
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof SeqlikError) throw error;
    throw fileError('FORMAT', file, `its gzip is damaged: ${(error as Error).message}`, { cause: error });
  }
}

async function* toUtf8(pieces: Pieces, file: string): AsyncGenerator<Buffer> {
  let decode: ((bytes?: Buffer) => Buffer) | undefined;
  let first = true;
  for await (const piece of gathered(pieces, 8 + MODEL.length)) {
    if (first && piece.subarray(8, 8 + MODEL.length).equals(MODEL))
      throw fileError('FORMAT', file, 'it is a file of a model, not a table');
    const encoding = first ? encodingOf(piece) : undefined;
    if (encoding === 'utf-16le' || encoding === 'utf-16be') decode = decoder(encoding, file);
    if (decode) yield decode(piece);
    else yield encoding === 'marked' ? piece.subarray(3) : piece;
    first = false;
  }
  if (decode) yield decode();
}
/** The encoding by the byte order mark or, for UTF-16 without one, by the zeros in two ASCII characters. */
function encodingOf([a, b, c, d]: Buffer): 'utf-16le' | 'utf-16be' | 'marked' | undefined {
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'marked';
  if ((a === 0xff && b === 0xfe) || (a && b === 0 && c && d === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b && c === 0 && d)) return 'utf-16be';
  return undefined;
}
function decoder(encoding: string, file: string): (bytes?: Buffer) => Buffer {
  const text = new TextDecoder(encoding, { fatal: true });
  return (bytes) => {
    try {
      return Buffer.from(bytes ? text.decode(bytes, { stream: true }) : text.decode());
    } catch (cause) {
      throw fileError('FORMAT', file, 'it is not UTF-16, as its first bytes say', { cause });
    }
  };
}

/** Makes each lone CR an LF if the first line ends in one, as in files of old spreadsheets. */
async function* withLineFeeds(pieces: Pieces, quotes: boolean): AsyncGenerator<Buffer> {
  let old: boolean | undefined; // undecided
  let quoted = false;
  let held = false; // a CR, until the byte after it is known
  for await (const piece of pieces) {
    if (old === false) {
      yield piece;
      continue;
    }
    const bytes: Buffer = held ? Buffer.concat([Buffer.of(CR), piece]) : piece;
    for (let i = 0; i < bytes.length && old === undefined; i++) {
      if (quotes && bytes[i] === QUOTE) quoted = !quoted;
      else if (quoted) continue;
      else if (bytes[i] === LF) old = false;
      else if (bytes[i] === CR && i + 1 < bytes.length) old = bytes[i + 1] !== LF;
    }
    held = old !== false && bytes.at(-1) === CR;
    const whole = held ? bytes.subarray(0, -1) : bytes;
    yield old ? lineFeeds(whole, bytes) : whole;
  }
  if (held) yield Buffer.of(quoted && !old ? CR : LF);
}
/** A copy of `bytes`, the beginning of `all`, with an LF for each CR that no LF follows. */
function lineFeeds(bytes: Buffer, all: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(CR); at >= 0; at = copy.indexOf(CR, at + 1)) if (all[at + 1] !== LF) copy[at] = LF;
  return copy;
}
