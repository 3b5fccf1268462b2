/** The parameters of linear dynamical systems in files: docs/format.md. What does not fit is FORMAT, with the reason. */
import { refuseOthers, sizeOf, type TensorFile, type Tensors, tensorOf } from '../../file.ts';
import { parameterNames, type System, type SystemParameters, shapeOf } from './parameters.ts';

export const encodeSystem = (system: System): Tensors =>
  Object.fromEntries(
    parameterNames
      .filter((name) => !(system.tied && name === 'initialCovariance'))
      .map((name) => [name, { shape: shapeOf(name, system.m, system.d), values: system[name] }]),
  );
/** The parameters that a file holds beside the tensors `others`; tied without initialCovariance. Throws FORMAT. */
export function decodeSystem(file: TensorFile, others: readonly string[] = []): SystemParameters {
  refuseOthers(file, [...parameterNames, ...others]);
  const m = sizeOf(file, 'observation', 2, 1);
  const d = sizeOf(file, 'observation', 2);
  const names = parameterNames.filter((name) => name !== 'initialCovariance' || Object.hasOwn(file.tensors, name));
  return Object.fromEntries(
    names.map((name) => [name, tensorOf(file, name, shapeOf(name, m, d))]),
  ) as unknown as SystemParameters;
}
