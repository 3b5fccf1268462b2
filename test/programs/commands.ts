/**
 * Runs one `seqlik` command after another in one process, because starting Node takes longer than most commands of a
 * test. test/cli/run.ts starts it as `commands.js MAIN`, sends each command as a message and gets how it ended.
 */
import { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

/** A command, as test/cli/run.ts sends it. */
interface Command {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly input: string;
}
class Collected extends Writable {
  private readonly pieces: Buffer[] = [];
  override _write(piece: Buffer, _: string, done: () => void): void {
    this.pieces.push(piece);
    done();
  }
  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }
}

const main = process.argv[2]!;
const home = process.cwd();
let count = 0;
async function run({ args, cwd, input }: Command): Promise<object> {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const stdin = Readable.from([Buffer.from(input)], { objectMode: false });
  for (const [name, value] of Object.entries({ stdin, stdout, stderr }))
    Object.defineProperty(process, name, { value, configurable: true });
  process.argv = [process.execPath, main, ...args];
  process.exitCode = 0;
  process.chdir(cwd);
  // the query evaluates main.js anew; the modules it imports are loaded once
  await import(`${pathToFileURL(main)}?${count++}`);
  process.chdir(home); // a folder in use could not be unmounted
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.removeAllListeners(signal);
  return { code: process.exitCode, stdout: stdout.text, stderr: stderr.text };
}

let last: Promise<unknown> = Promise.resolve();
process.on('message', (command: Command) => {
  last = last.then(() => run(command)).then((ended) => process.send!(ended));
});
