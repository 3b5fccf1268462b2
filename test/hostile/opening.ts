/** Places of openBackend, setDefaultBackend and loadModel. */
import { type Backend, type BackendOptions, loadModel, openBackend, setDefaultBackend } from '../../src/index.ts';
import { modelsOn } from '../support/kinds.ts';
import { none, optional, options, type Place, type Places, those } from './places.ts';
import { loading, strings } from './scored.ts';

const openByName = (given: unknown): string => openBackend(given as BackendOptions).name;
const option = (name: string, kind: (call: Place['call']) => Place): Places => ({
  [`openBackend(options.${name})`]: kind((value) => openByName({ name: 'wasm', [name]: value })),
});
const files = (): Uint8Array[] => modelsOn().map((model) => model.toBytes());

export const opening: Places = {
  'openBackend(options)': {
    call: openByName,
    meant: (value, made) => {
      const { name } = (made ?? {}) as BackendOptions; // perhaps inherited
      return options(openByName).meant(value, made) && { as: name === undefined ? undefined : { name } };
    },
  },
  ...option('name', strings),
  ...option('isa', strings),
  ...option('reproducible', (call) => optional(those((made) => made === true, call))),
  ...option('threads', (call) => optional(those((made) => made === 7, call))),
  ...option('module', (call) => optional(none(call))),
  'setDefaultBackend(backend)': none((backend) => setDefaultBackend(backend as Backend)),
  ...loading('loadModel', files, loadModel),
};
