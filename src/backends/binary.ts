/** The addon as a file: which package has the one of this system, and whether a copy of it is whole. */

/**
 * Returns the package with the addon of this system. Its C library is asked for, since both may be installed, as by a
 * lockfile made on another machine, and the wrong one might load and crash.
 */
export function platformPackage({ platform, arch, execPath }: NodeJS.Process): string {
  // the name of the loader that starts Node stands near the beginning of its file; process.report takes 9 ms
  const musl = platform === 'linux' && readStart(execPath, 4096)?.bytes.includes('/ld-musl-');
  return `@seqlik/${platform}-${arch}${platform === 'linux' ? (musl ? '-musl' : '-gnu') : ''}`;
}

/** Whether a shared object of Linux (ELF, 64 bits) ends early, as after a broken copy: loading it would end the process. */
export function isCut(file: string): boolean {
  const start = readStart(file, 64);
  if (start?.bytes.readUInt32BE(0) !== 0x7f454c46 || start.bytes[4] !== 2) return false; // the loader will tell
  const sections = Number(start.bytes.readBigUInt64LE(40)); // their table is the end of the file
  return start.size < sections + start.bytes.readUInt16LE(58) * start.bytes.readUInt16LE(60);
}

/** Returns the first bytes of a file, zeros where it is shorter, and its size; undefined if it cannot be read. */
function readStart(file: string, count: number): { bytes: Buffer; size: number } | undefined {
  const { closeSync, fstatSync, openSync, readSync } = globalThis.process.getBuiltinModule('node:fs');
  try {
    const descriptor = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(count);
      readSync(descriptor, bytes);
      return { bytes, size: fstatSync(descriptor).size };
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}
