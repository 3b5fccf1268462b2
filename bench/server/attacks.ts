/** Six attacks on a server, each until its signal is aborted; each says what came of it. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Attack = (port: number, signal: AbortSignal) => Promise<string>;
/** Sockets that open at once, and how long each lived. */
async function sockets(
  count: number,
  port: number,
  signal: AbortSignal,
  act: (socket: Socket, isOpen: () => boolean) => Promise<void>,
): Promise<string> {
  const lives: number[] = [];
  const one = async (): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    const from = performance.now();
    let isOpen = true;
    const closed = new Promise<void>((resolve) =>
      socket
        .on('error', () => {})
        .on('close', () => {
          isOpen = false;
          lives.push((performance.now() - from) / 1000);
          resolve();
        }),
    );
    socket.resume();
    await act(socket, () => isOpen && !signal.aborted);
    if (signal.aborted) socket.destroy();
    await closed;
  };
  await Promise.all(Array.from({ length: count }, one));
  return `${count} sockets lived ${Math.min(...lives).toFixed(1)} to ${Math.max(...lives).toFixed(1)} s`;
}
const head = (length: number | string, more = ''): string =>
  `POST /v1/models/m/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${more}Content-Length: ${length}\r\n\r\n`;
/** One request after another, each on a socket of its own. */
async function again(port: number, signal: AbortSignal, texts: readonly (string | Buffer)[]): Promise<string> {
  const answers = new Map<string, number>();
  const one = async (): Promise<void> => {
    for (let i = 0; !signal.aborted; i++) {
      const socket = connect(port, '127.0.0.1');
      const status = await new Promise<string>((resolve) => {
        socket.once('data', (data) => resolve(`${data}`.slice(9, 12)));
        socket.on('error', () => resolve('reset'));
        socket.on('close', () => resolve('closed'));
        socket.write(texts[i % texts.length]!);
      });
      socket.destroy();
      answers.set(status, (answers.get(status) ?? 0) + 1);
      await sleep(5);
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  return [...answers].map(([status, count]) => `${count} x ${status}`).join(', ');
}
const deep = `{"rows":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
const smuggled = [
  'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
  'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
  'Content-Length: +5\r\n\r\nhello',
  'Content-Length: 0x5\r\n\r\nhello',
  'Content-Length: -1\r\n\r\n',
  'Content-Length: 5\r\n Content-Length: 6\r\n\r\nhello',
  'X: a\nContent-Length: 5\r\n\r\nhello',
  'Content-Length: 99999999999999999999\r\n\r\n',
  'X\0: a\r\n\r\n',
].map((text) => `POST /v1/models/m/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${text}`);

export const attacks: Readonly<Record<string, Attack>> = {
  'slow headers': (port, signal) =>
    sockets(500, port, signal, async (socket, isOpen) => {
      socket.write('POST / HTTP/1.1\r\nHost: a\r\n');
      for (; isOpen(); await sleep(500)) socket.write('X: a\r\n');
    }),
  'slow bodies': (port, signal) =>
    sockets(200, port, signal, async (socket, isOpen) => {
      socket.write(head(1000));
      for (; isOpen(); await sleep(500)) socket.write(' ');
    }),
  'a flood of large bodies': (port, signal) =>
    sockets(200, port, signal, async (socket, isOpen) => {
      socket.write(head('x', 'Transfer-Encoding: chunked\r\n').replace('Content-Length: x\r\n', ''));
      const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 32), Buffer.from('\r\n')]);
      for (let sent = 0; isOpen() && sent < 50 * 2 ** 20; sent += 65_536)
        if (!socket.write(chunk))
          await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(100)]);
    }),
  'deep JSON': (port, signal) => again(port, signal, [head(deep.length) + deep]),
  'large headers': (port, signal) =>
    again(port, signal, [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(65_536)}\r\n\r\n`]),
  smuggling: (port, signal) => again(port, signal, smuggled),
};
