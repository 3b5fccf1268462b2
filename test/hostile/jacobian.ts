/** Places of the functions of chains of Jacobians. */
import {
  type Backend,
  backpropagate,
  type Chain,
  chainDiagnostics,
  type RecurrentLayer,
  recurrentJacobians,
  sharedEigenProduct,
} from '../../src/index.ts';
import { none, number, numbers, optional, options, type Places, those, whole } from './places.ts';
import { backends } from './scored.ts';

const one = { jacobians: Float64Array.of(1, 2, 3, 4), size: 2 };
const ones = [1, 1, 1, 1];
const layer = { W: ones, U: [1, 1], b: [0, 0], x: [1], h0: [0, 0], activation: 'tanh' } as const;
const flag = those.bind(null, (value) => typeof value === 'boolean');
const chainPlaces = (name: string, use: (chain: Chain, g: number) => unknown): Places => ({
  [`${name}(chain)`]: none((chain: Chain) => use(chain, 4)),
  [`${name}(chain.jacobians)`]: numbers((jacobians) => use({ jacobians, size: 2 }, 4)),
  [`${name}(chain.size)`]: those(
    (size) => size === 2 || size === 1,
    (size) => use({ ...one, size }, size === 1 ? 5 : 4),
  ),
  [`${name}(chain.W)`]: numbers((W) => use({ W, slopes: Float64Array.of(1, 1) }, 4)),
  [`${name}(chain.slopes)`]: numbers((slopes) => use({ W: [1], slopes }, 5)),
});

export const jacobian: Places = {
  ...chainPlaces('chainDiagnostics', (chain) => chainDiagnostics(chain)),
  'chainDiagnostics(options)': options((given) => chainDiagnostics(one, given)),
  'chainDiagnostics(options.backend)': backends(
    (backend) => chainDiagnostics(one, { backend: backend as Backend }).regime,
  ),
  'chainDiagnostics(options.discard)': whole(0, 0, (discard) => chainDiagnostics(one, { discard })),
  'chainDiagnostics(options.rateThreshold)': number(
    (rate) => rate >= 0 && rate < Number.POSITIVE_INFINITY,
    (rateThreshold) => chainDiagnostics(one, { rateThreshold }),
  ),
  'chainDiagnostics(options.parts)': options((parts) => chainDiagnostics(one, { parts }).regime),
  'chainDiagnostics(options.parts.lyapunov)': optional(
    those(
      (value) => typeof value === 'boolean' || value === 1 || value === 2,
      (lyapunov) => chainDiagnostics(one, { parts: { lyapunov } }),
    ),
  ),
  'chainDiagnostics(options.parts.singularValues)': optional(
    flag((singularValues) => chainDiagnostics(one, { parts: { singularValues } })),
  ),
  ...chainPlaces('backpropagate', (chain, g) => backpropagate(chain, new Float64Array(g).fill(1))),
  'backpropagate(g)': numbers((g) => backpropagate(one, g)),
  'backpropagate(options)': options((given) => backpropagate(one, ones, given)),
  'backpropagate(options.backend)': backends((backend) => backpropagate(one, ones, { backend: backend as Backend })),
  'sharedEigenProduct(V)': numbers((V) => sharedEigenProduct(V, [1, 2])),
  'sharedEigenProduct(lambda)': numbers((lambda) => sharedEigenProduct([1, 2, 3, 4], lambda)),
  'recurrentJacobians(layer)': none((given) => recurrentJacobians(given)),
  'recurrentJacobians(layer.W)': numbers((W) => recurrentJacobians({ ...layer, W })),
  'recurrentJacobians(layer.U)': numbers((U) => recurrentJacobians({ ...layer, U, x: [1, 1] })),
  'recurrentJacobians(layer.b)': numbers((b) =>
    recurrentJacobians({ ...layer, W: new Float64Array(16), U: ones, h0: ones, b }),
  ),
  'recurrentJacobians(layer.x)': numbers((x) => recurrentJacobians({ ...layer, x })),
  'recurrentJacobians(layer.h0)': numbers((h0) =>
    recurrentJacobians({ ...layer, W: new Float64Array(16), U: ones, b: ones, h0 }),
  ),
  'recurrentJacobians(layer.activation)': those(
    (word) => word === 'tanh' || word === 'relu',
    (activation) => recurrentJacobians({ ...layer, activation } as RecurrentLayer),
  ),
  'recurrentJacobians(options)': options((given) => recurrentJacobians(layer, given)),
  'recurrentJacobians(options.backend)': backends((backend) =>
    recurrentJacobians(layer, { backend: backend as Backend }),
  ),
};
