/** A client of the Open Inference Protocol, with binary tensors in and out. `node infer.js URL MODEL` */
const [url, model] = process.argv.slice(2);
const rows = Float64Array.of(39.1, 18.7, 46.5, 17.9, 50, 15.2);
const [n, d] = [3, 2];

const { inputs, outputs } = await (await fetch(`${url}/v2/models/${model}`)).json();
console.log('inputs ', ...inputs.map((tensor: Tensor) => `${tensor.name} ${tensor.datatype} [${tensor.shape}]`));
console.log('outputs', ...outputs.map((tensor: Tensor) => `${tensor.name} ${tensor.datatype} [${tensor.shape}]`));
interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: { readonly binary_data_size: number };
}

const head = new TextEncoder().encode(
  JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP64', shape: [n, d], parameters: { binary_data_size: rows.byteLength } }],
    outputs: ['log_density', 'component'].map((name) => ({ name, parameters: { binary_data: true } })),
  }),
);
const answer = await fetch(`${url}/v2/models/${model}/infer`, {
  method: 'POST',
  headers: { 'inference-header-content-length': `${head.length}`, 'content-type': 'application/octet-stream' },
  body: new Blob([head, rows]),
});
if (!answer.ok) throw new Error((await answer.json()).error);

const bytes = await answer.arrayBuffer();
let at = Number(answer.headers.get('inference-header-content-length'));
for (const { name, datatype, parameters } of JSON.parse(new TextDecoder().decode(bytes.slice(0, at)))
  .outputs as Tensor[]) {
  const tensor = bytes.slice(at, (at += parameters.binary_data_size));
  console.log(name, ...(datatype === 'INT32' ? new Int32Array(tensor) : new Float64Array(tensor)));
}

export {};
