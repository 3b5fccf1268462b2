/** `seqlik serve`: answers over HTTP what the models of some files make of rows. */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Limits, ServeOptions } from '../server/index.ts';
import { ioError } from '../table/errors.ts';
import { usageError } from './errors.ts';
import { leaveSignals, printToStderr } from './exit.ts';
import { addBackendOptions, type BackendChoice, backendOf, examplesText, wholeNumber } from './options.ts';

interface Options extends BackendChoice {
  readonly host: string;
  readonly port: number;
  readonly watch?: number | true;
  readonly tokenFile?: string;
  readonly limit: Partial<Limits>;
  readonly logLevel: NonNullable<ServeOptions['logLevel']>;
  readonly logRequests?: true;
}
const examples = [
  'seqlik serve birds.seqlik',
  'seqlik serve models/ --watch --port 8080',
  'seqlik serve birds.seqlik tides.seqlik --host 0.0.0.0 --limit timeout=1000 --limit queueRequests=256',
];

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('answer scores over HTTP; the id of a model is the name of its file without the extension')
    .argument('<MODEL...>', 'model files that fit wrote, or a folder of files *.seqlik')
    .option('--host <address>', 'the address to listen on; 0.0.0.0 for all', '127.0.0.1')
    .option('--port <n>', 'the port to listen on; 0 for any that is free', wholeNumber('--port'), 8080)
    .option('--watch [ms]', 'look for changed model files, every second or every <ms>', wholeNumber('--watch'))
    .option('--token-file <file>', 'a file with the token with which PUT replaces models (default: nobody can)')
    .option('--limit <name=n>', 'a limit, see docs/server.md; may be repeated', addLimit, {})
    .addOption(
      new Option('--log-level <name>', 'what to log, as lines of JSON on stderr')
        .choices(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
        .default('info'),
    )
    .option('--log-requests', 'a line of the log for every request');
  addBackendOptions(command).addHelpText('after', examplesText(examples)).action(serveModels);
}

async function serveModels(paths: readonly string[], options: Options): Promise<void> {
  const { host, port, watch, tokenFile, limit, logLevel, logRequests } = options;
  if (port > 65_535) throw usageError('--port must be at most 65535');
  if (watch === 0) throw usageError('--watch must be 1 or more milliseconds');
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
  const backend = backendOf(options);
  const { serve } = await import('../server/index.ts');
  leaveSignals(); // the server answers what has entered before it ends
  const { url } = await serve({
    models: modelsOf(paths),
    host,
    port,
    limits: limit,
    backend,
    logLevel,
    ...(watch !== undefined && { watch: watch === true ? 1000 : watch }),
    ...(token !== undefined && { token }),
    ...(logRequests && { logRequests }),
  }).catch((error) => {
    const { code, syscall } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : ioError('listen on', `${host}:${port}`, { ...error, code });
  });
  printToStderr(`seqlik: listening on ${url}`);
}
/** A folder as it is, files as a list. */
function modelsOf(paths: readonly string[]): string | readonly string[] {
  const folders = paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
  if (folders.length === 0) return paths;
  if (paths.length > 1) throw usageError(`${folders[0]} is a folder: name it alone, or name files`);
  return folders[0]!;
}
async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw ioError('read', path, error);
  });
  return text.trim();
}
function addLimit(text: string, limits: Partial<Limits>): Partial<Limits> {
  const [, name, value] = /^(\w+)=(\d+)$/.exec(text) ?? [];
  if (!name) throw usageError(`--limit must be name=number, not ${text.slice(0, 40)}`);
  return { ...limits, [name]: Number(value) };
}
