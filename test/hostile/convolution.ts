/** Places of convolution, the continuous-time network and the sin layer. */
import {
  type Backend,
  type ContinuousParameters,
  ContinuousRNN,
  type ConvolutionMode,
  convolve,
  convolveGradient,
  sineLayer,
} from '../../src/index.ts';
import { isFloats, none, numbers, optional, options, type Place, type Places, those, whole } from './places.ts';
import { backends } from './scored.ts';

const words = ['full', 'same', 'causal', 'valid'];
const mode = (call: (mode: ConvolutionMode, backend: Backend) => unknown): Place =>
  optional(those((word) => words.includes(word as string), call));
/** Memory for four results. */
const out = (call: (value: unknown, backend: Backend) => ArrayLike<number>): Place => ({
  call: (value, backend) => {
    const result = call(value, backend);
    return Array.from({ length: 4 }, (_, i) => result[i]);
  },
  meant: ({ counts }, made) =>
    made === undefined || (counts?.length === 4 && isFloats(made)) ? { as: undefined } : undefined,
});
const four = [1, 2, 3, 4];
const five = [1, 2, 3, 4, 5];
const flag = (call: (value: boolean | undefined, backend: Backend) => unknown): Place =>
  optional(those((value) => typeof value === 'boolean', call));
const parameters = { W: [0, 1, -1, 0], b: [0, 0], alpha: 0.5 };
const made = (given: object, backend?: unknown): ContinuousRNN =>
  new ContinuousRNN({ ...parameters, ...given } as ContinuousParameters, { backend: backend as Backend });
const wide = (backend: Backend): ContinuousRNN => made({ W: new Float64Array(16), b: [0, 0, 0, 0] }, backend);

export const convolution: Places = {
  'convolve(x)': numbers((x, backend) => convolve(x, [1, 10], { backend })),
  'convolve(w)': numbers((w, backend) => convolve([1, 2], w, { backend })),
  'convolve(options)': options((given) => convolve([1, 2], [1, 10], given)),
  'convolve(options.mode)': mode((mode, backend) => convolve([1, 2], [1, 10], { mode, backend })),
  'convolve(options.out)': out((out, backend) => convolve([1, 2, 3], [1, 10], { out: out as Float64Array, backend })),
  'convolve(options.backend)': backends((backend) => convolve([1, 2], [1, 10], { backend: backend as Backend })),
  'convolveGradient(x)': numbers((x, backend) => convolveGradient(x, [1, 10], five, { backend })),
  'convolveGradient(w)': numbers((w, backend) => convolveGradient([1, 2], w, five, { backend })),
  'convolveGradient(dy)': numbers((dy, backend) => convolveGradient([1, 2, 3], [1, 10], dy, { backend })),
  'convolveGradient(options)': options((given) => convolveGradient([1, 2, 3], [1, 10], four, given)),
  'convolveGradient(options.mode)': mode((mode, backend) => convolveGradient(four, [1], four, { mode, backend })),
  'convolveGradient(options.out)': options((given, backend) =>
    convolveGradient(four, [1], four, { out: given, backend }),
  ),
  'convolveGradient(options.out.dx)': out(
    (dx, backend) => convolveGradient(four, [1, 10], five, { out: { dx: dx as Float64Array }, backend }).dx,
  ),
  'convolveGradient(options.out.dw)': out(
    (dw, backend) => convolveGradient([1, 10], four, five, { out: { dw: dw as Float64Array }, backend }).dw,
  ),
  'convolveGradient(options.backend)': backends((backend) =>
    convolveGradient([1, 2, 3], [1, 10], four, { backend: backend as Backend }),
  ),
  'new ContinuousRNN(parameters)': none((given, backend) => new ContinuousRNN(given, { backend })),
  'new ContinuousRNN(parameters.W)': numbers((W, backend) => made({ W }, backend).parameters),
  'new ContinuousRNN(parameters.b)': numbers((b, backend) => made({ W: new Float64Array(16), b }, backend).parameters),
  'new ContinuousRNN(parameters.alpha)': those(
    (alpha) => typeof alpha === 'number' && alpha > 0 && alpha < Number.POSITIVE_INFINITY,
    (alpha, backend) => made({ alpha }, backend).parameters,
  ),
  'new ContinuousRNN(options)': options((given) => new ContinuousRNN(parameters, given).dimension),
  'new ContinuousRNN(options.backend)': backends((backend) => made({}, backend).dimension),
  'ContinuousRNN#run(x0)': numbers((x0, backend) => wide(backend).run(x0, 2)),
  'ContinuousRNN#run(steps)': those(
    (n) => n === 7 || n === 0 || n === 1 || n === 2,
    (steps, backend) => made({}, backend).run([1, 0], steps),
  ),
  'ContinuousRNN#jacobians(x0)': numbers((x0, backend) => wide(backend).jacobians(x0, 2)),
  'ContinuousRNN#jacobians(steps)': those(
    (n) => n === 7 || n === 0 || n === 1 || n === 2,
    (steps, backend) => made({}, backend).jacobians([1, 0], steps),
  ),
  'ContinuousRNN#jacobians(options)': options((given, backend) => made({}, backend).jacobians([1, 0], 2, given)),
  'ContinuousRNN#jacobians(options.partials)': flag((partials, backend) =>
    made({}, backend).jacobians([1, 0], 2, { partials: partials as boolean }),
  ),
  'ContinuousRNN#sensitivities(x0)': numbers((x0, backend) => wide(backend).sensitivities(x0, 2)),
  'ContinuousRNN#sensitivities(steps)': those(
    (n) => n === 7 || n === 0 || n === 1 || n === 2,
    (steps, backend) => made({}, backend).sensitivities([1, 0], steps),
  ),
  'ContinuousRNN#lossGradient(x0)': numbers((x0, backend) => wide(backend).lossGradient(x0, [1, 2, 3, 4])),
  'ContinuousRNN#lossGradient(cotangents)': numbers((g, backend) => made({}, backend).lossGradient([1, 0], g)),
  'ContinuousRNN#lossGradient(options)': options((given, backend) =>
    made({}, backend).lossGradient([1, 0], [1, 2, 3, 4], given),
  ),
  'ContinuousRNN#lossGradient(options.steps)': whole(1, 1, (steps, backend) =>
    made({}, backend).lossGradient([1, 0], [1, 2, 3, 4], { steps }),
  ),
  'sineLayer(A)': numbers((A, backend) => sineLayer(A, [1, 2], { backend })),
  'sineLayer(x)': numbers((x, backend) => sineLayer(new Float64Array(8), x, { backend })),
  'sineLayer(options)': options((given) => sineLayer([1, 2], [1, 2], given)),
  'sineLayer(options.cotangent)': optional(
    numbers((cotangent, backend) => sineLayer(new Float64Array(8), [1, 2], { cotangent, backend })),
  ),
  'sineLayer(options.backend)': backends((backend) => sineLayer([1, 2], [1, 2], { backend: backend as Backend })),
};
