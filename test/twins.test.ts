/** Both bodies of a noun are read side by side: the same functions in the same order, parameters as in the contract. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contract } from '../src/contract.ts';
import { entriesOf } from '../src/grammar.ts';

interface Body {
  readonly name: string;
  readonly parameters: readonly string[];
}
const native = /^(?:template <[^\n]*>\s)?(?:INLINE )?(?:V<T>|\w+) (\w+)\(([^)]*)\) \{/gm;
const assembly = /^((?:\/\/.*\n)*)(?:@inline )?(?:export )?function (\w+)(?:<[^>]*>)?\(([^)]*)\)/gm;
const list = (parameters: string): string[] => parameters.split(',').map((parameter) => parameter.trim());

/** A parameter without a name has it in a comment. */
const bodiesOfNative = (text: string): Body[] =>
  [...text.matchAll(native)].map(([, name, parameters]) => ({
    name: name!,
    parameters: list(parameters!).map((parameter) => /(\w+)(?:\*\/)?$/.exec(parameter)?.[1] ?? ''),
  }));
/** A function that is tiled differently announces the one it stands for: `// twin: rows<2>`. */
const bodiesOfAssembly = (text: string): Body[] =>
  [...text.matchAll(assembly)].map(([, comment, name, parameters]) => ({
    name: /^\/\/ twin: (\w+)/m.exec(comment!)?.[1] ?? name!,
    parameters: list(parameters!).map((parameter) => parameter.split(':')[0]!),
  }));
/** Several functions in a row may stand for one. */
const order = (bodies: readonly Body[]): string[] =>
  bodies.map(({ name }) => name).filter((name, i, names) => name !== names[i - 1]);

function differences(noun: keyof typeof contract, cpp: string, ts: string): string[] {
  const [a, b] = [bodiesOfNative(cpp), bodiesOfAssembly(ts)];
  const found: string[] = [];
  const [names, others] = [order(a), order(b)];
  const at = names.findIndex((name, i) => name !== others[i]);
  if (at >= 0 || names.length !== others.length)
    found.push(`native has ${names.slice(at)[0]} where assembly has ${others.slice(at)[0]}`);
  for (const { name, spec } of entriesOf({ [noun]: contract[noun] })) {
    const want = [...spec.dims, ...Object.keys(spec.options ?? {}), ...Object.keys(spec.args)].join(' ');
    for (const [side, bodies] of [
      ['native', a],
      ['assembly', b],
    ] as const)
      if (bodies.find((body) => body.name === name)?.parameters.join(' ') !== want)
        found.push(`${name} of ${side} has other parameters than the contract`);
  }
  return found;
}

const nouns = Object.keys(contract) as (keyof typeof contract)[];
const read = (noun: string): [string, string] => [
  readFileSync(`native/${noun}.cc`, 'utf8'),
  readFileSync(`assembly/${noun}.ts`, 'utf8'),
];
test.each(nouns)('%s', (noun) => {
  expect(differences(noun, ...read(noun))).toEqual([]);
});
/** The parts of a noun declare no kernels: only their order is compared, without the words of one side for its lines. */
const orderOf = (bodies: readonly Body[]): string[] =>
  order(bodies.map((body) => ({ ...body, name: body.name.replace(/Of$/, '') }))).filter(
    (name) => !['times', 'lessTimes', 'timesEach', 'read', 'write', 'line', 'value', 'place', 'square'].includes(name),
  );
test.each(['lds-observations', 'lds-lanes'])('%s', (part) => {
  const [cpp, ts] = [readFileSync(`native/${part}.h`, 'utf8'), readFileSync(`assembly/${part}.ts`, 'utf8')];
  expect(orderOf(bodiesOfNative(cpp))).toEqual(orderOf(bodiesOfAssembly(ts)));
  expect(orderOf(bodiesOfNative(cpp)).length).toBeGreaterThan(6);
});
test('a twin that differs is seen', () => {
  const [cpp, ts] = read('gaussian');
  expect(differences('gaussian', cpp, ts.replace('function solveLower', 'function solve'))).toEqual([
    'native has solveLower where assembly has solve',
  ]);
  expect(differences('gaussian', cpp.replace('int d, const double* A', 'int k, const double* A'), ts)).toEqual([
    'factor of native has other parameters than the contract',
  ]);
  const [some, tiled] = read('mixture');
  expect(differences('mixture', some, tiled.replace('// twin: rows<1>', '//'))).toEqual([
    'native has square2 where assembly has single',
  ]);
});
