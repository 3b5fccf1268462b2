/** Binary bodies, lines of NDJSON and the Open Inference Protocol: the bits of /v1 in other clothes. */
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  GaussianMixture,
  LinearDynamicalSystem,
  MixtureDensityNetwork,
  RecurrentClassifier,
} from '../../src/index.ts';
import seqlik from '../../src/server/index.ts';
import { bitsOf, modelsOn, named, rowsOf } from './models.ts';

const octets = { 'content-type': 'application/octet-stream' };
const f64 = (bytes: Buffer): Float64Array => new Float64Array(new Uint8Array(bytes).buffer);
const f32 = (bytes: Buffer): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);
const bytes = (values: { buffer: ArrayBufferLike }): Buffer => Buffer.from(new Uint8Array(values.buffer));

describe.each(named)('on %s', (_, backend) => {
  const models = modelsOn(backend);
  const mixture = models['mixture'] as GaussianMixture;
  const x = Float64Array.from(rowsOf(40).flat());
  let app: FastifyInstance;
  beforeAll(async () => {
    app = fastify();
    await app.register(seqlik, { models, limits: { lineBytes: 2000 } });
  });
  afterAll(() => app.close());
  const post = (url: string, payload: Buffer | string, headers: Record<string, string | number> = octets) =>
    app.inject({ method: 'POST', url, payload, headers });
  const score = async (id: string, query: string, payload: Buffer, status = 200): Promise<Buffer> => {
    const answer = await post(`/v1/models/${id}/score${query}`, payload);
    expect([answer.statusCode, answer.rawPayload.toString('latin1')]).toEqual([status, expect.anything()]);
    return answer.rawPayload;
  };

  describe('octets', () => {
    test('f64, f32, and gaps', async () => {
      expect(bitsOf(f64(await score('mixture', '', bytes(x))))).toBe(bitsOf(mixture.logDensity(x)));
      const single = Float32Array.from(x);
      expect(f32(await score('mixture', '?dtype=f32', bytes(single)))).toEqual(mixture.logDensity(single));
      const gappy = x.map((value, i) => (i % 4 ? value : Number.NaN));
      const missing = { missing: 'nan' } as const;
      expect(bitsOf(f64(await score('mixture', '?missing=nan', bytes(gappy))))).toBe(
        bitsOf(mixture.logDensity(gappy, missing)),
      );
      const refused = JSON.parse((await score('mixture', '', bytes(gappy), 422)).toString());
      expect(refused).toMatchObject({ code: 'NON_FINITE', row: 0, column: 0, value: 'NaN' });
    });
    test('every output', async () => {
      expect(f64(await score('mixture', '?output=responsibilities', bytes(x)))).toEqual(mixture.responsibilities(x));
      const component = new Int32Array(f64(await score('mixture', '?output=component', bytes(x))).buffer);
      expect(component).toEqual(mixture.classify(x));
      const anomaly = await score('mixture', '?output=anomaly', bytes(x));
      expect([...anomaly]).toEqual([...mixture.logDensity(x)].map((value) => Number(value < -7)));
    });
    test('sequences', async () => {
      const lengths = [12, 0, 28];
      const system = models['system'] as LinearDynamicalSystem;
      const sums = f64(await score('system', '?lengths=12,0,28&output=logLikelihood', bytes(x)));
      expect(bitsOf(sums)).toBe(bitsOf(system.logLikelihoods({ values: x, lengths })));
      const single = Float32Array.from(x);
      expect(f32(await score('system', '?dtype=f32', bytes(single)))).toEqual(system.logDensity(single));
      const sum = f64(await score('system', '?dtype=f32&output=logLikelihood', bytes(single)));
      expect(bitsOf(sum)).toBe(bitsOf(system.logLikelihoods(single)));
      const gru = f32(await score('gru', '?dtype=f32', bytes(single)));
      expect(gru[0]).toBeNaN();
      expect(gru.subarray(1)).toEqual((models['gru'] as MixtureDensityNetwork).logDensity(single));
    });
    test.each([
      ['a number cut short', '', bytes(x).subarray(1), 400, 'DIMENSION_MISMATCH'],
      ['a row cut short', '', bytes(x).subarray(8), 400, 'DIMENSION_MISMATCH'],
      ['an unknown output', '?output=none', bytes(x), 400, 'INVALID_ARGUMENT'],
      ['an unknown key', '?x=1', bytes(x), 400, 'BAD_REQUEST'],
      ['an unknown dtype', '?dtype=f16', bytes(x), 400, 'BAD_REQUEST'],
      ['lengths of rows', '?lengths=40', bytes(x), 400, 'INVALID_ARGUMENT'],
      ['a far row', '', bytes(Float64Array.of(0, 0, 0, 1e300, 0, 0)), 422, 'NON_FINITE'],
    ])('%s', async (_, query, body, status, code) => {
      expect(JSON.parse((await score('mixture', query, body, status)).toString()).code).toBe(code);
    });
    test.each(['1,2', '41', '20,21', '99999999999', '-1,41', '20,,20', 'a'])('lengths %s', async (lengths) => {
      await score('system', `?lengths=${lengths}`, bytes(x), 400);
    });
  });

  describe('lines', () => {
    const lines = { 'content-type': 'application/x-ndjson' };
    const stream = async (id: string, text: string, query = '') => {
      const answer = await post(`/v1/models/${id}/score${query}`, text, lines);
      return {
        status: answer.statusCode,
        lines: answer.body
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      };
    };
    const rows = rowsOf(300);
    test('rows', async () => {
      const answer = await stream(
        'mixture',
        rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
        '?outputs=logDensity,responsibilities',
      );
      expect(bitsOf(answer.lines.map(({ logDensity }) => logDensity))).toBe(bitsOf(mixture.logDensity(rows)));
      expect(answer.lines[3].responsibilities).toHaveLength(4);
    });
    test('sequences, the last without a line end, and blank lines', async () => {
      const answer = await stream(
        'system',
        `${JSON.stringify(rows.slice(0, 3))}\r\n\n[]\n${JSON.stringify(rows.slice(3, 5))}`,
      );
      const system = models['system'] as LinearDynamicalSystem;
      const flat = [rows.slice(0, 3), [], rows.slice(3, 5)].map((rows) => Float64Array.from(rows.flat()));
      expect(bitsOf(answer.lines.map(({ logLikelihood }) => logLikelihood))).toBe(bitsOf(system.logLikelihoods(flat)));
    });
    test.each([
      ['no JSON', '[1,2,3]\n\n[1,2,\n[1,2,3]\n', 'BAD_REQUEST', 3, 1],
      ['a short row', '[1,2,3]\n[1,2,3]\n[1,2]\n', 'DIMENSION_MISMATCH', 3, 2],
      ['a far row', '\n[1,2,3]\n[1e300,0,0]\n[1,2,3]\n', 'NON_FINITE', 3, 1],
    ])('the lines before %s are answered, then the error', async (_, text, code, line, before) => {
      const answer = await stream('mixture', text);
      expect(answer.status).toBe(200);
      expect(answer.lines).toHaveLength(before + 1);
      expect(answer.lines.at(-1).error).toMatchObject({ code, detail: expect.stringContaining(`line ${line}:`) });
    });
    test('the line of a bad sequence', async () => {
      const answer = await stream('gru', '[[1,2,3]]\n[]\n[[1,2,3],[1,2,null]]\n');
      expect(answer.lines.at(-1).error).toMatchObject({ code: 'INVALID_ARGUMENT', line: 3 });
    });
    test('an error in the first line has a status', async () => {
      expect(await stream('mixture', '[1]\n')).toMatchObject({ status: 400, lines: [{ line: 1 }] });
      expect(await stream('mixture', `[${'1'.repeat(3000)}]\n`)).toMatchObject({ status: 413 });
      expect(await stream('mixture', '')).toEqual({ status: 200, lines: [] });
    });
  });

  describe('the Open Inference Protocol', () => {
    const infer = async (id: string, body: object, status = 200) => {
      const answer = await post(`/v2/models/${id}/infer`, JSON.stringify(body), { 'content-type': 'application/json' });
      expect([answer.statusCode, answer.body]).toEqual([status, expect.anything()]);
      return answer.json();
    };
    const tensor = (values: ArrayLike<number>, datatype = 'FP64') => ({
      name: 'x',
      datatype,
      shape: [values.length / 3, 3],
      data: Array.from(values),
    });
    /** A request with binary inputs, and its answer taken apart. */
    const inferBinary = async (id: string, json: object, tensors: readonly Buffer[], header?: string | number) => {
      const head = Buffer.from(JSON.stringify(json));
      const answer = await post(`/v2/models/${id}/infer`, Buffer.concat([head, ...tensors]), {
        'inference-header-content-length': header ?? head.length,
      });
      const length = Number(answer.headers['inference-header-content-length'] ?? answer.rawPayload.length);
      const body = JSON.parse(answer.rawPayload.subarray(0, length).toString());
      return { status: answer.statusCode, body, rest: answer.rawPayload.subarray(length) };
    };
    test('the server and its models', async () => {
      const get = async (url: string) => (await app.inject(url)).json();
      expect(await get('/v2')).toEqual({
        name: 'seqlik',
        version: '0.1.0',
        extensions: ['binary_tensor_data', 'sequence'],
      });
      expect(await get('/v2/health/live')).toEqual({ live: true });
      expect(await get('/v2/health/ready')).toEqual({ ready: true });
      expect(await get('/v2/models/mixture/ready')).toEqual({ name: 'mixture', ready: true });
      expect(await get('/v2/models/mixture')).toMatchObject({
        name: 'mixture',
        inputs: [{ name: 'x', datatype: 'FP64', shape: [-1, 3] }],
        outputs: [
          { name: 'log_density', datatype: 'FP64', shape: [-1] },
          { name: 'responsibilities', datatype: 'FP64', shape: [-1, 4] },
          { name: 'component', datatype: 'INT32', shape: [-1] },
          { name: 'anomaly', datatype: 'BOOL', shape: [-1] },
        ],
      });
      expect((await get('/v2/models/gru')).inputs[1]).toEqual({ name: 'lengths', datatype: 'INT32', shape: [-1] });
      const none = await app.inject('/v2/models/none');
      expect([none.statusCode, none.json()]).toEqual([404, { error: 'there is no model of this id' }]);
    });
    test('JSON, flat and nested, equals the library', async () => {
      const answer = await infer('mixture', { id: 'a"b', inputs: [tensor(x)] });
      expect(answer).toMatchObject({ model_name: 'mixture', id: 'a"b' });
      const [{ data, ...head }] = answer.outputs;
      expect(head).toEqual({ name: 'log_density', datatype: 'FP64', shape: [40] });
      expect(bitsOf(data)).toBe(bitsOf(mixture.logDensity(x)));
      const nested = { ...tensor(x), data: rowsFrom(x) };
      expect((await infer('mixture', { inputs: [nested] })).outputs[0].data).toEqual(data);
      const outputs = ['anomaly', 'component', 'responsibilities'].map((name) => ({ name }));
      const more = await infer('mixture', { inputs: [tensor(x)], outputs });
      expect(more.outputs.map(({ name }: { name: string }) => name)).toEqual(outputs.map(({ name }) => name));
      expect(more.outputs[1].data).toEqual([...mixture.classify(x)]);
      expect(more.outputs[0].data[0]).toBeTypeOf('boolean');
      const single = (await infer('mixture', { inputs: [tensor(Float32Array.from(x), 'FP32')] })).outputs[0];
      expect(single.datatype).toBe('FP32');
      expect(Float32Array.from(single.data)).toEqual(mixture.logDensity(Float32Array.from(x)));
    });
    test('binary in, binary out', async () => {
      const { data, ...input } = tensor(x);
      const own = { ...input, parameters: { binary_data_size: x.byteLength } };
      const outputs = [
        { name: 'log_density', parameters: { binary_data: true } },
        { name: 'component', parameters: { binary_data: true } },
        { name: 'anomaly' },
      ];
      const { body, rest } = await inferBinary('mixture', { inputs: [own], outputs }, [bytes(x)]);
      expect(body.outputs[0]).toEqual({
        name: 'log_density',
        datatype: 'FP64',
        shape: [40],
        parameters: { binary_data_size: 320 },
      });
      expect(bitsOf(f64(rest.subarray(0, 320)))).toBe(bitsOf(mixture.logDensity(x)));
      expect(new Int32Array(new Uint8Array(rest.subarray(320)).buffer)).toEqual(mixture.classify(x));
      expect(body.outputs[2].data).toHaveLength(40);
      const all = await inferBinary('mixture', { inputs: [own], parameters: { binary_data_output: true } }, [bytes(x)]);
      expect(all.rest).toHaveLength(320);
    });
    test('sequences by lengths', async () => {
      const lengths = { name: 'lengths', datatype: 'INT32', shape: [3], data: [12, 0, 28] };
      const outputs = [{ name: 'log_likelihood' }];
      const answer = await infer('system', { inputs: [tensor(x), lengths], outputs });
      const system = models['system'] as LinearDynamicalSystem;
      expect(bitsOf(answer.outputs[0].data)).toBe(bitsOf(system.logLikelihoods({ values: x, lengths: lengths.data })));
      const last = await infer('last', { inputs: [lengths, tensor(x)] });
      expect(last.outputs[0]).toMatchObject({ name: 'probabilities', shape: [3, 2] });
    });
    test('sequences by sequence_id, one row after another', async () => {
      const every = models['every'] as RecurrentClassifier;
      const found: number[] = [];
      for (let t = 0; t < 5; t++) {
        const parameters = { sequence_id: 7, sequence_start: t === 0, sequence_end: t === 4 };
        const row = x.subarray(3 * t, 3 * t + 3);
        found.push(...(await infer('every', { inputs: [tensor(row)], parameters })).outputs[0].data);
      }
      expect(bitsOf(found)).toBe(bitsOf(every.predict(x.subarray(0, 15)).probabilities));
      const parameters = { sequence_id: 7 };
      expect(await infer('every', { inputs: [tensor(x)], parameters }, 400)).toEqual({
        error: expect.stringContaining('sequence_start'),
      });
    });
    const { data, ...input } = tensor(x);
    const sized = (size: unknown) => ({ inputs: [{ ...input, parameters: { binary_data_size: size } }] });
    test.each(['0', '-1', '1e3', '', ' 5', '9223372036854775808', '99999', 'abc', '5.0'])(
      'a hostile header %j is 400',
      async (header) => {
        const { status, body } = await inferBinary('mixture', sized(x.byteLength), [bytes(x)], header);
        expect([status, body]).toEqual([400, { error: expect.any(String) }]);
      },
    );
    test.each<[string, object]>([
      ['a size that is not that of the shape', sized(x.byteLength - 8)],
      ['a size beyond the body', { inputs: [{ ...input, shape: [41, 3], parameters: { binary_data_size: 41 * 24 } }] }],
      ['a negative size', sized(-8)],
      ['a text for a size', sized('960')],
      ['bytes left over', { inputs: [{ ...input, shape: [1, 3], parameters: { binary_data_size: 24 } }] }],
      [
        'a shape that overflows',
        { inputs: [{ ...input, shape: [2 ** 52, 2 ** 52], parameters: { binary_data_size: 0 } }] },
      ],
      ['a shape of 2^31', { inputs: [{ ...input, shape: [2 ** 31, 3], parameters: { binary_data_size: 24 } }] }],
      ['no shape', { inputs: [{ ...input, shape: null, parameters: { binary_data_size: 960 } }] }],
    ])('%s is 400', async (_, json) => {
      const { status, body } = await inferBinary('mixture', json, [bytes(x)]);
      expect([status, body]).toEqual([400, { error: expect.any(String) }]);
    });
    test.each<[string, object]>([
      ['no inputs', {}],
      ['inputs that are none', { inputs: [1] }],
      ['no x', { inputs: [] }],
      ['two x', { inputs: [tensor(x), tensor(x)] }],
      ['an unknown input', { inputs: [tensor(x), { name: 'y', datatype: 'FP64', shape: [1], data: [1] }] }],
      ['lengths of rows', { inputs: [tensor(x), { name: 'lengths', datatype: 'INT32', shape: [1], data: [40] }] }],
      ['an unknown output', { inputs: [tensor(x)], outputs: [{ name: 'none' }] }],
      ['a shape of another width', { inputs: [{ ...tensor(x), shape: [30, 4] }] }],
      ['a flat shape', { inputs: [{ ...tensor(x), shape: [120] }] }],
      ['a shape of more values', { inputs: [{ ...tensor(x), shape: [41, 3] }] }],
      ['a shape of fewer values', { inputs: [{ ...tensor(x), shape: [39, 3] }] }],
      ['a text', { inputs: [{ ...tensor(x), data: [...x.slice(1), '7'] }] }],
      ['null', { inputs: [{ ...tensor(x), data: [...x.slice(1), null] }] }],
      ['integers', { inputs: [{ ...tensor(x.map(Math.round)), datatype: 'INT32' }] }],
      ['an unknown datatype', { inputs: [{ ...tensor(x), datatype: 'FP16' }] }],
      ['__proto__ for a datatype', { inputs: [{ ...tensor(x), datatype: '__proto__' }] }],
      ['a number for an id', { id: 1, inputs: [tensor(x)] }],
      ['a list', []],
      ['sequence_id of rows', { inputs: [tensor(x)], parameters: { sequence_id: 1, sequence_start: true } }],
      ['sequence_id 0', { inputs: [tensor(x)], parameters: { sequence_id: 0 } }],
    ])('%s: 400 and an error', async (_, body) => {
      expect(await infer('mixture', body, 400)).toEqual({ error: expect.any(String) });
    });
    test('data nested deep, or no JSON', async () => {
      const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      const text = JSON.stringify({ inputs: [{ ...tensor(x), data: 'DEEP' }] }).replace('"DEEP"', deep);
      const json = { 'content-type': 'application/json' };
      for (const body of [text, '{', 'null', '7', ''])
        expect((await post('/v2/models/mixture/infer', body, json)).statusCode).toBe(400);
    });
    test('a far row is 422', async () => {
      const far = await infer('mixture', { inputs: [tensor([0, 0, 0, 1e300, 0, 0])] }, 422);
      expect(far.error).toContain('row 1');
    });
  });
});
const rowsFrom = (x: Float64Array): number[][] =>
  Array.from({ length: x.length / 3 }, (_, i) => [...x.subarray(3 * i, 3 * i + 3)]);
