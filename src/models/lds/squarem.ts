/**
 * SQUAREM (Varadhan and Roland 2008): two EM steps give a longer one. Parameters are taken as free numbers: entries of
 * A, B and the mean, and of each covariance S = L Lᵀ the entries of L below the diagonal and log L[i,i].
 */
import { packedIndex, reconstruct, tri } from '../triangles.ts';
import { factorOf } from './gradient.ts';
import { covarianceNames, type ParameterName, parameterNames, type System } from './parameters.ts';

const isCovariance = (name: ParameterName): boolean => (covarianceNames as readonly string[]).includes(name);

function free(system: System): Float64Array {
  return Float64Array.from(
    parameterNames.flatMap((name) => {
      if (!isCovariance(name)) return [...system[name]];
      const n = Math.sqrt(system[name].length);
      const L = factorOf(system[name], n);
      for (let i = 0; i < n; i++) L[packedIndex(i, i)] = Math.log(L[packedIndex(i, i)]!);
      return [...L];
    }),
  );
}
function fromFree(values: Float64Array, like: System): System | undefined {
  if (!values.every(Number.isFinite)) return undefined;
  let at = 0;
  const parameters = Object.fromEntries(
    parameterNames.map((name) => {
      if (!isCovariance(name)) {
        const own = values.slice(at, at + like[name].length);
        at += own.length;
        return [name, own];
      }
      const n = Math.sqrt(like[name].length);
      const L = values.slice(at, at + tri(n));
      at += L.length;
      for (let i = 0; i < n; i++) L[packedIndex(i, i)] = Math.exp(L[packedIndex(i, i)]!);
      const S = new Float64Array(n * n);
      reconstruct(L, n, true, S);
      return [name, S];
    }),
  ) as Record<ParameterName, Float64Array>;
  const fixed = { ...like, ...parameters };
  // what EM leaves alone stays the same to the bit
  for (const name of parameterNames) if (isSame(parameters[name], like[name])) fixed[name] = like[name];
  if (like.tied) fixed.initialCovariance = fixed.transitionCovariance;
  return parameterNames.every((name) => fixed[name].every(Number.isFinite)) ? fixed : undefined;
}
const isSame = (a: Float64Array, b: Float64Array): boolean =>
  a.every((v, i) => Math.abs(v - b[i]!) <= 1e-14 * Math.abs(b[i]!));

/**
 * Where two EM steps from `first` over `second` to `third` lead: first - 2 α r + α² v with α = -|r| / |v| <= -1, or
 * undefined if they do not lead further than themselves. `most` bounds -α.
 */
export function extrapolate(
  first: System,
  second: System,
  third: System,
  most: number,
): { system: System; length: number } | undefined {
  const [a, b, c] = [free(first), free(second), free(third)];
  const r = b.map((v, i) => v - a[i]!);
  const v = c.map((value, i) => value - b[i]! - r[i]!);
  const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  const length = Math.min(norm(r) / norm(v), most);
  if (!(length > 1)) return undefined;
  const system = fromFree(
    a.map((value, i) => value + 2 * length * r[i]! + length * length * v[i]!),
    third,
  );
  return system && { system, length };
}
