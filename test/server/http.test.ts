/** The server on real sockets: deadlines, clients that go, streams both ways, and its end by a signal. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Running, type ServeOptions, serve } from '../../src/server/index.ts';
import { Folder, start } from '../cli/run.ts';
import { machines, mixture, modelsOn } from './models.ts';

const [backend] = machines;
const json = { 'content-type': 'application/json' };
const octets = { 'content-type': 'application/octet-stream' };
/** Enough work for some 100 ms. */
const heavy = mixture(backend!, 16, 32);
const rows = new Float64Array(16 * 50_000).map((_, i) => Math.sin(i));
let running: Running;
const open = async (options: Partial<ServeOptions> = {}): Promise<string> => {
  const models = { ...modelsOn(backend!), heavy };
  const limits = { eventLoopDelay: 1e6, timeout: 1e6, upload: 1e6, ...options.limits }; // a busy machine is no reason to refuse
  running = await serve({ models, port: 0, logLevel: 'silent', signals: false, drain: 0, ...options, limits });
  return running.url;
};
afterEach(() => running?.close());
const gauge = async (url: string, name: string): Promise<number> =>
  Number(new RegExp(`^${name} (.*)$`, 'm').exec(await (await fetch(`${url}/metrics`)).text())![1]);
const send = (url: string, body: unknown, headers: Record<string, string> = json) =>
  fetch(url, {
    method: 'POST',
    headers,
    body: typeof body === 'object' && !ArrayBuffer.isView(body) ? JSON.stringify(body) : (body as string),
  });

test('a deadline: 503 in time, of one that waits and of one that runs', async () => {
  const url = await open();
  const large = (ms?: number) =>
    send(`${url}/v1/models/heavy/score?output=responsibilities`, rows, {
      ...octets,
      ...(ms && { 'x-request-timeout-ms': `${ms}` }),
    });
  const [first, running, waiting] = await Promise.all([large(), large(20), large(30)]);
  expect([first.status, running.status, waiting.status]).toEqual([200, 503, 503]);
  expect(await waiting.json()).toMatchObject({ code: 'TIMEOUT', detail: expect.stringContaining('30 ms') });
  expect(waiting.headers.get('retry-after')).toBe('1');
  expect(await gauge(url, 'seqlik_queue_requests')).toBe(0);
  const own = await open({ limits: { timeout: 10 } });
  expect((await send(`${own}/v1/models/heavy/score?output=responsibilities`, rows, octets)).status).toBe(503);
  expect((await send(`${own}/v1/models/mixture/score`, { rows: [[1, 2, 3]] })).status).toBe(200);
});
test('a client that goes leaves the queue', async () => {
  const url = await open();
  const clients = Array.from({ length: 5 }, () => new AbortController());
  const requests = clients.map(({ signal }) =>
    fetch(`${url}/v1/models/heavy/score?output=responsibilities`, {
      method: 'POST',
      headers: octets,
      body: rows,
      signal,
    }).catch(() => 'gone'),
  );
  while ((await gauge(url, 'seqlik_queue_requests')) < 3) await sleep(2);
  for (const client of clients) client.abort();
  expect(await Promise.all(requests)).toContain('gone');
  while ((await gauge(url, 'seqlik_queue_requests')) > 0) await sleep(2);
  expect(await gauge(url, 'seqlik_queue_rows')).toBe(0);
  expect((await send(`${url}/v1/models/mixture/score`, { rows: [[1, 2, 3]] })).status).toBe(200);
});
test('the queue is full: 503 and Retry-After, at once, and it recovers', async () => {
  const url = await open({ limits: { queueRequests: 2 } });
  const large = () => send(`${url}/v1/models/heavy/score?output=responsibilities`, rows, octets);
  const answers = await Promise.all(Array.from({ length: 6 }, large));
  const refused = answers.filter(({ status }) => status === 503);
  expect(refused.length).toBeGreaterThan(0);
  expect(answers.filter(({ status }) => status === 200).length).toBe(6 - refused.length);
  expect(refused[0]!.headers.get('retry-after')).toBe('1');
  expect((await large()).status).toBe(200);
});
test('lines are answered as they come', async () => {
  const url = await open();
  const stream = httpRequest(`${url}/v1/models/mixture/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  stream.write('[1,2,3]\n');
  const [answer] = (await once(stream, 'response')) as [IncomingMessage];
  answer.setEncoding('utf8');
  const pieces = answer[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse((await pieces.next()).value);
  expect(await next()).toEqual({ logDensity: expect.any(Number) });
  for (let i = 0; i < 3; i++) {
    stream.write(`[${i},null,`);
    await sleep(5);
    stream.write('3]\n');
    expect(await next()).toEqual({ logDensity: expect.any(Number) });
  }
  stream.end('[1]\n');
  expect(await next()).toMatchObject({ error: { status: 400, line: 5 } });
  expect((await pieces.next()).done).toBe(true);
});
test('a body that dawdles ends its connection', async () => {
  const { port, hostname, origin } = new URL(await open({ limits: { upload: 50 } }));
  const slow = async (path: string): Promise<void> => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`);
    const drip = setInterval(() => socket.write(' '), 10);
    await new Promise((resolve) => socket.resume().on('close', resolve)); // with a reset or without
    clearInterval(drip);
  };
  await Promise.all(
    ['v1/models/mixture/score', 'v2/models/mixture/infer', 'v1/models/gru/sessions'].map((path) => slow(`/${path}`)),
  );
  expect((await fetch(`${origin}/healthz`)).status).toBe(200);
});
test.each([
  [
    'a body cut short',
    'POST /v1/models/mixture/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"rows"',
    null,
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx', 400],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['large headers', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['a long path', `GET /v1/models/${'x'.repeat(200)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, 414],
])('%s', async (_, text, status) => {
  const url = new URL(await open());
  const socket = connect(Number(url.port), url.hostname);
  socket.write(text);
  if (status === null) {
    socket.end();
    await once(socket.resume(), 'close');
  } else expect(`${(await once(socket, 'data'))[0]}`).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  socket.destroy();
  expect((await fetch(`${url.origin}/healthz`)).status).toBe(200);
});

describe('seqlik serve', () => {
  const folder = new Folder();
  beforeAll(() => {
    for (const [id, model] of Object.entries(modelsOn(backend!)))
      writeFileSync(folder.at(`${id}.seqlik`), model.toBytes());
  });
  const launch = async (...args: string[]) => {
    const child = start(['serve', '--port', '0', '--backend', backend!.name, ...args]);
    let log = '';
    child.stderr!.setEncoding('utf8').on('data', (text) => {
      log += text;
    });
    while (!log.includes('listening on') && child.exitCode === null) await sleep(5);
    const ended = once(child, 'exit');
    return { child, url: /listening on (\S+)/.exec(log)?.[1], log: () => log, ended };
  };
  test('a folder, and SIGTERM while 32 clients ask: every request that has entered is answered', async () => {
    const { child, url, log, ended } = await launch(folder.path, '--log-requests', '--limit', 'eventLoopDelay=1000000');
    const agent = new Agent({ keepAlive: true });
    const address = new URL(url!);
    const post = () =>
      new Promise<number>((resolve) => {
        const request = httpRequest({
          agent,
          port: address.port,
          path: '/v1/models/mixture/score',
          method: 'POST',
          headers: json,
        });
        request.on('response', (answer) => answer.resume().on('end', () => resolve(answer.statusCode!)));
        request.on('error', () => resolve(0));
        request.end('{"rows":[[1,2,3],[4,5,6]]}');
      });
    const statuses = new Map<number, number>();
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) {
        const status = await post();
        if (status === 0 && isOver) return;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 0) await sleep(5);
      }
    };
    const clients = Array.from({ length: 32 }, client);
    while ((statuses.get(200) ?? 0) < 200) await sleep(5);
    expect([...statuses.keys()]).toEqual([200]);
    child.kill('SIGTERM');
    const [code] = await ended;
    isOver = true;
    await Promise.all(clients);
    agent.destroy();
    expect(code).toBe(0);
    const lines = log()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    const count = (message: string): number => lines.filter(({ msg }) => msg === message).length;
    expect(count('incoming request')).toBeGreaterThan(100);
    expect(count('request completed')).toBe(count('incoming request'));
    expect(count('model loaded')).toBe(8);
    expect([...statuses.keys()].filter((status) => status !== 0 && status !== 503)).toEqual([200]);
  });
  test.each([
    [['none.seqlik'], 1, 'cannot read none.seqlik'],
    [['--limit', 'rows=1', 'none.seqlik'], 2, 'limits.rows is no limit'],
    [['--limit', 'x', 'none.seqlik'], 2, '--limit must be name=number'],
    [['--watch', '0', 'none.seqlik'], 2, '--watch'],
    [['--port', '70000', 'none.seqlik'], 2, '--port'],
    [[], 2, "missing required argument 'MODEL'"],
    [['.', 'none.seqlik'], 2, 'is a folder'],
    [['--host', '203.0.113.1', '.'], 1, 'cannot listen on 203.0.113.1'],
  ])('seqlik serve %j', async (args, code, message) => {
    const { log, ended, child } = await launch(...args.map((arg) => (arg === '.' ? folder.path : arg)));
    const status = child.exitCode ?? (await ended)[0];
    expect([status, log()]).toEqual([code, expect.stringContaining(message)]);
  });
});
