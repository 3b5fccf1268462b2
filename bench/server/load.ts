/**
 * Load on the built server, by wrk (apt-get install wrk) and by sockets of its own: `node build/js/bench/server/load.js
 * [speed | binary | overload | attack | end | memory] [--seconds N] [--backend native|wasm]`. A measurement,
 * not a test: nothing in CI depends on it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { GaussianMixture, openBackend } from 'seqlik';
import { attacks } from './attacks.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '10' }, backend: { type: 'string', default: 'native' } },
});
const seconds = Number(values.seconds);
const backend = openBackend({ name: values.backend as 'native' });
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'seqlik-load-'));
const [d, k, n] = [8, 8, 16];
const covariances = Float64Array.from({ length: k * d * d }, (_, i) => (Math.floor(i / d) % d === i % d ? 1.5 : 0.05));
const means = Float64Array.from({ length: k * d }, (_, i) => Math.sin(7 * i));
const model = new GaussianMixture({ weights: Array(k).fill(1 / k), means, covariances }, { backend });
writeFileSync(join(folder, 'm.seqlik'), model.toBytes());
const rowsOf = (count: number): number[][] =>
  Array.from({ length: count }, (_, i) => Array.from({ length: d }, (_, j) => Math.cos(3 * i + j)));
const rows = rowsOf(n);
const body = JSON.stringify({ rows });
const expected = `{"logDensity":[${[...model.logDensity(rows)].join(',')}]}`;

/** A program of wrk that compares every answer. */
function script(name: string, answer: string): string {
  writeFileSync(join(folder, `${name}.body`), body);
  const path = join(folder, `${name}.lua`);
  writeFileSync(
    path,
    `wrk.method = "POST"; wrk.headers["content-type"] = "application/json"
local file = io.open("${join(folder, `${name}.body`)}"); wrk.body = file:read("*a"); file:close()
local expected = [==[${answer}]==]; local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() good = 0; wrong = 0; refused = 0 end
function response(status, headers, body)
  if status == 503 or status == 429 then refused = refused + 1
  elseif status == 200 and body == expected then good = good + 1 else wrong = wrong + 1 end
end
function done(summary, latency)
  local g, w, r = 0, 0, 0
  for _, t in ipairs(threads) do g = g + t:get("good"); w = w + t:get("wrong"); r = r + t:get("refused") end
  local e = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d %f %f %f\\n", g, w, r, e, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end`,
  );
  return path;
}
interface Result {
  readonly good: number;
  readonly wrong: number;
  readonly refused: number;
  readonly broken: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}
async function wrk(lua: string, url: string, connections: number, time = seconds): Promise<Result> {
  const args = ['-t1', `-c${connections}`, `-d${time}s`, '--timeout', '20s', '--latency', '-s', lua, url];
  const { stdout } = await run('wrk', args);
  const [good, wrong, refused, broken, duration, p50, p99] = /RESULT (.*)/.exec(stdout)![1]!.split(' ').map(Number);
  return {
    good: good!,
    wrong: wrong!,
    refused: refused!,
    broken: broken!,
    perSecond: good! / duration!,
    p50: p50!,
    p99: p99!,
  };
}
const shown = ({ perSecond, p50, p99, wrong, refused, broken }: Result): string =>
  `${perSecond.toFixed(0)} answers/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${wrong} wrong, ${refused} refused, ${broken} broken`;

interface Launched {
  readonly child: ChildProcess;
  readonly url: string;
  readonly score: string;
  memory(): number;
  stop(): Promise<void>;
}
async function launch(args: readonly string[]): Promise<Launched> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk) => {
      text += chunk;
    });
  while (!/listening on (\S+)/.test(text)) await sleep(10);
  const url = /listening on (\S+)/.exec(text)![1]!;
  return {
    child,
    url,
    score: `${url}/v1/models/m/score`,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024,
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
const serve = (...more: string[]): Promise<Launched> =>
  launch([
    'dist/cli/main.js',
    'serve',
    folder,
    '--port',
    '0',
    '--log-level',
    'silent',
    '--backend',
    backend.name,
    ...more,
  ]);
const echo = (): Promise<Launched> =>
  launch([
    '--input-type=module',
    '-e',
    `import fastify from 'fastify';
     const app = fastify();
     app.post('/', async ({ body }) => body);
     console.log('listening on ' + await app.listen({ port: 0 }));`,
  ]);
const check = script('score', expected);

const jobs: Readonly<Record<string, () => Promise<void>>> = {
  async speed() {
    const [server, bare] = [await serve(), await echo()];
    const same = script('echo', body);
    await wrk(check, server.score, 32, 2);
    await wrk(same, bare.url, 32, 2);
    for (let round = 0; round < 2; round++) {
      const own = await wrk(check, server.score, 32);
      const other = await wrk(same, bare.url, 32);
      console.log(`c=32   ${shown(own)}`);
      console.log(`echo   ${shown(other)}; ratio ${(own.perSecond / other.perSecond).toFixed(2)}`);
    }
    console.log(`c=256  ${shown(await wrk(check, server.score, 256))}`);
    await server.stop();
    bare.child.kill();
  },
  async binary() {
    const server = await serve();
    const x = Float64Array.from(rowsOf(10_000).flat());
    const headers = { 'content-type': 'application/octet-stream' };
    let [http, library] = [Infinity, Infinity];
    for (let i = 0; i < 300; i++) {
      const from = performance.now();
      const answer = await fetch(server.score, { method: 'POST', headers, body: x });
      const got = new Float64Array(await answer.arrayBuffer());
      const middle = performance.now();
      const own = model.logDensity(x);
      library = Math.min(library, performance.now() - middle);
      http = Math.min(http, middle - from);
      if (!own.every((value, i) => value === got[i])) throw new Error('wrong');
    }
    console.log(`10,000 rows: ${http.toFixed(2)} ms over HTTP, ${library.toFixed(2)} ms in the library`);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const of = (name: string): number => Number(new RegExp(`^${name} (.*)$`, 'm').exec(metrics)![1]);
    const mean = (of('seqlik_compute_seconds_sum') / of('seqlik_compute_seconds_count')) * 1000;
    console.log(`of which computed ${mean.toFixed(2)} ms on average, by seqlik_compute_seconds`);
    await server.stop();
  },
  async overload() {
    const server = await serve('--limit', 'queueRequests=32');
    const usual = await wrk(check, server.score, 32);
    const over = await wrk(check, server.score, 320);
    console.log(
      `c=32   ${shown(usual)}\nc=320  ${shown(over)}; goodput ${(over.perSecond / usual.perSecond).toFixed(2)}`,
    );
    await server.stop();
  },
  async attack() {
    for (const [name, attack] of Object.entries(attacks)) {
      const server = await serve();
      const address = new URL(server.url);
      await wrk(check, server.score, 4, 2);
      const before = server.memory();
      const over = new AbortController();
      const attacking = attack(Number(address.port), over.signal);
      let [honest, failed, most] = [0, 0, before];
      const waits: number[] = [];
      for (const end = Date.now() + 10_000; Date.now() < end; await sleep(5)) {
        const from = performance.now();
        const [health, score] = await Promise.all([
          fetch(`${server.url}/healthz`).then(({ ok }) => {
            waits.push(performance.now() - from);
            return ok;
          }),
          fetch(server.score, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then(
            (answer) => answer.text(),
          ),
        ]).catch(() => [false, '']);
        honest++;
        if (!health || score !== expected) failed++;
        most = Math.max(most, server.memory());
      }
      over.abort();
      const told = await attacking;
      await sleep(3000);
      const p99 = waits.sort((a, b) => a - b)[Math.floor(0.99 * waits.length)]!;
      console.log(
        `${name}: ${honest - failed} of ${honest} honest answers, health p99 ${p99.toFixed(1)} ms, memory ${before.toFixed(0)}, at most ${most.toFixed(0)}, then ${server.memory().toFixed(0)} MB; ${told}`,
      );
      await server.stop();
    }
  },
  async end() {
    for (let i = 0; i < 5; i++) {
      const server = await serve();
      const load = wrk(check, server.score, 32, 3);
      await sleep(1500);
      const from = performance.now();
      await server.stop();
      const took = performance.now() - from;
      const { good, wrong } = await load;
      console.log(
        `SIGTERM: exit ${server.child.exitCode} after ${took.toFixed(0)} ms, ${good} answers, ${wrong} wrong`,
      );
    }
  },
  async memory() {
    const server = await serve();
    for (let total = 0, first = 0; total < 1_200_000; ) {
      const { good, wrong } = await wrk(check, server.score, 32);
      total += good;
      if (total > 200_000 && first === 0) first = server.memory();
      console.log(
        `${total} answers, ${wrong} wrong: ${server.memory().toFixed(1)} MB, ${first ? (server.memory() - first).toFixed(1) : 0} MB more than after the first 200,000`,
      );
    }
    await server.stop();
  },
};
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(jobs)) await jobs[name]!();
} finally {
  rmSync(folder, { recursive: true });
}
