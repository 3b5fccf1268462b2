/** A client in Node: JSON, binary rows, a stream of lines, and a session. `node score.js URL MODEL` */
const [url, model, session] = process.argv.slice(2);
const address = `${url}/v1/models/${model}`;
/** Sends a body, and again after the time that the server names if it is busy. */
async function post(path: string, type: string, body: BodyInit): Promise<Response> {
  for (;;) {
    const answer = await fetch(path, { method: 'POST', headers: { 'content-type': type }, body });
    if (answer.ok) return answer;
    const { status, code, detail } = await answer.json();
    if (status !== 503 && status !== 429) throw new Error(`${code}: ${detail}`);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get('retry-after') ?? 1)));
  }
}

const rows = [
  [39.1, 18.7],
  [46.5, null],
  [50, 15.2],
];
const json = await post(`${address}/score`, 'application/json', JSON.stringify({ rows }));
console.log('json   ', ...(await json.json()).logDensity);

const values = Float64Array.from(rows.flat(), (value) => value ?? Number.NaN);
const binary = await post(`${address}/score?missing=nan`, 'application/octet-stream', values);
console.log('binary ', ...new Float64Array(await binary.arrayBuffer()));

const lines = await post(
  `${address}/score`,
  'application/x-ndjson',
  rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
);
const scores = (await lines.text()).trimEnd().split('\n');
console.log('lines  ', ...scores.map((line) => JSON.parse(line).logDensity));

// observations of a series, one after another
const own = `${url}/v1/models/${session}/sessions`;
const { session: id } = await (await fetch(own, { method: 'POST' })).json();
const densities: number[] = [];
for (const level of [1120, 1160, 963]) {
  const answer = await post(`${own}/${id}`, 'application/json', JSON.stringify({ rows: [[level]] }));
  densities.push(...(await answer.json()).logDensity);
}
await fetch(`${own}/${id}`, { method: 'DELETE' });
console.log('session', ...densities);

await post(`${address}/score`, 'application/json', '{"rows":[["39.1",18.7]]}').catch(({ message }) =>
  console.log(message),
);

export {};
